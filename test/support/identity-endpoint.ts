// The identity endpoint of App Service (IDENTITY_ENDPOINT, IDENTITY_HEADER, api-version 2019-08-01): tokens by resource and client id.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const TENANT = '11111111-1111-4111-8111-111111111111'

export interface IdentityEndpoint {
  /** For the environment of whoever asks for tokens. */
  readonly env: Readonly<Record<string, string>>
  /** Resource and client id of every request so far. */
  readonly asked: { readonly resource: string; readonly clientId: string }[]
  /** Set: every request is refused with this status. */
  fail: number | undefined
  /** Set: every request waits for it. */
  wait: Promise<void> | undefined
  /** What the endpoint answers with now. */
  token(resource: string, clientId: string): string
  /** From now on other tokens. */
  rotate(): void
  close(): Promise<void>
}

/** @param clientIds the identities that are assigned; others are refused with 400, as by the platform */
export async function startIdentityEndpoint(clientIds: readonly string[]): Promise<IdentityEndpoint> {
  const secret = randomUUID()
  let serial = 1
  const tokens = new Map<string, string>()
  const server = createServer((request, response) => void answer(request, response))
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { searchParams } = new URL(request.url ?? '/', 'http://identity')
    const [resource, clientId] = [searchParams.get('resource') ?? '', searchParams.get('client_id') ?? '']
    endpoint.asked.push({ resource, clientId })
    await endpoint.wait
    const isKnown = request.headers['x-identity-header'] === secret && clientIds.includes(clientId)
    const status = endpoint.fail ?? (isKnown ? 200 : 400)
    response.writeHead(status, { 'content-type': 'application/json' })
    const token = {
      access_token: endpoint.token(resource, clientId),
      expires_on: String(inSeconds(3600)),
      resource,
      token_type: 'Bearer',
    }
    response.end(JSON.stringify(status === 200 ? token : { statusCode: status, message: 'No such identity is assigned.' }))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint: IdentityEndpoint = {
    env: {
      IDENTITY_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`,
      IDENTITY_HEADER: secret,
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    },
    asked: [],
    fail: undefined,
    wait: undefined,
    token(resource, clientId) {
      const key = `${resource} ${clientId} ${serial}`
      const token = tokens.get(key) ?? makeToken(resource, clientId, serial)
      tokens.set(key, token)
      return token
    },
    rotate: () => void serial++,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return endpoint
}

const inSeconds = (more: number): number => Math.floor(Date.now() / 1000) + more

/** With the claims of an access token; its signature is none, and whoever is asked here does not look at it. */
export function makeToken(resource: string, clientId: string, serial: number, claims: object = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = inSeconds(0)
  const all = {
    aud: resource,
    iss: `https://sts.windows.net/${TENANT}/`,
    iat: now,
    nbf: now - 60,
    exp: now + 3600,
    appid: clientId,
    oid: clientId,
    tid: TENANT,
    uti: `serial-${serial}`,
    ...claims,
  }
  return `${part({ typ: 'JWT', alg: 'RS256', kid: 'none' })}.${part(all)}.${Buffer.from(`unsigned ${serial}`).toString('base64url')}`
}
