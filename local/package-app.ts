// What travels with the bundle: the schema, and packages that cannot be bundled. `npm run build` calls it; a laptop has both in the checkout.
import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Packages with binaries of their own: they are loaded from node_modules when a file needs them. */
export const UNBUNDLED = ['sharp'] as const
/** What the plan runs on. */
const TARGET = 'linux-x64'

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Packaged {
  /** `name@version` of each package that was copied. */
  readonly packages: readonly string[]
  /** What the app will lack in Azure, and what to do. */
  readonly warnings: readonly string[]
}

/**
 * Copies SQL and the unbundled packages with their dependencies into the folder of a built app, in place of whatever else was there.
 * @param built names of the files in the folder that belong to the app
 */
export async function packageApp(outdir: string, built: readonly string[], modules = 'node_modules'): Promise<Packaged> {
  // What an earlier build or a killed one left would travel too.
  for (const name of await readdir(outdir))
    if (!built.includes(name)) await rm(join(outdir, name), { recursive: true, force: true })
  // A database in a private network is migrated from inside.
  for (const name of ['migrations', 'functions']) await cp(join('sql', name), join(outdir, 'sql', name), { recursive: true })
  const packages: string[] = []
  const warnings: string[] = []
  for (const name of UNBUNDLED) {
    const missing = whatIsMissing(name, modules)
    if (missing) warnings.push(missing)
    else packages.push(...(await copyWithDependencies(name, modules, join(outdir, 'node_modules'))))
  }
  return { packages: packages.sort(), warnings }
}

/** Undefined where the package can run in Azure. */
function whatIsMissing(name: string, modules: string): string | undefined {
  const without = `The package is complete without it: files that need it end with CODEC_UNAVAILABLE`
  if (!existsSync(join(modules, name))) return `${name} is not installed. ${without}; npm install ${name} adds it.`
  if (existsSync(join(modules, `@img/${name}-${TARGET}`))) return undefined
  return `${name} is installed for ${process.platform}-${process.arch} only, and Azure runs ${TARGET}. ${without}. Build on ${TARGET}, or run first: npm install --no-save --os=linux --cpu=x64 --libc=glibc ${name}`
}

/** The package, what it depends on, and of its optional binaries those of the target. */
async function copyWithDependencies(name: string, modules: string, into: string, done = new Set<string>()): Promise<string[]> {
  if (done.has(name)) return []
  done.add(name)
  const from = join(modules, name)
  const manifest = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as Manifest
  await mkdir(into, { recursive: true })
  await cp(from, join(into, name), { recursive: true, dereference: true })
  const binaries = Object.keys(manifest.optionalDependencies ?? {}).filter(
    (n) => n.endsWith(TARGET) && existsSync(join(modules, n)),
  )
  const copied = [`${name}@${manifest.version}`]
  for (const next of [...Object.keys(manifest.dependencies ?? {}), ...binaries])
    // One that stands inside its dependent was copied with it.
    if (!existsSync(join(from, 'node_modules', next))) copied.push(...(await copyWithDependencies(next, modules, into, done)))
  return copied
}
