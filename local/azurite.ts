// Azurite's blob service on a loopback port.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, tryPort } from './free-port.ts'
import { LocalError } from './local-error.ts'

export interface LocalAzurite {
  readonly connectionString: string
  readonly port: number
  readonly pid: number
  readonly ended: Promise<string>
  stop(): Promise<void>
}

const ACCOUNT = 'devstoreaccount1'
/** The published key, of an Azurite that the user runs (`UseDevelopmentStorage=true`). Ours has a key of its own. */
const PUBLISHED_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const KEY_FILE = 'account-key'

/** The connection string of an Azurite on this machine. */
export const azuriteConnection = (port: number, key = PUBLISHED_KEY, protocol = 'http'): string =>
  `DefaultEndpointsProtocol=${protocol};AccountName=${ACCOUNT};AccountKey=${key};BlobEndpoint=${protocol}://127.0.0.1:${port}/${ACCOUNT};`

/** Random, once for a data folder: with the published one every program and web page on the machine could read and write. */
async function accountKey(folder: string): Promise<string> {
  const file = join(folder, KEY_FILE)
  const old = await readFile(file, 'utf8').catch(() => undefined)
  if (old) return old
  const key = randomBytes(64).toString('base64')
  await writeFile(file, key, { mode: 0o600, flag: 'wx' })
  return key
}

export interface AzuriteOptions {
  readonly folder: string
  readonly port?: number
  readonly inMemory?: boolean
  /** Files of certificate and key: speaks TLS only, and takes tokens beside the account key. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** Another process may take the port between the look and the bind: then another port is tried. @throws LocalError */
export async function startAzurite(options: AzuriteOptions): Promise<LocalAzurite> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(options, await freePort(tries === 1 ? options.port : undefined))
    } catch (error) {
      if (tries === 3 || !/EADDRINUSE/.test(String(error))) throw error
    }
  }
}

function flagsOf(options: AzuriteOptions, port: number): string[] {
  const { tls } = options
  const data = options.inMemory ? ['--inMemoryPersistence'] : ['--location', options.folder]
  return [
    '--silent',
    '--blobHost',
    '127.0.0.1',
    '--blobPort',
    String(port),
    // It speaks older API versions than new SDKs ask for; telemetry is on by default.
    '--skipApiVersionCheck',
    '--disableTelemetry',
    // Else a host name chosen by the caller could name the account.
    '--disableProductStyleUrl',
    ...(tls ? ['--oauth', 'basic', '--cert', tls.cert, '--key', tls.key] : []),
    ...data,
  ]
}

async function attempt(options: AzuriteOptions, port: number): Promise<LocalAzurite> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  const key = await accountKey(options.folder)
  const child = fork(new URL('./azurite-child.ts', import.meta.url), flagsOf(options, port), {
    detached: true,
    cwd: options.folder,
    env: { ...process.env, AZURITE_ACCOUNTS: `${ACCOUNT}:${key}` },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let text = ''
  child.stderr?.on('data', (d: Buffer) => (text = (text + d.toString()).slice(-2000)))
  const ended = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(`Azurite ended with ${signal ?? code}. ${text.trim()}`)),
  )
  let gone: string | undefined
  void ended.then((reason) => (gone = reason))
  while ((await tryPort(port)) !== undefined) {
    if (gone !== undefined) throw new LocalError(`Azurite did not start: ${gone}`)
    await new Promise((r) => setTimeout(r, 25))
  }
  return {
    connectionString: azuriteConnection(port, key, options.tls ? 'https' : 'http'),
    port,
    pid: child.pid ?? 0,
    ended,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      if (child.connected) child.send('stop')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(timer)
    },
  }
}
