// A Key Vault over TLS with the service's challenge: 401 first, then the secret, 404, 403, 429 or nothing.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from './certificate.ts'

export interface VaultStub {
  readonly url: string
  readonly secrets: Map<string, string>
  /** `METHOD path` of every request that carried a token. */
  readonly seen: string[]
  /** Requests without one: each was answered with the challenge. */
  challenges: number
  /** How all are answered from now on; undefined: as a vault does. `hang`: not at all. */
  answer:
    | { readonly status: number; readonly body: object; readonly headers?: Readonly<Record<string, string>> }
    | 'hang'
    | 'break'
    | undefined
  /** Asked before each answer. */
  wait: Promise<void> | undefined
  close(): Promise<void>
}

/** What the service says to an identity without a role. */
export const FORBIDDEN_BY_RBAC = (oid: string): NonNullable<VaultStub['answer']> => ({
  status: 403,
  body: {
    error: {
      code: 'Forbidden',
      message: `Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=${oid};oid=${oid};iss=https://sts.windows.net/${oid}/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'`,
      innererror: { code: 'ForbiddenByRbac' },
    },
  },
})

export async function startVault(certificate: Certificate): Promise<VaultStub> {
  const server = createServer(certificate, (request, response) => {
    const send = (status: number, body: object, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(body))
    }
    const path = new URL(request.url ?? '/', stub.url).pathname
    if (!request.headers.authorization?.startsWith('Bearer ')) {
      stub.challenges++
      send(401, { error: { code: 'Unauthorized', message: 'AKV10000: Request is missing a Bearer or PoP token.' } }, CHALLENGE)
      return
    }
    stub.seen.push(`${request.method} ${path}`)
    const name = /^\/secrets\/([^/]+)/.exec(path)?.[1] ?? ''
    // As it is when the question comes: a late answer is an old one.
    const value = stub.secrets.get(name)
    void Promise.resolve(stub.wait).then(() => {
      const { answer } = stub
      if (answer === 'break') return request.socket.destroy()
      if (answer === 'hang') return undefined
      if (answer) return send(answer.status, answer.body, answer.headers)
      if (value === undefined)
        return send(404, {
          error: { code: 'SecretNotFound', message: `A secret with (name/id) ${name} was not found in this key vault.` },
        })
      return send(200, {
        value,
        id: `${stub.url}/secrets/${name}/0123456789abcdef0123456789abcdef`,
        attributes: { enabled: true },
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stub: VaultStub = {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    secrets: new Map(),
    seen: [],
    challenges: 0,
    answer: undefined,
    wait: undefined,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return stub
}

const CHALLENGE = {
  'www-authenticate':
    'Bearer authorization="https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111", resource="https://vault.azure.net"',
}
