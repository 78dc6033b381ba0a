// Child process that owns the Postgres server: stops it when told, and when its parent is gone (also after kill -9).
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { boundedLog } from './bounded-log.ts'
import type { KeeperMessage, KeeperOrder } from './postgres.ts'

const order = JSON.parse(process.argv[2] ?? '{}') as KeeperOrder
const bin = (name: string): string => join(order.binaries.folder, 'bin', name)
const data = join(order.data, 'pgdata')
const identity = order.binaries.runAs ? { uid: order.binaries.runAs.uid, gid: order.binaries.runAs.gid } : {}
// LC_ALL=C and an own environment: a broken locale or PG* variables of the caller must not reach initdb or the server.
const environment = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }

const tell = (message: KeeperMessage): void => void (process.connected && process.send?.(message))

function run(name: string, args: readonly string[]): Promise<void> {
  const child = spawn(bin(name), args, { ...identity, cwd: '/', env: environment, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.on('data', (d: Buffer) => (text += d.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${name}: ${text.trim().split('\n').slice(-3).join(' ')}`)),
    )
  })
}

async function initialise(): Promise<void> {
  if (
    await access(join(data, 'PG_VERSION')).then(
      () => true,
      () => false,
    )
  )
    return
  await run('initdb', [
    '-D',
    data,
    '-U',
    'lamplighter',
    '--auth=scram-sha-256',
    `--pwfile=${order.passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ])
}

function serve(): ChildProcess {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(order.port),
    max_connections: '100',
    fsync: order.fsync ? 'on' : 'off',
    shared_buffers: '256MB',
    // Fewer full-page images: the default of 1 GB makes a checkpoint in the middle of a large job.
    max_wal_size: '4GB',
    // Starts, stops and crashes; not each statement that was refused.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
  }
  const args = Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])
  return spawn(bin('postgres'), ['-D', data, ...args], {
    ...identity,
    cwd: '/',
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/** A server that an earlier keeper left behind when it was killed: stopped before the data folder is used again. */
async function stopOrphan(): Promise<void> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number(text.split('\n')[0])
  for (const signal of ['SIGINT', 'SIGINT', 'SIGKILL'] as const) {
    if (!pid || !commandOf(pid).includes(data)) return
    process.kill(pid, signal)
    for (let i = 0; i < 30 && commandOf(pid) !== ''; i++) await new Promise((r) => setTimeout(r, 100))
  }
}

function commandOf(pid: number): string {
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
}

/**
 * Ready = the server asks for a password. SSLRequest would be answered during crash recovery too, while every session is
 * still refused with 57P03 (the database system is starting up).
 */
function acceptsSessions(): Promise<boolean> {
  const parameters = Buffer.from('user\0lamplighter\0database\0postgres\0\0')
  const startup = Buffer.alloc(8)
  startup.writeInt32BE(startup.length + parameters.length)
  startup.writeInt32BE(3 << 16, 4)
  return new Promise((resolve) => {
    const socket = connect(order.port, '127.0.0.1', () => socket.write(Buffer.concat([startup, parameters])))
    socket.once('data', (first: Buffer) => (socket.destroy(), resolve(first[0] === 'R'.charCodeAt(0))))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

async function main(): Promise<void> {
  await stopOrphan()
  await initialise()
  const server = serve()
  let text = ''
  let stopping = false
  const log = order.logFile === undefined ? undefined : boundedLog(order.logFile)
  let isReady = false
  server.stderr?.on('data', (d: Buffer) => {
    log?.(d)
    if (!isReady) text = (text + d.toString()).slice(-4000)
  })
  const stop = (): void => {
    stopping = true
    // SIGINT is Postgres' fast shutdown: it ends sessions instead of waiting for them.
    server.kill('SIGINT')
  }
  process.on('message', stop)
  process.on('disconnect', stop)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
  server.once('error', (e) => (tell({ failed: e.message }), process.exit(1)))
  server.once('exit', (code, signal) => {
    // What it said at its start explains a failed start; later the log does, and an old line would mislead.
    const why = isReady ? (order.logFile ? ` Its log: ${order.logFile}` : '') : ` ${text.trim().split('\n').slice(-2).join(' ')}`
    const reason = `Postgres ended with ${signal ?? code}.${why}`
    if (!stopping) tell({ failed: reason })
    if (!stopping) tell({ ended: reason })
    process.exit(stopping ? 0 : 1)
  })
  while (!(await acceptsSessions())) await new Promise((r) => setTimeout(r, 20))
  isReady = true
  tell({ ready: true })
  if (!process.connected) stop()
}

main().catch((error: Error) => {
  tell({ failed: error.message })
  process.exit(1)
})
