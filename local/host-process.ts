// Starts the Functions host as a process of its own and waits until it answers.
import { type ChildProcess, fork } from 'node:child_process'
import { LocalError } from './local-error.ts'
import type { HostMessage, HostOrder } from './host/main.ts'

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
  readonly env: Readonly<Record<string, string>>
  /** File descriptor for everything that host and app print; default: this process's own output. */
  readonly output?: number
}

/** @throws LocalError with the host's own sentence */
export async function startHostProcess({ env, output, ...order }: HostProcessOptions): Promise<HostProcess> {
  const child = fork(new URL('./host/main.ts', import.meta.url), [JSON.stringify(order)], {
    detached: true,
    env: { ...env, ...process.env, ...pick(env) },
    stdio: ['ignore', output ?? 'inherit', output ?? 'inherit', 'ipc'],
  })
  const ended = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(`The host ended with ${signal ?? code}.`)),
  )
  const ready = await firstMessage(child, ended)
  return {
    ...ready,
    pid: child.pid ?? 0,
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

/** Variables that the launcher decides: addresses of what it started. Anything else that is already set wins. */
function pick(env: Readonly<Record<string, string>>): Record<string, string> {
  const own = ['DATABASE_URL', 'AzureWebJobsStorage', 'WEBSITE_HOSTNAME']
  return Object.fromEntries(own.flatMap((k) => (env[k] === undefined ? [] : [[k, env[k]]])))
}

function firstMessage(
  child: ChildProcess,
  ended: Promise<string>,
): Promise<{ url: string; functions: readonly string[]; workerPid: number }> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: HostMessage) => {
      if ('ready' in message) resolve(message.ready)
      else reject(new LocalError(message.failed))
    })
    void ended.then((reason) => reject(new LocalError(`${reason} See its log.`)))
  })
}
