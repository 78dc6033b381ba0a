// Free ports on the loopback interface.
import { createServer } from 'node:net'

/** The preferred port when nobody listens there, else any free one. */
export async function freePort(preferred?: number): Promise<number> {
  return (preferred ? await tryPort(preferred) : undefined) ?? (await tryPort(0)) ?? Promise.reject(new Error('no free port'))
}

/** The port that could be bound, or undefined. 0 means any. */
export function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
    })
  })
}
