// The deployable app: one ESM file and what the Functions host needs beside it.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { build, type Metafile } from 'esbuild'
import { buildPage, PAGE_RULES } from './build-page.ts'
import { buildUnlessFresh } from './fresh-build.ts'
import { hostJsonFor } from './durable-backend.ts'
import { UNBUNDLED } from './package-app.ts'

/** Gives CommonJS packages inside the bundle a `require`, under a name that no package declares. */
export const BANNER = `import { createRequire as __lamplighterRequire } from 'node:module'; var require = __lamplighterRequire(import.meta.url);`

/** Names of what is copied beside the bundle. */
const BESIDE = ['host.json', 'epsg.gen.json', 'package.json']
/** Folder of the monitor page. */
const PAGE = 'web'

/** Names of all files of a build, as they stand in its folder. */
export const filesOf = ({ outputs }: Metafile): string[] => [
  ...Object.keys(outputs).map((path) => basename(path)),
  ...BESIDE,
  PAGE,
]

export interface BuildOptions {
  /** The entry; else the product's. */
  readonly main?: string
  /** Of Durable Functions, written into host.json; else it stays as it is. */
  readonly backend?: string | undefined
  /** What the app says of itself; else it is a development build. */
  readonly release?: { readonly version: string; readonly commit: string | null }
}

/**
 * Builds into `dist/app` and answers with the list of inputs.
 * @throws Error for a backend that is none
 */
export async function buildApp(
  outdir = 'dist/app',
  { main = 'src/main.ts', backend, release }: BuildOptions = {},
): Promise<Metafile> {
  await mkdir(outdir, { recursive: true })
  // On a laptop both are the checkout's: copies of an earlier package would hide what changed since.
  for (const name of ['sql', 'node_modules']) await rm(join(outdir, name), { recursive: true, force: true })
  const { metafile, outputFiles } = await build({
    write: false,
    // The second is no function app: its name must not match `main` of package.json, or the host would load it.
    entryPoints: { main, 'raster-worker': 'src/raster/worker.ts' },
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    // Node parses the whole map whenever a worker starts: without the texts it is 2.6 MB instead of 9.9.
    sourcemap: true,
    sourcesContent: false,
    external: ['@azure/functions-core', 'pg-native', ...UNBUNDLED],
    banner: { js: BANNER },
    ...(release ? { define: { LAMPLIGHTER_RELEASE: JSON.stringify(release) } } : {}),
    metafile: true,
    logLevel: 'warning',
  })
  for (const { path, contents } of outputFiles) await put(path, contents)
  await put(`${outdir}/host.json`, hostJsonFor(await readFile('host.json', 'utf8'), backend))
  await put(`${outdir}/epsg.gen.json`, await readFile('src/raster/epsg.gen.json'))
  await put(`${outdir}/package.json`, `${JSON.stringify(manifestOf(await readFile('package.json', 'utf8')), null, 2)}\n`)
  return metafile
}

/** No scripts, no dependencies: nobody installs or builds it again. */
function manifestOf(text: string): object {
  const { name, version, license } = JSON.parse(text) as Record<string, string>
  return { name, version, license, private: true, type: 'module', main: 'main.js' }
}

/** Whole or as it was: a host that starts meanwhile never loads half a file. */
async function put(path: string, contents: string | Uint8Array): Promise<void> {
  const half = `${path}.${process.pid}-${randomUUID().slice(0, 8)}`
  await writeFile(half, contents)
  await rename(half, path)
}

/** What decides how the files are put together, and is none of esbuild's inputs. The last one changes with whatever npm installs. */
const RULES = [
  'local/build-app.ts',
  'local/durable-backend.ts',
  'local/package-app.ts',
  'host.json',
  'package.json',
  'tsconfig.json',
  'src/raster/epsg.gen.json',
  'node_modules/.package-lock.json',
]

/** The bundle and the page in `dist/app`, built where it is not there or is older than a file of it: esbuild takes 3 s of CPU for its 1,400. */
export async function freshApp(): Promise<void> {
  // The note stands beside the bundle: nobody deploys it.
  await buildUnlessFresh('dist/app.files.json', async () => {
    const [{ inputs, outputs }, page] = await Promise.all([buildApp(), buildPage()])
    return {
      from: [...RULES, ...PAGE_RULES, ...Object.keys(inputs), ...page.inputs],
      made: [
        ...Object.keys(outputs),
        ...BESIDE.map((name) => `dist/app/${name}`),
        ...page.files.map((name) => `dist/app/${PAGE}/${name}`),
      ],
    }
  })
}
