// `npm run doctor`: what this machine has, what host.json asks for, and what a running app says of itself, in one table.
import { readFileSync } from 'node:fs'
import { dataHome } from '../data-home.ts'
import { connectionLines, liveRun } from '../run-lock.ts'
import { appLines } from './app.ts'
import { isBad, type Line, tableOf } from './finding.ts'
import { hostJsonLines } from './host-json.ts'
import { machineLines } from './machine.ts'

export interface DoctorOptions {
  /** Of a deployment, which is asked instead of this machine. */
  readonly url: string | undefined
  /** For machines: one JSON document. */
  readonly json: boolean
}

/** Prints the table. @returns the exit code: 0 all is well, 1 something failed, 2 what was asked for could not be looked at */
export async function doctor({ url, json }: DoctorOptions): Promise<0 | 1 | 2> {
  const run = liveRun(dataHome())
  const here = url === undefined ? [...(await machineLines(process.env, run !== undefined)), ...hostLines()] : []
  const { lines, couldNot } = await appOrWhy(url ?? run?.url)
  const all = [...here, ...lines]
  const failed = all.filter(isBad).length
  if (json) console.log(JSON.stringify({ failed, checks: all }, null, 2))
  else {
    console.log(tableOf(all))
    for (const line of connectionLines(url === undefined ? run?.connections : undefined)) console.log(`        ${line}`)
    if (failed > 0) console.error(`${failed} of ${all.length} checks failed.`)
  }
  if (couldNot) return 2
  return failed > 0 ? 1 : 0
}

function hostLines(): Line[] {
  try {
    return hostJsonLines(readFileSync('host.json', 'utf8'), process.env)
  } catch {
    return [
      { name: 'host.json', status: 'failed', detail: 'It cannot be read.', remediation: 'Run this at the top of the checkout.' },
    ]
  }
}

async function appOrWhy(url: string | undefined): Promise<{ lines: Line[]; couldNot: boolean }> {
  if (url === undefined)
    return {
      lines: [{ name: 'app', status: 'skipped', detail: 'not running here (npm start), and no --url given' }],
      couldNot: false,
    }
  try {
    return { lines: await appLines(url, process.env), couldNot: false }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : ''
    const detail = `${url} could not be asked: ${error instanceof Error ? error.message : 'unknown'}${cause}`
    return {
      lines: [{ name: 'app', status: 'failed', detail, remediation: 'Look whether the address is right and the app runs.' }],
      couldNot: true,
    }
  }
}
