// The `func` command line of this package as a process.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

export interface FuncRun {
  readonly child: ChildProcess
  readonly url: string
  /** Everything that it printed so far. */
  output(): string
  readonly ended: Promise<number | null>
}

export const FUNC = resolve(import.meta.dirname, '../../bin/func')

/** Resolves when it says that it is ready. @throws Error with what it printed when it ends before */
export function func(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<FuncRun> {
  const child = spawn(FUNC, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)))
  let text = ''
  return new Promise((done, refuse) => {
    const read = (data: Buffer): void => {
      text += data.toString()
      const url = /(http:\/\/localhost:\d+)\//.exec(text)?.[1] ?? ''
      if (text.includes('Host lock lease acquired')) done({ child, url, output: () => text, ended })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then((code) => refuse(new Error(`exit ${code}: ${text}`)))
  })
}

/** A throw-away app that finds this repository's packages. */
export function appOf(files: Readonly<Record<string, string>>, linked = true): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'functions-host-app-'))
  const all = { 'host.json': '{ "version": "2.0" }', 'package.json': '{ "main": "index.js" }', ...files }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  if (linked) symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
