// The identity of this process towards Azure: one credential, loaded at the first token. The SDK keeps and renews tokens; nothing here does.
import type { DefaultAzureCredential, TokenCredential } from '@azure/identity'
import { AppError } from '../rules/errors.ts'

/** Gives tokens to clients of Azure services, and to whoever takes one as password. */
export interface Identity extends TokenCredential {
  /** Client id of the managed identity; undefined: the machine's only one, or whoever is signed in on a laptop. */
  readonly clientId: string | undefined
  /**
   * A token that no store of the SDK had, and that the SDK gives from now on.
   * @param scope as `https://HOST/.default`
   * @throws AppError `IDENTITY_UNAVAILABLE`
   */
  renew(scope: string): Promise<void>
}

/** What the SDK's managed identity credential holds: MSAL's application, whose store all credentials of a process share. */
interface MsalHolder {
  readonly managedIdentityApp: {
    acquireToken(request: { readonly resource: string; readonly forceRefresh: boolean }): Promise<unknown>
  }
}

/**
 * Opens an identity. `getToken` throws AppError `IDENTITY_UNAVAILABLE` naming the identity, the scope and what the SDK says.
 * @param clientId of a managed identity, as `AZURE_CLIENT_ID` or `MIGRATE_CLIENT_ID`
 */
export function openIdentity(clientId: string | undefined): Identity {
  let loaded: Promise<DefaultAzureCredential> | undefined
  const credential = (): Promise<DefaultAzureCredential> => (loaded ??= load(clientId))
  return {
    clientId,
    async getToken(scopes, options) {
      try {
        return await (await credential()).getToken(scopes, options)
      } catch (error) {
        throw noToken(error, clientId, String(scopes))
      }
    },
    async renew(scope) {
      try {
        const app = managedIdentityOf(await credential())
        // getToken hands no such wish through to MSAL, and a new credential would be given the same token by the shared store.
        if (app) await app.acquireToken({ resource: scope.replace(/\/\.default$/, ''), forceRefresh: true })
        // The other sources keep their tokens with the credential, or keep none.
        else loaded = load(clientId)
      } catch (error) {
        throw noToken(error, clientId, scope)
      }
    },
  }
}

async function load(clientId: string | undefined): Promise<DefaultAzureCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new DefaultAzureCredential(clientId ? { managedIdentityClientId: clientId } : {})
}

/** Where the managed identity is the only source (`AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential`), as in Azure. */
function managedIdentityOf(credential: DefaultAzureCredential): MsalHolder['managedIdentityApp'] | undefined {
  const { _sources: sources = [] } = credential as unknown as { readonly _sources?: readonly Partial<MsalHolder>[] }
  return sources.length === 1 ? sources[0]?.managedIdentityApp : undefined
}

function noToken(error: unknown, clientId: string | undefined, scope: string): AppError {
  if (error instanceof AppError) return error
  const who = clientId
    ? `The identity with the client id ${clientId}`
    : 'The identity of this machine (AZURE_CLIENT_ID is not set)'
  const said = error instanceof Error ? (error.message.split('\n').find((line) => line.trim()) ?? error.name) : String(error)
  return new AppError(
    'IDENTITY_UNAVAILABLE',
    `${who} got no token for ${scope}: ${said.slice(0, 300)} Check that this identity is assigned to the app.`,
    { cause: error },
  )
}
