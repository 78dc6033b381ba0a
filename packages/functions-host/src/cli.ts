// The command line of Azure Functions Core Tools, as far as this host follows it: `func start`, `func host start`, `lhost start`.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readLocalSettings } from './config.ts'
import { WORKER_ARGUMENTS } from './functions/worker-arguments.ts'
import { type Host, type HostOptions, startHost } from './host.ts'
import { createLog } from './log.ts'
import { drainOnSignals } from './signals.ts'

const DEFAULT_PORT = 7071
const OPTIONS = {
  port: { type: 'string', short: 'p' },
  host: { type: 'string' },
  'script-root': { type: 'string' },
  seed: { type: 'string' },
  batch: { type: 'string' },
  grace: { type: 'string' },
  traps: { type: 'string' },
  functions: { type: 'string', multiple: true },
  verbose: { type: 'boolean' },
  'inline-worker': { type: 'boolean' },
  'enable-auth': { type: 'boolean' },
  enableAuth: { type: 'boolean' },
  useHttps: { type: 'boolean' },
  version: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
} as const
/** Flags of the real tools that mean nothing here. */
const IGNORED = new Set(
  `--no-build --build --language-worker --cors --cors-credentials --timeout --debug --pause-on-error --dotnet-isolated-debug
  --enable-json-output --json-output-file --runtime --javascript --typescript --node`.split(/\s+/),
)

/** Those of them that take a value. */
const WITH_VALUE = new Set(['--cors', '--timeout', '--json-output-file', '--runtime'])

const HELP = `func start [options] [--language-worker -- ARGUMENTS]: runs the app of this folder on the local host

  --port, -p N          port (default 7071, or Host.LocalHttpPort of local.settings.json; 0: any free one)
  --script-root DIR     folder of the app (default: this one)
  --host ADDRESS        address to listen on (default 127.0.0.1); others need --enable-auth
  --enable-auth         keys are asked for, as on Azure
  --functions A B       only these
  --language-worker -- ARGUMENTS   of the worker's Node, e.g. --inspect=127.0.0.1:9229
  --traps off|warn|error           what happens when code breaks a rule of Durable Functions (default warn)
  --grace SECONDS       how long running functions may end (default 10)
  --seed N, --batch N   order and size of message batches, for tests
  --inline-worker       no process of its own for the app
  --verbose, --version, --help`

/** Splits off what is meant for the worker's Node, and drops flags that mean nothing here, with their values. */
function takeKnown(argv: readonly string[]): { own: string[]; ignored: string[]; worker: string[] } {
  const end = argv.indexOf('--')
  const [before, worker] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end + 1)]
  const own: string[] = []
  const ignored: string[] = []
  for (let i = 0; i < before.length; i++) {
    const arg = before[i] ?? ''
    if (arg === '--language-worker' && end >= 0) continue
    if (!IGNORED.has(arg.split('=')[0] ?? '')) own.push(arg)
    else {
      ignored.push(arg)
      const value = before[i + 1]
      if (WITH_VALUE.has(arg) && value !== undefined && !value.startsWith('-')) ignored.push(before[++i] ?? '')
    }
  }
  return { own, ignored, worker: [...worker] }
}

/** A sentence for the terminal. */
class UsageError extends Error {}

/** Runs the command line; ends the process. */
export async function runCli(argv: readonly string[]): Promise<void> {
  try {
    const args = readArguments(argv)
    if (args.help) console.log(HELP)
    else if (args.version) console.log('4.0.0')
    else await start(args)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exit(1)
  }
}

interface Arguments {
  readonly help: boolean
  readonly version: boolean
  readonly verbose: boolean
  readonly port: number | undefined
  readonly options: Omit<HostOptions, 'port' | 'log'>
}

