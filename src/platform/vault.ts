// One Key Vault by its SDK, loaded at the first secret; what it answers as codes. Values are never in messages.
import type { SecretClient, SecretClientOptions } from '@azure/keyvault-secrets'
import { SpanKind } from '@opentelemetry/api'
import { AppError } from '../rules/errors.ts'
import { inSpan } from '../telemetry/spans.ts'
import type { Identity } from './credentials.ts'

/** What secrets are read from. */
export interface Vault {
  readonly url: string
  /** @throws AppError `SECRET_NOT_FOUND`, `VAULT_ACCESS_DENIED`, `VAULT_THROTTLED`, `VAULT_UNAVAILABLE`, `IDENTITY_UNAVAILABLE` */
  read(name: string): Promise<string>
}

/** A vault that hangs must not hold its callers: what they asked for is repeated by them. The health report waits for less. */
const ANSWER_MS = 10_000
const ROLE = 'Key Vault Secrets User'

/** @param options of the SDK's client, and the longest wait for an answer; given by tests alone */
export function openVault(
  url: string,
  identity: Identity,
  { answerMs = ANSWER_MS, ...options }: SecretClientOptions & { readonly answerMs?: number } = {},
): Vault {
  let loaded: Promise<SecretClient> | undefined
  const client = async (): Promise<SecretClient> => {
    const { SecretClient } = await import('@azure/keyvault-secrets')
    // Who asks repeats, and honours Retry-After: the SDK would hold the caller for as long as the header says.
    return new SecretClient(url, identity, { retryOptions: { maxRetries: 0 }, ...options })
  }
  const read = async (name: string): Promise<string> => {
    try {
      const abortSignal = AbortSignal.timeout(answerMs)
      const { value } = await (await (loaded ??= client())).getSecret(name, { abortSignal })
      if (value !== undefined) return value
      throw new AppError('SECRET_NOT_FOUND', `The secret ${name} in ${url} has no value.`)
    } catch (error) {
      throw toVaultError(error, { name, url, clientId: identity.clientId })
    }
  }
  return {
    url,
    read: (name) => inSpan('vault getSecret', { 'server.address': new URL(url).hostname }, () => read(name), SpanKind.CLIENT),
  }
}

interface RestError {
  readonly statusCode?: number
  readonly message?: string
  readonly response?: { readonly headers?: { get(name: string): string | undefined } }
}
interface Asked {
  readonly name: string
  readonly url: string
  readonly clientId: string | undefined
}

/** What the SDK threw, as a code of ours. An AppError passes unchanged. */
function toVaultError(error: unknown, asked: Asked): AppError {
  if (error instanceof AppError) return error
  const { statusCode, response, message = '' } = error as RestError
  const { name, url } = asked
  const cause = { cause: error }
  if (statusCode === 404) return new AppError('SECRET_NOT_FOUND', `The vault ${url} has no secret ${name}.`, cause)
  if (statusCode === 401 || statusCode === 403) return new AppError('VAULT_ACCESS_DENIED', denial(message, asked), cause)
  const seconds = Number(response?.headers?.get('retry-after') ?? Number.NaN)
  const wait = Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}
  if (statusCode === 429)
    return new AppError('VAULT_THROTTLED', `The vault ${url} takes no more requests for now.`, { ...cause, ...wait })
  const said = statusCode === undefined ? 'no answer' : `status ${statusCode}`
  return new AppError('VAULT_UNAVAILABLE', `The vault ${url} could not be asked for the secret ${name} (${said}).`, {
    ...cause,
    ...wait,
  })
}

/** Role, scope and principal; or the network, which looks the same to a caller and is mended elsewhere. */
function denial(message: string, { url, clientId }: Asked): string {
  const vault = new URL(url).hostname.split('.')[0] ?? url
  const principal = /\boid=([0-9a-f-]{36})/i.exec(message)?.[1]
  const who = principal ? `the principal ${principal}` : clientId ? `the client id ${clientId}` : 'the identity of the app'
  if (/firewall|client address|not a trusted service|public network access/i.test(message))
    return `The network rules of the vault ${vault} (${url}) refuse this app, whoever it is (${who}). Let its subnet in, or give the vault a private endpoint.`
  return `The vault ${vault} refuses ${who}. Grant it the role "${ROLE}": az role assignment create --assignee ${principal ?? clientId ?? 'CLIENT_ID'} --role "${ROLE}" --scope $(az keyvault show --name ${vault} --query id --output tsv).`
}
