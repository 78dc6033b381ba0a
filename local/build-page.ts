// The monitor page as static files: scripts and styles with a hash in their names, the outline of the land, one HTML file that names them.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build, type Metafile, type OutputFile, type Plugin } from 'esbuild'
import { landOutline } from './land-outline.ts'

const ENTRY = 'src/web/main.tsx'
const TEMPLATE = 'src/web/index.html'
/** What decides the page and is none of esbuild's inputs. */
export const PAGE_RULES = ['local/build-page.ts', 'local/land-outline.ts', TEMPLATE, 'src/web/tsconfig.json'] as const

/** `land`: where there is land, as GeoJSON with a decimal (11 km) for a map that has no other background. */
const land: Plugin = {
  name: 'land',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^land$/ }, () => ({ path: 'land.json', namespace: 'land' }))
    onLoad({ filter: /.*/, namespace: 'land' }, async () => ({ contents: await landOutline(), loader: 'file' }))
  },
}

export interface BuiltPage {
  /** Names of the files in the folder. */
  readonly files: readonly string[]
  readonly inputs: readonly string[]
  readonly outputs: Metafile['outputs']
}

/** Builds the page into a folder and removes what an earlier build left there: a package carries one page. */
export async function buildPage(outdir = 'dist/app/web'): Promise<BuiltPage> {
  const { metafile, outputFiles } = await build({
    write: false,
    metafile: true,
    entryPoints: { main: ENTRY, icon: 'src/web/icon.svg' },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    minify: true,
    // The first releases of browsers that know light-dark(), by which both themes are one list of colours.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfig: 'src/web/tsconfig.json',
    // Icons of Leaflet's own controls, which the map does not use.
    loader: { '.svg': 'copy', '.kql': 'text', '.png': 'empty' },
    plugins: [land],
    logLevel: 'warning',
  })
  const html = pageOf(await readFile(TEMPLATE, 'utf8'), outputFiles)
  await mkdir(outdir, { recursive: true })
  for (const { path, contents } of outputFiles) await writeFile(path, contents)
  await writeFile(join(outdir, 'index.html'), html)
  const files = ['index.html', ...outputFiles.map(({ path }) => basename(path))]
  for (const name of await readdir(outdir)) if (!files.includes(name)) await rm(join(outdir, name), { recursive: true })
  // Names of other namespaces are no files.
  const inputs = Object.keys(metafile.inputs).filter((path) => !/^\w+:/.test(path))
  return { files, inputs, outputs: metafile.outputs }
}

/** The template with the names of this build in place of `{main.js}` and the like. @throws Error for one that was not made */
function pageOf(template: string, made: readonly OutputFile[]): string {
  return template.replaceAll(/\{(\w+)\.(\w+)\}/g, (wanted, name: string, kind: string) => {
    const found = made.map(({ path }) => basename(path)).find((file) => file.startsWith(`${name}-`) && file.endsWith(`.${kind}`))
    if (!found) throw new Error(`${TEMPLATE} wants ${wanted}, which the build did not make.`)
    return `monitor/assets/${found}`
  })
}
