// What the processes of a test print: kept in one file, so that whoever runs the tests sees it only where one fails.
import { fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Of a long output the end tells more. */
const MOST = 64 * 1024

let file: number | undefined
let taken = 0

/** A file descriptor for `output` of hosts, the same for all of this process. */
export function keptOutput(): number {
  if (file !== undefined) return file
  const folder = mkdtempSync(join(tmpdir(), 'functions-host-output-'))
  file = openSync(join(folder, 'output'), 'a+', 0o600)
  // The open file is all that anybody needs: nothing stays behind, also after a kill.
  rmSync(folder, { recursive: true })
  return file
}

/** Waits for a start; of one that fails before any test does, the error tells what was printed. */
export async function tellingOutput<T>(start: Promise<T>): Promise<T> {
  try {
    return await start
  } catch (error) {
    if (error instanceof Error) error.message += `\n${takeOutput()}`.trimEnd()
    throw error
  }
}

/** What was printed since the last call. */
export function takeOutput(): string {
  if (file === undefined) return ''
  const { size } = fstatSync(file)
  const text = Buffer.alloc(Math.min(size - taken, MOST))
  readSync(file, text, 0, text.length, size - text.length)
  taken = size
  return text.toString()
}

/** Everything that was printed so far. */
export function allOutput(): string {
  if (file === undefined) return ''
  const text = Buffer.alloc(fstatSync(file).size)
  readSync(file, text, 0, text.length, 0)
  return text.toString()
}
