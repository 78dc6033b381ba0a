// Error codes of the identity of the app, and of the vault that it reads secrets from.
import { facts } from './error-facts.ts'

export const IDENTITY_ERROR_CODES = {
  IDENTITY_UNAVAILABLE: facts(
    503,
    true,
    'The identity of the app got no token; the message names it and what for.',
    'Assign the identity to the app, and set AZURE_CLIENT_ID to its client id.',
  ),
  SECRET_NOT_FOUND: facts(404, false, 'No secret has this name.', 'Set it in the vault, or in the environment.'),
  VAULT_ACCESS_DENIED: facts(
    403,
    false,
    'The vault refused the identity of the app; the message names role, scope and principal.',
    'Give it the role that the message names, or let its network in.',
  ),
  VAULT_THROTTLED: facts(429, true, 'The vault answers no more for now.', 'Repeat after Retry-After.'),
  VAULT_UNAVAILABLE: facts(503, true, 'The vault cannot be reached.', 'Wait; kept secrets are used meanwhile.'),
} as const
