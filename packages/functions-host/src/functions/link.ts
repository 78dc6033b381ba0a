// One living worker: a forked process, or this process for unit tests and benches.
import { type ChildProcess, fork } from 'node:child_process'
import type { FromWorker, ToWorker } from './protocol.ts'
import { workerArguments } from './worker-arguments.ts'

export interface WorkerEvents {
  readonly onMessage: (message: FromWorker) => void
  readonly onEnd: (code: number | null, signal: string | null) => void
}

export interface WorkerLink {
  readonly pid: number | undefined
  /** False while its channel is full; `sent` is called when the message has left. */
  send(message: ToWorker, sent: () => void): boolean
  kill(signal: NodeJS.Signals): void
}

/** Short-lived payloads would let the heap grow to hundreds of megabytes before they are collected. */
export const SMALL_YOUNG_GENERATION = '--max-semi-space-size=16'

/**
 * Pages of listings pass through in tens of megabytes; left alone, V8 lets the heap grow to four times what is alive before it collects.
 * 30,000 blobs listed: 278 MB at most instead of 429, in the same time. In Azure: `languageWorkers__node__arguments`.
 */
const SLOW_HEAP_GROWTH = '--heap-growing-percent=20'

export interface WorkerOrder {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  /** File descriptor for what it prints; default: this process's own output. */
  readonly output: number | 'inherit' | undefined
}

/** A process of its own: whatever user code does, the host lives on. */
export function forkWorker({ folder, env, output = 'inherit' }: WorkerOrder, { onMessage, onEnd }: WorkerEvents): WorkerLink {
  const child: ChildProcess = fork(new URL('./worker.ts', import.meta.url), [folder], {
    cwd: folder,
    env,
    serialization: 'advanced',
    execArgv: ['--enable-source-maps', SMALL_YOUNG_GENERATION, SLOW_HEAP_GROWTH, ...workerArguments(env)],
    stdio: ['ignore', output, output, 'ipc'],
  })
  child.on('message', onMessage)
  child.once('exit', onEnd)
  return {
    pid: child.pid,
    send: (message, sent) => (child.connected ? child.send(message, () => sent()) : (sent(), true)),
    kill: (signal) => void child.kill(signal),
  }
}

/** The worker inside this process: no crash isolation, and the app is loaded once only. */
export function inlineWorker(folder: string, { onMessage }: WorkerEvents): WorkerLink {
  const started = import('./worker-core.ts').then(({ startWorkerCore }) => startWorkerCore(folder, onMessage))
  return {
    pid: undefined,
    send: (message, sent) => {
      void started.then((receive) => receive(message)).then(sent)
      return true
    },
    kill: () => undefined,
  }
}
