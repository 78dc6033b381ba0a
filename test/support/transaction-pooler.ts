// A pooler in transaction mode, as PgBouncer is one: between two transactions a client has no server of its own.
// It hands each transaction to another server connection than the one before, so that whatever relies on a session breaks.
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import pg from 'pg'

export interface TransactionPooler {
  readonly url: string
  /** What a pooler in transaction mode does not allow, as it was seen. */
  readonly violations: readonly string[]
  readonly transactions: number
  /** Server connections that carried transactions of one client, most. */
  readonly mostServersOfOneClient: number
  close(): Promise<void>
}

interface Server {
  readonly stream: Socket
  client: Client | undefined
}
interface Client {
  readonly socket: Socket
  server: Server | undefined
  waiting: Buffer[]
  readonly servers: Set<Server>
}

const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

/**
 * @param servers connections to Postgres, fewer than clients
 * @param port where it listens; default any free one
 */
export async function startTransactionPooler(databaseUrl: string, servers: number, port = 0): Promise<TransactionPooler> {
  const pool = await Promise.all(Array.from({ length: servers }, () => connect(databaseUrl)))
  const violations: string[] = []
  const queue: Client[] = []
  const sockets = new Set<Socket>()
  let turn = 0
  let transactions = 0
  let most = 0

  const free = (): Server | undefined => {
    for (let i = 0; i < pool.length; i++) {
      const server = pool[turn++ % pool.length]
      if (server && !server.client) return server
    }
    return undefined
  }
  const assign = (client: Client): void => {
    const server = free()
    if (!server) {
      if (!queue.includes(client)) queue.push(client)
      return
    }
    server.client = client
    client.server = server
    client.servers.add(server)
    most = Math.max(most, client.servers.size)
    transactions++
    for (const message of client.waiting.splice(0)) server.stream.write(message)
  }
  const release = (server: Server): void => {
    if (server.client) server.client.server = undefined
    server.client = undefined
    const next = queue.shift()
    if (next) assign(next)
  }
  for (const server of pool) {
    // Whole messages only: the ready message with the state of the transaction tells when the server is free.
    onMessages(server.stream, (type, whole) => {
      server.client?.socket.write(whole)
      if (type === 'Z' && whole[5] === 0x49) release(server)
    })
  }

  // Else a small message waits 40 ms for the client's word about the one before.
  const listener = createServer({ noDelay: true }, (socket) => {
    const client: Client = { socket, server: undefined, waiting: [], servers: new Set() }
    greet(socket, () =>
      onMessages(socket, (type, whole) => {
        const seen = forbidden(type, whole)
        if (seen) violations.push(seen)
        if (type === 'X') socket.end()
        else if (client.server) client.server.stream.write(whole)
        else {
          client.waiting.push(whole)
          assign(client)
        }
      }),
    )
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      const at = queue.indexOf(client)
      if (at >= 0) queue.splice(at, 1)
    })
  })
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((listener.address() as AddressInfo).port)
  return {
    url: url.href,
    violations,
    get transactions() {
      return transactions
    },
    get mostServersOfOneClient() {
      return most
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      for (const server of pool) server.stream.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

/** An authenticated connection whose socket is taken over. */
async function connect(connectionString: string): Promise<Server> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => undefined)
  await client.connect()
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.removeAllListeners('data')
  return { stream, client: undefined }
}

/** The start-up of a client: no encryption, no password, at once ready. */
function greet(socket: Socket, then: () => void): void {
  socket.once('data', () => {
    const parameters = {
      server_version: '18.0',
      client_encoding: 'UTF8',
      DateStyle: 'ISO, MDY',
      integer_datetimes: 'on',
      standard_conforming_strings: 'on',
    }
    const status = Object.entries(parameters).map(([name, value]) => message('S', Buffer.from(`${name}\0${value}\0`)))
    then()
    socket.write(Buffer.concat([message('R', Buffer.alloc(4)), ...status, message('K', Buffer.alloc(8)), READY]))
  })
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function onMessages(socket: Socket, take: (type: string, whole: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 5 && rest.length >= 1 + rest.readInt32BE(1)) {
      const whole = rest.subarray(0, 1 + rest.readInt32BE(1))
      rest = rest.subarray(whole.length)
      take(String.fromCharCode(whole[0] ?? 0), whole)
    }
  })
}

/** Named statements, session settings, session locks, LISTEN: what is gone when the next transaction runs elsewhere. */
function forbidden(type: string, whole: Buffer): string | undefined {
  if (type !== 'P' && type !== 'Q') return undefined
  const [name = '', sql = ''] = type === 'P' ? whole.toString('utf8', 5).split('\0') : ['', whole.toString('utf8', 5)]
  if (name !== '') return `a named statement: ${name}`
  if (/^\s*(LISTEN|UNLISTEN|DISCARD|PREPARE|DEALLOCATE|LOAD)\b/i.test(sql)) return `session state: ${sql.slice(0, 80)}`
  if (/^\s*SET\s+/i.test(sql) && !/^\s*SET\s+LOCAL\s/i.test(sql)) return `a session setting: ${sql.slice(0, 80)}`
  if (/pg_(try_)?advisory_(lock|unlock)/i.test(sql)) return `a session lock: ${sql.slice(0, 80)}`
  return undefined
}
