// The template in infra/: lints it, writes what it would deploy for three sets of parameters, and tells when those are stale.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const SETS = ['scheduler', 'storage', 'public'] as const
export const STALE = 'infra changed: run npm run gen where a Bicep compiler is reachable'
const SOURCES = 'infra/test/sources.gen.json'
/** Of this machine: what was compiled last, so that a check with nothing new asks no compiler. */
const CHECKED = 'node_modules/.cache/infra-checked.json'
const RESTORE_MS = 300_000

type Env = Readonly<Record<string, string | undefined>>
/** sha256 by path. */
export type Hashes = Readonly<Record<string, string>>
export type Compiler = { readonly path: string } | { readonly missing: string }

/** Hashes of everything below `infra/`, the snapshots included, of the given folder. */
export function hashesOf(root = '.'): Hashes {
  const files = globSync('infra/**/*.{bicep,bicepparam,json,kql,csproj}', {
    cwd: root,
    exclude: ['infra/tools/{bin,obj}/**', SOURCES],
  })
  const hash = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n'))
      .digest('hex')
  return Object.fromEntries(
    files
      .map((f) => f.replaceAll('\\', '/'))
      .sort()
      .map((file) => [file, hash(file)]),
  )
}

/** Files that are not as they were when the snapshots were written; one that came or went is one of them. */
export function changedFiles(root = '.'): string[] {
  const path = join(root, SOURCES)
  const noted = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Hashes) : {}
  const now = hashesOf(root)
  return [...new Set([...Object.keys(noted), ...Object.keys(now)])].filter((file) => noted[file] !== now[file])
}

/**
 * The compiler: variable `BICEP`, `bicep` on PATH, or the one that NuGet keeps for infra/tools/bicep.csproj.
 * @param mayDownload asks `dotnet restore` for it (115 MB, once per machine)
 */
export function findCompiler(env: Env = process.env, mayDownload = false): Compiler {
  if (env['BICEP']) {
    return existsSync(env['BICEP']) ? { path: env['BICEP'] } : { missing: `BICEP names ${env['BICEP']}, which is not there` }
  }
  const onPath = versionOf('bicep', env)
  if (onPath !== undefined && isAtLeast(onPath, pinnedVersion())) return { path: 'bicep' }
  const kept = nugetCompiler(env)
  if (kept === undefined)
    return {
      missing: `there is no bicep ${pinnedVersion()} or newer on PATH and no NuGet package of it for ${process.platform}-${process.arch}`,
    }
  if (existsSync(kept)) return { path: kept }
  const none = 'set BICEP, or put bicep or dotnet on PATH'
  if (!mayDownload)
    return { missing: `no Bicep compiler is on this machine yet; npm run gen fetches one where dotnet is, or ${none}` }
  if (versionOf('dotnet', env) === undefined) return { missing: `there is neither bicep nor dotnet on PATH; ${none}` }
  const { status, stdout } = spawnSync('dotnet', ['restore', 'infra/tools/bicep.csproj'], {
    encoding: 'utf8',
    env,
    timeout: RESTORE_MS,
  })
  if (status === 0 && existsSync(kept)) return { path: kept }
  return { missing: `dotnet restore infra/tools/bicep.csproj failed: ${(stdout ?? '').trim().split('\n').at(-1) ?? 'no answer'}` }
}

/** What a command says of itself; undefined where there is none. */
function versionOf(command: string, env: Env): string | undefined {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', env: { ...env } })
  return status === 0 ? /\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined
}

/** An older compiler knows neither the types nor the command for snapshots. */
const isAtLeast = (version: string, least: string): boolean => version.localeCompare(least, 'en', { numeric: true }) >= 0

const pinnedVersion = (): string =>
  /<BicepVersion>(.+)<\/BicepVersion>/.exec(readFileSync('infra/tools/bicep.csproj', 'utf8'))?.[1] ?? ''

