// COGs: CPU, memory and size against GDAL in WebAssembly (gdal3.js), and against gdal_translate where it is on PATH; latency of map tiles.
import { execFile, spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '../local/temporary-folder.ts'
import { doubles, longs, shorts, writeDirectory } from '../src/raster/ifd-writer.ts'
import { CHILD_ENV, CHILD_FLAGS } from '../src/raster/pool.ts'
import type { Row } from './measure.ts'
import { cpuSecondsOfTrees } from './process-cpu.ts'

const run = promisify(execFile)

interface Measured {
  readonly cpu: number
  readonly wall: number
  readonly rss: number
  readonly bytes: number
}

/** A plain strip file of land-like samples: hills, some noise, flat water. Written row by row: it may be larger than memory. */
export function makeSource(path: string, side: number, kind: 'rgb' | 'float32'): void {
  const bands = kind === 'rgb' ? 3 : 1
  const size = kind === 'rgb' ? 1 : 4
  const strip = side * bands * size
  const each = (v: number): number[] => Array.from({ length: bands }, () => v)
  const tags = (at: number) => [
    longs(256, [side]),
    longs(257, [side]),
    shorts(258, ...each(size * 8)),
    shorts(259, 1),
    shorts(262, kind === 'rgb' ? 2 : 1),
    longs(
      273,
      Array.from({ length: side }, (_, i) => at + i * strip),
    ),
    shorts(277, bands),
    longs(278, [1]),
    longs(
      279,
      Array.from({ length: side }, () => strip),
    ),
    shorts(339, ...each(kind === 'rgb' ? 1 : 3)),
    doubles(33_550, [10, 10, 0]),
    doubles(33_922, [0, 0, 0, 500_000, 5_400_000, 0]),
    shorts(34_735, 1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32_633),
  ]
  const head = writeDirectory(tags(0), 8, 0, false).length + 8
  const file = openSync(path, 'w')
  writeSync(file, Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]))
  writeSync(file, writeDirectory(tags(head), 8, 0, false))
  const row = kind === 'rgb' ? new Uint8Array(side * bands) : new Float32Array(side)
  let state = 1
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      const noise = state / 2 ** 32
      const hill = Math.sin(x / 97) + Math.cos(y / 131) + Math.sin((x + y) / 23) * 0.3
      if (kind === 'float32') row[x] = hill < -0.8 ? 0 : Math.fround(hill * 250 + noise)
      else for (let b = 0; b < 3; b++) row[x * 3 + b] = hill < -0.8 ? 20 + b * 30 : 90 + hill * 40 + b * 11 + noise * 9
    }
    writeSync(file, new Uint8Array(row.buffer))
  }
  closeSync(file)
}

/** As a task's child process is started. */
export async function child(...script: string[]): Promise<Measured> {
  const args = [...CHILD_FLAGS, ...script]
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1e7, env: { ...process.env, ...CHILD_ENV } })
  return JSON.parse(stdout) as Measured
}

/** GDAL on PATH, with one thread; undefined where there is none. CPU is that of this process's ended children. */
async function gdalOnPath(file: string, out: string, [tool, ...args]: readonly string[]): Promise<Measured | undefined> {
  if (!tool || spawnSync(tool, ['--version']).status !== 0) return undefined
  const before = cpuSecondsOfTrees([process.pid])
  const began = performance.now()
  await run(tool, ['-q', '-of', 'COG', ...args, file, out])
  const cpu = cpuSecondsOfTrees([process.pid]) - before
  return { cpu, wall: (performance.now() - began) / 1000, rss: Number.NaN, bytes: statSync(out).size }
}

async function gdalInWasm(file: string, args: readonly string[]): Promise<Measured> {
  const { stdout } = await run(process.execPath, ['bench/raster-peer.ts', file, ...args], { maxBuffer: 1e7 })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Measured
}