function readArguments(argv: readonly string[]): Arguments {
  const { own, ignored, worker } = takeKnown(argv)
  if (worker.length > 0) process.env[WORKER_ARGUMENTS] = `${process.env[WORKER_ARGUMENTS] ?? ''} ${worker.join(' ')}`.trim()
  if (ignored.length > 0) console.log(`Accepted and without effect here: ${ignored.join(' ')}`)
  const { values, positionals } = parseArgs({
    args: spreadFunctions(own),
    options: OPTIONS,
    allowPositionals: true,
  })
  const command = positionals.join(' ')
  if (!values.version && !values.help && command !== 'start' && command !== 'host start')
    throw new UsageError(
      `Unknown command '${command}'. Use: func start [--port N] [--script-root DIR] [--verbose], or func --help`,
    )
  if (values.useHttps) throw new UsageError('--useHttps is not supported: this host speaks HTTP on loopback addresses only.')
  const traps = values.traps ?? 'warn'
  if (traps !== 'off' && traps !== 'warn' && traps !== 'error')
    throw new UsageError(`--traps is off, warn or error, not '${traps}'.`)
  const [seed, maxBatch] = [numberOf('seed', values.seed, 0), numberOf('batch', values.batch, 1)]
  return {
    help: values.help ?? false,
    version: values.version ?? false,
    verbose: values.verbose ?? false,
    port: numberOf('port', values.port, 0),
    options: {
      folder: resolve(values['script-root'] ?? '.'),
      host: values.host ?? '127.0.0.1',
      graceMs: (numberOf('grace', values.grace, 0) ?? 10) * 1000,
      traps,
      only: values.functions ?? [],
      inline: values['inline-worker'] ?? false,
      enforceKeys: values['enable-auth'] ?? values.enableAuth ?? false,
      ...(seed === undefined ? {} : { seed }),
      ...(maxBatch === undefined ? {} : { maxBatch }),
    },
  }
}

function numberOf(name: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text) || Number(text) < min) throw new UsageError(`--${name} takes a number from ${min} on, not '${text}'.`)
  return Number(text)
}

/** `--functions a b` → `--functions=a --functions=b` */
function spreadFunctions(argv: readonly string[]): string[] {
  const spread: string[] = []
  let inList = false
  for (const arg of argv) {
    if (arg === '--functions') inList = true
    else if (arg.startsWith('-')) {
      inList = false
      spread.push(arg)
    } else spread.push(inList ? `--functions=${arg}` : arg)
  }
  return spread
}

/** The host, and so the app, runs on the caller's Node where that can run TypeScript. */
function whichNode({ LHOST_NODE_ON_PATH: other } = process.env): string {
  const why = other ? `the one of npm ci: ${other}, which is on PATH, cannot run the host` : 'the one on PATH'
  return `The app runs on Node ${process.version} (${why}).`
}

async function start({ options, port: wanted, verbose }: Arguments): Promise<void> {
  const settings = readLocalSettings(options.folder)
  const port = wanted ?? settings.port ?? DEFAULT_PORT
  const defaults = {
    ...settings.values,
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    FUNCTIONS_WORKER_RUNTIME: 'node',
    FUNCTIONS_EXTENSION_VERSION: '~4',
    WEBSITE_HOSTNAME: `localhost:${port}`,
  }
  // A variable that is already set wins over everything.
  for (const [name, value] of Object.entries(defaults)) process.env[name] ??= value
  const log = createLog(verbose)
  console.log(whichNode())
  if (settings.hasCors)
    log('warning', 'Host.CORS of local.settings.json is ignored: this host answers every origin of this machine.')
  const began = Date.now()
  const host = await startHost({ ...options, port, log })
  const stop = drainOnSignals(host, log, ['SIGINT', 'SIGTERM', 'SIGHUP'])
  // Started by a wrapper that is gone.
  if (process.connected) process.on('disconnect', stop)
  printReady(host, verbose, Date.now() - began)
}

/** The texts that tools around `func` wait for, in their order. */
function printReady(host: Host, verbose: boolean, ms: number): void {
  const stamp = (): string => `[${new Date().toISOString()}]`
  const lines = [`${stamp()} Worker process started and initialized.`, '', 'Functions:', '']
  for (const { name, kind, methods, url } of host.describe())
    lines.push(`\t${name}: ${url ? `[${methods.join(',')}] ${url}` : kind}`, '')
  lines.push('For detailed output, run func with --verbose flag.')
  if (verbose) lines.push(`${stamp()} Host started (${ms}ms)`)
  lines.push(`${stamp()} Host lock lease acquired by instance ID '${host.id}'.`)
  console.log(lines.join('\n'))
}
