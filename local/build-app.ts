// The deployable app: one ESM file and what the Functions host needs beside it.
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { build, type Metafile } from 'esbuild'

/** Gives CommonJS packages inside the bundle a `require`, under a name that no package declares. */
const BANNER = `import { createRequire as __lamplighterRequire } from 'node:module'; var require = __lamplighterRequire(import.meta.url);`

/** Builds into `dist/app` and answers with the list of inputs. */
export async function buildApp(outdir = 'dist/app'): Promise<Metafile> {
  await mkdir(outdir, { recursive: true })
  const { metafile } = await build({
    // The second is no function app: its name must not match `main` of package.json, or the host would load it.
    entryPoints: { main: 'src/main.ts', 'raster-worker': 'src/raster/worker.ts' },
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    sourcemap: true,
    external: ['@azure/functions-core', 'pg-native', 'sharp'],
    banner: { js: BANNER },
    metafile: true,
    logLevel: 'warning',
  })
  await copyFile('host.json', `${outdir}/host.json`)
  await copyFile('src/raster/epsg.gen.json', `${outdir}/epsg.gen.json`)
  await writeFile(
    `${outdir}/package.json`,
    `${JSON.stringify({ name: 'lamplighter', type: 'module', main: 'main.js' }, null, 2)}\n`,
  )
  return metafile
}