/** `wasm`: what gdal3.js is asked; `native`: GDAL on PATH, with the CPU that ours may take of its own. */
interface Case {
  readonly name: string
  readonly kind: 'rgb' | 'float32'
  readonly options: object
  readonly wasm?: readonly string[]
  readonly native: readonly string[]
  readonly goal?: number
}
const CASES: readonly Case[] = [
  {
    name: 'RGB uint8, DEFLATE',
    kind: 'rgb',
    options: {},
    wasm: ['-co', 'COMPRESS=DEFLATE'],
    native: ['gdal_translate', '-co', 'COMPRESS=DEFLATE'],
    goal: 1,
  },
  {
    name: 'RGB uint8, ZSTD',
    kind: 'rgb',
    options: { compression: 'zstd' },
    native: ['gdal_translate', '-co', 'COMPRESS=ZSTD', '-co', 'PREDICTOR=YES'],
  },
  {
    name: 'RGB uint8, JPEG 75',
    kind: 'rgb',
    options: { output_tier: 'visualization', quality: 75 },
    native: ['gdal_translate', '-co', 'COMPRESS=JPEG', '-co', 'QUALITY=75'],
    goal: 0.7,
  },
  {
    name: 'float32, DEFLATE, predictor 3',
    kind: 'float32',
    options: {},
    wasm: ['-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=YES'],
    native: ['gdal_translate', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=YES'],
    goal: 1.3,
  },
  {
    name: 'RGB UTM to 3857, bilinear, DEFLATE',
    kind: 'rgb',
    options: { target_crs: 'EPSG:3857' },
    native: [
      'gdalwarp',
      '-overwrite',
      '-r',
      'bilinear',
      '-t_srs',
      'EPSG:3857',
      '-co',
      'COMPRESS=DEFLATE',
      '-co',
      'PREDICTOR=YES',
    ],
    goal: 1.1,
  },
]

/** @param side pixels of a side */
export async function rasters(side: number): Promise<Row[]> {
  const folder = temporaryFolder('lamplighter-bench-raster-')
  const rows: Row[] = []
  try {
    for (const kind of ['rgb', 'float32'] as const) makeSource(join(folder, `${kind}.tif`), side, kind)
    for (const { name, kind, options, wasm, native: gdal, goal } of CASES) {
      const file = join(folder, `${kind}.tif`)
      const mine = await child('bench/raster-child.ts', file, JSON.stringify(options))
      const peer = wasm ? await gdalInWasm(file, wasm) : undefined
      const native = await gdalOnPath(file, join(folder, 'out.tif'), gdal)
      const against = [
        ...(peer
          ? [`gdal3.js ${peer.cpu.toFixed(1)} s, ${peer.rss.toFixed(0)} MB, ${(mine.bytes / peer.bytes).toFixed(2)} × its size`]
          : []),
        ...(native
          ? [
              `GDAL ${native.cpu.toFixed(1)} s, ${(mine.cpu / native.cpu).toFixed(2)} × its CPU, ${(mine.bytes / native.bytes).toFixed(2)} × its size`,
            ]
          : []),
      ]
      rows.push({
        measure: `COG ${side}² ${name}`,
        figure: `${mine.cpu.toFixed(1)} CPU-s, ${mine.wall.toFixed(1)} s, ${mine.rss.toFixed(0)} MB${against.length > 0 ? `; ${against.join('; ')}` : ''}`,
        goal: `≤ 256 MB${goal === undefined ? '' : `, ≤ ${goal} × the CPU of GDAL`}`,
        met: mine.rss <= 256 && (!native || goal === undefined || mine.cpu <= goal * native.cpu),
      })
    }
    const { rss, bytes } = await child('bench/raster-huge.ts')
    rows.push({
      measure: `one of the ${bytes} tasks of 100,000² RGB`,
      figure: `${rss.toFixed(0)} MB`,
      goal: '≤ 256 MB',
      met: rss <= 256,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return rows
}
