// The vault: does it answer this app?
import type { Resources } from '../platform/resources.ts'
import type { Check } from './check.ts'

export function vault({ secrets }: Pick<Resources, 'secrets'>): Check {
  return {
    name: 'vault',
    async ask() {
      const { source, problem, cached_names } = await secrets.vaultInfo()
      if (source === 'env') return { status: 'skipped', detail: 'Secrets come from the environment (SECRETS_SOURCE).' }
      const data = { cached: cached_names.length }
      if (!problem) return { status: 'ok', data }
      // What is kept is used meanwhile; who denies the identity denies the secrets of tomorrow too.
      const status = problem.code === 'VAULT_THROTTLED' ? 'degraded' : 'failed'
      return { status, code: problem.code, detail: problem.message, remediation: remedyOf(problem), data }
    },
  }
}

const remedyOf = ({ code, message }: { code: string; message: string }): string => {
  // The message ends with what to do: the command for the role, or the network to let in.
  if (code === 'VAULT_ACCESS_DENIED') return message.slice(message.indexOf('. ') + 2)
  return 'Look whether the vault can be reached from the network of the app (private endpoint), and whether KEY_VAULT_URL names it.'
}
