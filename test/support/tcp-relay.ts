// A fixed address whose target may change, and whose connections can be cut: for servers that come back elsewhere.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpRelay {
  readonly port: number
  /** Where new connections go. */
  target: number
  /** Asked for what each client sends: true cuts its connection when the answer comes, so that the server did it and the client does not know. */
  cutAnswer: (sent: Buffer) => boolean
  cutAll(): void
  close(): Promise<void>
}

/** Both ends on 127.0.0.1. */
export async function startTcpRelay(target: number): Promise<TcpRelay> {
  const open = new Set<Socket>()
  // Else a small message waits 40 ms for the other end's word about the one before.
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: relay.target, host: '127.0.0.1', noDelay: true })
    let isCut = false
    near.on('data', (sent: Buffer) => {
      isCut ||= relay.cutAnswer(sent)
    })
    far.on('data', () => void (isCut && near.destroy()))
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      from.pipe(to)
      from.on('error', () => undefined)
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cutAll = (): void => {
    for (const socket of open) socket.destroy()
  }
  const relay: TcpRelay = {
    port: (server.address() as AddressInfo).port,
    target,
    cutAnswer: () => false,
    cutAll,
    async close() {
      cutAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return relay
}
