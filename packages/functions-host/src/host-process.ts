// Starts the Functions host as a process of its own and waits until it answers.
import { type ChildProcess, fork } from 'node:child_process'
import { SMALL_YOUNG_GENERATION } from './functions/link.ts'
import type { HostMessage, HostOrder } from './main.ts'

/** Why the host did not start, as a sentence for whoever started it. */
export class HostStartError extends Error {}

export interface HostProcess {
  readonly url: string
  readonly pid: number
  readonly workerPid: number
  readonly functions: readonly string[]
  readonly ended: Promise<string>
  stop(): Promise<void>
  kill(): Promise<void>
}

export interface HostProcessOptions extends HostOrder {
  /** Defaults: a variable that is already set wins. */
  readonly env: Readonly<Record<string, string>>
  /** Addresses of what was started for this host: they always hold. */
  readonly started: Readonly<Record<string, string>>
  /** File descriptor for everything that host and app print; default: this process's own output. */
  readonly output?: number
}

/** @throws HostStartError with the host's own sentence */
export async function startHostProcess({ env, started, output, ...order }: HostProcessOptions): Promise<HostProcess> {
  const child = fork(new URL('./main.ts', import.meta.url), [JSON.stringify(order)], {
    detached: true,
    execArgv: [SMALL_YOUNG_GENERATION],
    env: { ...env, ...process.env, ...started },
    stdio: ['ignore', output ?? 'inherit', output ?? 'inherit', 'ipc'],
  })
  const ended = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(`The host ended with ${signal ?? code}.`)),
  )
  let worker = 0
  child.on('message', (message: HostMessage) => {
    if ('worker' in message) worker = message.worker
  })
  const ready = await readiness(child, ended)
  return {
    ...ready,
    pid: child.pid ?? 0,
    // Another one after each death.
    get workerPid() {
      return worker
    },
    ended,
    async stop() {
      if (child.connected) child.send('stop')
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function readiness(child: ChildProcess, ended: Promise<string>): Promise<{ url: string; functions: readonly string[] }> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: HostMessage) => {
      if ('ready' in message) resolve(message.ready)
      if ('failed' in message) reject(new HostStartError(message.failed))
    })
    void ended.then((reason) => reject(new HostStartError(`${reason} See its log.`)))
  })
}
