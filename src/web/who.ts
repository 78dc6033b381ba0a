// Whoever asks, as the server knows them.
import { api, apiUrl } from './api.ts'
import { credential, credentialHeader } from './session.ts'
import type { Whoami } from './types.ts'

/**
 * Tells who asks, and once more where more turns out: a key does not say what it opens, so that a route of admins is asked as well.
 * @throws ApiError when nobody is known
 */
export async function askWho(tell: (who: Whoami) => void): Promise<void> {
  const who = await api<Whoami>('whoami')
  tell(who)
  if (who.auth_mode !== 'key') return
  const asked = credential()
  // Not as the others are asked: a refusal here is no end of the session.
  const answer = await fetch(apiUrl('whoami/admin'), { headers: credentialHeader(asked) }).catch(() => undefined)
  // Whoever signed out meanwhile stays out.
  if (answer?.ok && credential() === asked) tell((await answer.json()) as Whoami)
}
