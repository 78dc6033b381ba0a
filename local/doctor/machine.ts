// What this machine has: Node, npm, Postgres binaries, ports, and the tools of Azure that are not needed here.
import { spawnSync } from 'node:child_process'
import { dataHome } from '../data-home.ts'
import { tryPort } from '../free-port.ts'
import { findPostgres } from '../postgres-binaries.ts'
import type { Line } from './finding.ts'

const OLDEST_NODE = 22

export async function machineLines(env: NodeJS.ProcessEnv, isRunning: boolean): Promise<Line[]> {
  return [nodeLine(), npmLine(), await postgresLine(env), folderLine(), await portLine(isRunning), ...TOOLS.map(toolLine)]
}

const nodeLine = (): Line =>
  Number(process.versions.node.split('.')[0]) >= OLDEST_NODE
    ? { name: 'node', status: 'ok', detail: process.version }
    : { name: 'node', status: 'failed', detail: `${process.version} is too old`, remediation: 'Run npm ci: it brings Node 24.' }

function npmLine(): Line {
  const version = versionOf('npm', ['--version'])
  if (version !== undefined) return { name: 'npm', status: 'ok', detail: version }
  return { name: 'npm', status: 'degraded', detail: 'not on PATH', remediation: 'Install Node, which brings npm.' }
}

async function postgresLine(env: NodeJS.ProcessEnv): Promise<Line> {
  const name = 'postgres'
  if (env['DATABASE_URL']) return { name, status: 'ok', detail: 'DATABASE_URL is set' }
  try {
    return { name, status: 'ok', detail: (await findPostgres()).folder }
  } catch (error) {
    return { name, status: 'failed', detail: error instanceof Error ? error.message : 'unknown' }
  }
}

function folderLine(): Line {
  try {
    return { name: 'data folder', status: 'ok', detail: dataHome() }
  } catch (error) {
    return { name: 'data folder', status: 'failed', detail: error instanceof Error ? error.message : 'unknown' }
  }
}

const PORT = 7071

async function portLine(isRunning: boolean): Promise<Line> {
  if (isRunning) return { name: 'port', status: 'ok', detail: 'an app runs here' }
  if ((await tryPort(PORT)) !== undefined) return { name: 'port', status: 'ok', detail: `${PORT} is free` }
  return {
    name: 'port',
    status: 'degraded',
    detail: `${PORT} is taken by another program`,
    remediation: `npm start -- --port 0 takes a free one.`,
  }
}

/** Not needed for anything here; deployments use them. */
const TOOLS: readonly (readonly [name: string, args: readonly string[], use: string])[] = [
  ['func', ['--version'], 'starts the app on the real host'],
  ['bicep', ['--version'], 'compiles infra/'],
  ['az', ['version', '--output', 'tsv'], 'gives roles'],
  ['azd', ['version'], 'deploys'],
]

function toolLine([name, args, use]: (typeof TOOLS)[number]): Line {
  const version = versionOf(name, args)
  if (version !== undefined) return { name, status: 'ok', detail: version }
  return { name, status: 'skipped', detail: `not on PATH; it ${use}` }
}

function versionOf(command: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000, shell: process.platform === 'win32' })
  return status === 0
    ? (stdout
        .trim()
        .split(/[\r\n]/)[0]
        ?.slice(0, 80) ?? '')
    : undefined
}
