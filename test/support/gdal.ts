// GDAL 3.8 in WebAssembly (gdal3.js) as an oracle: it makes files in layouts of its own, and says what is in ours. No JPEG, WebP, ZSTD.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

const require = createRequire(import.meta.url)

interface Dataset {
  readonly path: string
}
interface Module {
  open(path: string): Promise<{ datasets: Dataset[]; errors: unknown[] }>
  close(dataset: Dataset): Promise<void>
  gdal_translate(dataset: Dataset, args: string[], name?: string): Promise<{ local: string; real: string }>
  gdalwarp(dataset: Dataset, args: string[], name?: string): Promise<{ local: string; real: string }>
  gdalinfo(dataset: Dataset, args: string[]): Promise<object>
  getFileBytes(path: { local: string }): Promise<Uint8Array>
}

export interface Gdal {
  translate(file: Uint8Array, ...args: string[]): Promise<Buffer>
  warp(file: Uint8Array, ...args: string[]): Promise<Buffer>
  // oxlint-disable-next-line typescript/no-explicit-any -- gdalinfo's JSON
  info(file: Uint8Array, ...args: string[]): Promise<any>
  /** Pixels of one level, band after band, row-major, little-endian. @param overview undefined: the image itself */
  pixels(file: Uint8Array, overview?: number): Promise<Buffer>
  close(): Promise<void>
}

/** One instance per test file: it takes a second to start. */
export async function openGdal(): Promise<Gdal> {
  const entry = require.resolve('gdal3.js/node.js')
  const init = require(entry) as (options: object) => Promise<Module>
  const folder = await mkdtemp('/tmp/gdal-')
  const gdal = await init({
    path: relative(process.cwd(), join(dirname(entry), 'dist/package')),
    useWorker: false,
    dest: folder,
    logHandler: (m: string) => process.env['GDAL_LOG'] && console.log(m),
    errorHandler: (m: string) => process.env['GDAL_LOG'] && console.log(m),
  })
  let number = 0
  const opened = async <T>(file: Uint8Array, use: (dataset: Dataset, name: string) => Promise<T>): Promise<T> => {
    const name = `f${number++}`
    const path = join(folder, `${name}.tif`)
    await writeFile(path, file)
    const { datasets, errors } = await gdal.open(path)
    const dataset = datasets[0]
    if (!dataset) throw new Error(`GDAL cannot open it: ${JSON.stringify(errors)}`)
    try {
      return await use(dataset, `${name}-out`)
    } finally {
      await gdal.close(dataset)
    }
  }
  const made = async (out: { local: string }): Promise<Buffer> => Buffer.from(await gdal.getFileBytes(out))
  return {
    translate: (file, ...args) => opened(file, async (d, name) => made(await gdal.gdal_translate(d, withFormat(args), name))),
    warp: (file, ...args) => opened(file, async (d, name) => made(await gdal.gdalwarp(d, withFormat(args), name))),
    info: (file, ...args) => opened(file, (d) => gdal.gdalinfo(d, args)),
    async pixels(file, overview) {
      const level = overview === undefined ? [] : ['-oo', `OVERVIEW_LEVEL=${overview}`]
      const out = await opened(file, async (d, name) =>
        made(await gdal.gdal_translate(d, ['-of', 'ENVI', '-co', 'INTERLEAVE=BSQ', ...level], name)),
      )
      return out
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

const withFormat = (args: readonly string[]): string[] => (args.includes('-of') ? [...args] : ['-of', 'GTiff', ...args])