function nugetCompiler(env: Env): string | undefined {
  const name = ({ 'linux-x64': 'linux-x64', 'darwin-arm64': 'osx-arm64', 'win32-x64': 'win-x64' } as const)[
    `${process.platform}-${process.arch}` as 'linux-x64'
  ]
  const folder = env['NUGET_PACKAGES'] ?? join(env['HOME'] ?? homedir(), '.nuget', 'packages')
  return (
    name &&
    join(
      folder,
      `azure.bicep.commandline.${name}`,
      pinnedVersion(),
      'tools',
      process.platform === 'win32' ? 'bicep.exe' : 'bicep',
    )
  )
}

/** Everything that the linter says, one line each: warnings are errors here. */
export function lint(bicep: string, file = 'infra/main.bicep'): string[] {
  const { stdout, stderr } = spawnSync(bicep, ['lint', file, '--diagnostics-format', 'sarif'], { encoding: 'utf8' })
  return saidBy(stdout.trim() || stderr.trim(), file)
}

/** One line for each result of a SARIF log; what is none is said as it is. */
export function saidBy(text: string, file: string): string[] {
  if (!text.startsWith('{')) return [text || 'bicep lint said nothing']
  const { runs: found } = JSON.parse(text) as Sarif
  return found
    .flatMap(({ results }) => results)
    .map(({ ruleId, message, locations: [at] }) => {
      const { artifactLocation, region } = at?.physicalLocation ?? {}
      return `${artifactLocation?.uri ?? file}:${region?.startLine ?? 0} ${ruleId}: ${message.text}`
    })
}

interface Sarif {
  readonly runs: readonly {
    readonly results: readonly {
      readonly ruleId: string
      readonly message: { readonly text: string }
      readonly locations: readonly {
        readonly physicalLocation?: {
          readonly artifactLocation?: { readonly uri: string }
          readonly region?: { readonly startLine: number }
        }
      }[]
    }[]
  }[]
}

/** Writes, or compares, what the template would deploy; answers with what is wrong. Needs no Azure and no network. */
function snapshot(bicep: string, set: string, mode: 'overwrite' | 'validate'): string[] {
  const of = ['--subscription-id', '00000000-0000-0000-0000-000000000000', '--location', 'westeurope']
  const { status, stdout, stderr } = spawnSync(bicep, ['snapshot', `infra/test/${set}.bicepparam`, '--mode', mode, ...of], {
    encoding: 'utf8',
  })
  return status === 0 ? [] : [`infra/test/${set}.bicepparam: ${`${stderr}${stdout}`.trim()}`]
}

/** `npm run gen`: snapshots and hashes, where a file changed. Answers with what is wrong. */
export function generateInfra(): string[] {
  if (changedFiles().length === 0) return []
  const compiler = findCompiler(process.env, true)
  if ('missing' in compiler) {
    console.log(`skipped infra: ${compiler.missing}`)
    return []
  }
  const wrong = [...lint(compiler.path), ...SETS.flatMap((set) => snapshot(compiler.path, set, 'overwrite'))]
  if (wrong.length > 0) return wrong
  writeFileSync(SOURCES, `${JSON.stringify(hashesOf(), null, 2)}\n`)
  console.log(`wrote ${SOURCES} and ${SETS.length} snapshots`)
  return []
}

/** `npm run check`: the snapshots belong to the template, and a compiler that is here says the same. Answers with what is wrong. */
export function checkInfra(): string[] {
  const changed = changedFiles()
  if (changed.length > 0) return [`${STALE} (${changed.join(', ')})`]
  const now = JSON.stringify(hashesOf())
  if (existsSync(CHECKED) && readFileSync(CHECKED, 'utf8') === now) return []
  const compiler = findCompiler()
  if ('missing' in compiler) {
    console.log(`skipped compiling infra: ${compiler.missing}`)
    return []
  }
  const wrong = [...lint(compiler.path), ...SETS.flatMap((set) => snapshot(compiler.path, set, 'validate'))]
  if (wrong.length === 0 && existsSync('node_modules')) noteChecked(now)
  return wrong
}

function noteChecked(hashes: string): void {
  mkdirSync('node_modules/.cache', { recursive: true })
  writeFileSync(CHECKED, hashes)
}
