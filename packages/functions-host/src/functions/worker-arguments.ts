// What Node gets on its command line besides the worker: `languageWorkers__node__arguments`, as on Azure.
import type { Env } from '../config.ts'

const NAME = /^languageWorkers(?:__|:)node(?:__|:)arguments$/i
export const WORKER_ARGUMENTS = 'languageWorkers__node__arguments'

/** A piece may stand in double quotes. */
const split = (text: string): string[] => [...text.matchAll(/(?:"[^"]*"|\S)+/g)].map(([piece]) => piece.replaceAll('"', ''))

const given = (env: Env): string => Object.entries(env).find(([name]) => NAME.test(name))?.[1] ?? ''

/** Arguments of the worker's Node, e.g. `--inspect=127.0.0.1:9229`. */
export const workerArguments = (env: Env): string[] => split(given(env))

/** The setting with one argument more, unless it says something about that already. */
export function withWorkerArgument(env: Env, argument: string): string {
  const [name = ''] = argument.split('=')
  const has = workerArguments(env).some((a) => a.split('=')[0] === name)
  return has ? given(env) : `${given(env)} ${argument}`.trim()
}
