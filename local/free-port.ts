// Free ports on the loopback interface.
import { createServer } from 'node:net'

/** Ports handed out by this process: one that was just released may be offered again before its user has bound it. */
const given = new Set<number>()

/** The preferred port when nobody listens there, else any free one; never one that was handed out before. */
export async function freePort(preferred?: number): Promise<number> {
  const wanted = preferred && !given.has(preferred) ? await tryPort(preferred) : undefined
  for (let port = wanted ?? (await tryPort(0)); port !== undefined; port = await tryPort(0)) {
    if (given.has(port)) continue
    given.add(port)
    return port
  }
  throw new Error('no free port on 127.0.0.1')
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
