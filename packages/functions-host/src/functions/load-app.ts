// Loads an app as the Functions worker does: every match of package.json's `main`, ESM or CJS, then the start hooks.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Server } from 'node:net'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import util from 'node:util'
import type { CoreState } from './core-module.ts'

const DEFAULT_CAPABILITIES = Object.fromEntries(
  [
    'RawHttpBodyBytes',
    'RpcHttpTriggerMetadataRemoved',
    'RpcHttpBodyOnly',
    'IgnoreEmptyValuedRpcHttpHeaders',
    'UseNullableValueDictionaryForHttp',
    'WorkerStatus',
    'TypedDataCollection',
    'HandlesWorkerTerminateMessage',
  ].map((name) => [name, 'true']),
)

/** @throws Error `Worker was unable to load entry point "<file>": <message>` */
export async function loadApp(
  folder: string,
  state: CoreState,
  warn: (message: string) => void,
): Promise<{ readonly httpUri: string | undefined }> {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { main?: string; type?: string }
  const pattern = manifest.main ?? 'index.js'
  checkDurable(folder, warn)
  const files = entryFiles(folder, pattern)
  for (const file of files) await loadFile(folder, file, manifest.type === 'module')
  if (state.functions.size === 0 || !state.model) {
    const old = globSync('*/function.json', { cwd: folder }).length > 0
    throw new Error(
      `Worker was unable to load entry point "${pattern}": it registered no function${old ? '; function.json files belong to the programming model before version 4, which this host does not run' : ''}`,
    )
  }
  for (const hook of state.hooks.appStart) await hook({ hookData: {} })
  const restore = listenOnLoopbackOnly()
  const capabilities = await state.model.getCapabilities?.({ ...DEFAULT_CAPABILITIES })
  restore()
  state.started = true
  return { httpUri: capabilities?.['HttpUri'] }
}

/** The files of the entry point, in order. @throws Error naming files of the old programming model where there is nothing else */
function entryFiles(folder: string, pattern: string): readonly string[] {
  const files = globSync(pattern, { cwd: folder }).sort()
  if (files.length > 0) return files
  const old = globSync('*/function.json', { cwd: folder })
  const hint =
    old.length > 0
      ? `. ${old.join(', ')} belong to the programming model before version 4, which this host does not run: register functions in code (@azure/functions 4)`
      : ''
  throw new Error(`Worker was unable to load entry point "${pattern}": no file matches${hint}`)
}

async function loadFile(folder: string, file: string, isModule: boolean): Promise<void> {
  const path = resolve(folder, file)
  try {
    if (file.endsWith('.mjs') || (isModule && !file.endsWith('.cjs'))) await import(pathToFileURL(path).href)
    else createRequire(pathToFileURL(path))(path)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    throw new Error(`Worker was unable to load entry point "${file}": ${text}`, { cause: error })
  }
}

/** durable-functions 4 speaks another protocol (gRPC) with the host; before 3.3.1 its timers fail from Node 23 on. */
function checkDurable(folder: string, warn: (message: string) => void): void {
  const path = createRequire(join(folder, 'package.json'))
    .resolve.paths('durable-functions')
    ?.map((modules) => join(modules, 'durable-functions', 'package.json'))
    .find((file) => existsSync(file))
  const version = path ? (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version : '3'
  const [major = 3, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  const usesIsDate = major === 3 && (minor < 3 || (minor === 3 && patch === 0))
  if (path && usesIsDate && !('isDate' in util))
    warn(
      `durable-functions ${version} fails on Node ${process.version} as soon as an orchestrator calls createTimer: util.isDate is gone since Node 23. npm install durable-functions@3.5.0, or run on Node 22.`,
    )
  if (major >= 4)
    throw new Error(
      `durable-functions ${version} is not supported by the local host: it works with version 3 (npm install durable-functions@3.5.0).`,
    )
}

/** The library's stream proxy names no address and would listen on all of them. */
function listenOnLoopbackOnly(): () => void {
  const prototype = Server.prototype as unknown as { listen: (this: Server, ...args: unknown[]) => Server }
  const { listen } = prototype
  prototype.listen = function (...args) {
    const callback = args.find((a) => typeof a === 'function')
    const port = typeof args[0] === 'number' ? args[0] : 0
    const named = typeof args[1] === 'string' || (typeof args[0] === 'object' && args[0] !== null)
    return named ? listen.apply(this, args) : listen.call(this, port, '127.0.0.1', ...(callback ? [callback] : []))
  }
  return () => {
    prototype.listen = listen
  }
}
