// `npm start`, `npm run demo`, `upload`, `doctor`, `reset`: a laptop's cloud from one command.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freshApp } from './build-app.ts'
import { AppError } from '../src/rules/errors.ts'
import { announcement } from './announce.ts'
import { type BackendOptions, type Backends, checkPort, startBackends, startHost } from './cloud.ts'
import { runDemo } from './demo/demo.ts'
import { doctor } from './doctor/doctor.ts'
import { freePort } from './free-port.ts'
import { type HostProcess, HostStartError, readKeys } from 'functions-host'
import { LocalError } from './local-error.ts'
import { dataHome, reset } from './data-home.ts'
import { liveRun, recordEnd, recordRun, runProcess, takeLock } from './run-lock.ts'
import { describeUpload, uploadFolder } from './upload.ts'

const DEFAULT_PORT = 7071

interface Options {
  readonly port: number | undefined
  readonly host: string | undefined
  readonly graceMs: number
  readonly log: 'text' | 'json'
  readonly enableAuth: boolean
}

interface Cloud {
  readonly url: string
  /** Resolves with a reason when a part ends by itself. */
  readonly broken: Promise<string>
  stop(): Promise<void>
}

/** Both at once: the bundle takes as long as Postgres. */
async function backendsAndApp(options: BackendOptions): Promise<Backends> {
  const [backends, app] = await Promise.allSettled([startBackends(options), freshApp()])
  if (backends.status === 'rejected') throw backends.reason
  if (app.status === 'fulfilled') return backends.value
  await backends.value.stop()
  throw app.reason
}

async function startCloud(options: Options, logFile?: string): Promise<Cloud> {
  const home = dataHome()
  const last = await takeLock(home)
  // Told before anything is started; asked again when the host is.
  await checkPort(options.port ?? DEFAULT_PORT)
  const backends = await backendsAndApp({ home, ...(last ? { ports: last.ports } : {}) })
  let host: HostProcess
  try {
    host = await startHost(backends, {
      port: options.port ?? DEFAULT_PORT,
      graceMs: options.graceMs,
      stateFolder: home,
      enforceKeys: options.enableAuth,
      env: { LHOST_LOG_FORMAT: options.log, LOG_FORMAT: options.log },
      ...(options.host ? { host: options.host } : {}),
      ...(logFile ? { logFile } : {}),
    })
  } catch (error) {
    await backends.stop()
    throw error
  }
  record(home, host, backends)
  const broken = Promise.race([host.ended, ...[backends.postgres?.ended, backends.azurite?.ended].filter((p) => p !== undefined)])
  return {
    url: host.url,
    broken,
    async stop() {
      await host.stop()
      await backends.stop()
      recordEnd(home)
    },
  }
}

function record(home: string, host: HostProcess, { postgres, azurite, databaseUrl }: Backends): void {
  const processes = [runProcess('launcher', process.pid), runProcess('host', host.pid), runProcess('worker', host.workerPid)]
  if (azurite) processes.push(runProcess('azurite', azurite.pid))
  if (postgres) processes.push(runProcess('postgres', postgres.keeperPid))
  recordRun(home, {
    url: host.url,
    ports: { ...(postgres ? { postgres: postgres.port } : {}), ...(azurite ? { azurite: azurite.port } : {}) },
    processes,
    connections: { ...(postgres ? { postgres: databaseUrl } : {}), ...(azurite ? { storage: azurite.connectionString } : {}) },
  })
}

/** First signal: orderly end. Second: at once. Children notice the closed channel and end by themselves. */
function onSignal(stop: () => Promise<void>): () => boolean {
  let asked = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1)
      asked = true
      console.error('\nStopping …')
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
  }
  return () => asked
}

async function start(options: Options): Promise<void> {
  const cloud = await startCloud(options)
  const isStopping = onSignal(() => cloud.stop())
  const home = dataHome()
  const keys = options.enableAuth ? readKeys(join(home, 'keys.json')) : undefined
  console.log(announcement({ url: cloud.url, connections: liveRun(home)?.connections, keys }, options.log === 'json'))
  const reason = await cloud.broken
  // An asked-for end exits by itself; this one was not asked for.
  if (isStopping()) return
  console.error(`${reason}\nNothing is lost: jobs go on where they stood after the next npm start.`)
  await cloud.stop()
  process.exit(1)
}

async function demo(options: Options, folder: string | undefined): Promise<void> {
  const home = dataHome()
  const running = liveRun(home)
  const logFile = join(home, 'logs', 'demo.log')
  // The demo must not fail because something else has 7071; where it is free, the printed links fit a later `npm start`.
  const port = options.port ?? (await freePort(DEFAULT_PORT))
  const cloud = running ? undefined : await startCloud({ ...options, port, log: 'json' }, logFile)
  if (cloud) onSignal(() => cloud.stop())
  try {
    const url = running?.url ?? cloud?.url ?? ''
    process.exitCode = await Promise.race([
      runDemo({
        url,
        home,
        folder,
        storage: process.env['AzureWebJobsStorage'] || liveRun(home)?.connections?.storage,
        stays: running !== undefined,
      }),
      ...(cloud ? [cloud.broken.then((reason) => Promise.reject(new LocalError(`${reason} See ${logFile}.`)))] : []),
    ])
  } finally {
    await cloud?.stop()
  }
}

async function upload(folder: string | undefined, target: string | undefined): Promise<void> {
  if (folder === undefined) throw new LocalError('Which folder? npm run upload -- ./my-rasters [container/prefix]')
  const run = liveRun(dataHome())
  const storage = run?.connections?.storage ?? process.env['AzureWebJobsStorage']
  if (!run || !storage) throw new LocalError('Nothing is running here. Start it first: npm start')
  const uploaded = await uploadFolder(storage, folder, target)
  console.log(describeUpload(uploaded, run.url))
  if (uploaded.refused.length > 0) process.exitCode = 1
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: 'string', short: 'p' },
      host: { type: 'string' },
      grace: { type: 'string', default: '10' },
      url: { type: 'string' },
      log: { type: 'string', default: process.stdout.isTTY ? 'text' : 'json' },
      json: { type: 'boolean', default: false },
      'enable-auth': { type: 'boolean', default: false },
    },
  })
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65_535))
    throw new LocalError(`--port ${values.port} is not a port number (0 to 65535).`)
  const { log } = values
  if (log !== 'text' && log !== 'json') throw new LocalError(`--log ${log} is not known. Known: text, json.`)
  const options: Options = {
    port,
    host: values.host,
    graceMs: Number(values.grace) * 1000,
    log,
    enableAuth: values['enable-auth'],
  }
  const [command = 'start', argument, target] = positionals
  if (command === 'start') return start(options)
  if (command === 'demo') return demo(options, argument)
  if (command === 'upload') return upload(argument, target)
  if (command === 'doctor') return void (process.exitCode = await doctor({ url: values.url, json: values.json }))
  if (command === 'reset') return console.log(`Removed ${reset()}`)
  throw new LocalError(`Unknown command ${command}. Known: start, demo, upload, doctor, reset.`)
}

main().catch((error: unknown) => {
  // These are sentences for the terminal; anything else is a defect and shows its stack.
  console.error(
    error instanceof LocalError || error instanceof HostStartError || error instanceof AppError ? error.message : error,
  )
  process.exit(1)
})
