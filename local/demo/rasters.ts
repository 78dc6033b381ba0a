// The demo's input: real geography in several CRS, sizes and sample types, and files that are no rasters. Made once, cached.
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import proj4 from 'proj4'
import { type DemoRaster, encodeGeoTiff, type Samples } from './geotiff.ts'
import { landMask, MASK_HEIGHT, MASK_WIDTH } from './land.ts'

const require = createRequire(import.meta.url)

interface Scene {
  readonly path: string
  readonly epsg: number
  readonly proj: string
  readonly width: number
  readonly height: number
  readonly origin: readonly [number, number]
  readonly pixel: number
  readonly type: 'uint8' | 'uint16' | 'int16' | 'float32'
}

const LAEA = '+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m'
const MERCATOR_EDGE = 20_037_508.342789244

const utm = (): Scene[] =>
  [10, 12, 14, 16, 18, 20, 22, 28, 30, 31, 32, 33, 34, 36, 38, 40, 43, 45, 48, 50].map((zone, i): Scene => {
    const size = 96 + (i % 5) * 32
    return {
      path: `utm/zone_${zone}n.tif`,
      epsg: 32_600 + zone,
      proj: `+proj=utm +zone=${zone} +datum=WGS84 +units=m`,
      width: size,
      height: size + 16,
      origin: [200_000, 5_400_000],
      pixel: 5000,
      type: i % 2 ? 'uint16' : 'uint8',
    }
  })

const mercator = (): Scene[] =>
  Array.from({ length: 16 }, (_, i): Scene => {
    const [x, y, edge] = [i % 4, Math.floor(i / 4), MERCATOR_EDGE / 2]
    return {
      path: `web_mercator/2/${x}/${y}.tif`,
      epsg: 3857,
      proj: 'EPSG:3857',
      width: 128,
      height: 128,
      origin: [x * edge - MERCATOR_EDGE, MERCATOR_EDGE - y * edge],
      pixel: edge / 128,
      type: 'uint8',
    }
  })

const geographic = (): Scene[] =>
  Array.from({ length: 18 }, (_, i): Scene => {
    const [x, y] = [i % 6, Math.floor(i / 6)]
    return {
      path: `geographic/tile_x${x}_y${y}.tif`,
      epsg: 4326,
      proj: 'EPSG:4326',
      width: 240,
      height: 240,
      origin: [x * 60 - 180, 90 - y * 60],
      pixel: 0.25,
      type: i % 2 ? 'int16' : 'float32',
    }
  })

const europe = (): Scene[] =>
  Array.from({ length: 12 }, (_, i): Scene => {
    const [x, y] = [i % 4, Math.floor(i / 4)]
    return {
      path: `europe laea/block ${x}-${y}.tif`,
      epsg: 3035,
      proj: LAEA,
      width: 150,
      height: 150,
      origin: [2_600_000 + x * 1_200_000, 5_400_000 - y * 1_200_000],
      pixel: 8000,
      type: 'float32',
    }
  })

/** 66 scenes: UTM, Web Mercator, geographic and LAEA Europe. */
const scenes = (): Scene[] => [...utm(), ...mercator(), ...geographic(), ...europe()]

const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, int16: Int16Array, float32: Float32Array } as const
const NODATA = -9999

function render(scene: Scene, mask: Uint8Array): DemoRaster {
  const { width, height, origin, pixel, type, proj, epsg } = scene
  const samples: Samples = new ARRAYS[type](width * height)
  const toLonLat = proj4(proj, 'EPSG:4326')
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [lon, lat] = toLonLat.forward([origin[0] + (x + 0.5) * pixel, origin[1] - (y + 0.5) * pixel]) as [number, number]
      samples[y * width + x] = sample(mask, lon, lat, type)
    }
  }
  const signed = type === 'int16' || type === 'float32'
  return {
    width,
    height,
    samples,
    epsg,
    projected: epsg !== 4326,
    origin,
    pixel: [pixel, pixel],
    ...(signed ? { nodata: NODATA } : {}),
  }
}

/** Land is 1 (bytes), a latitude band (16 bits) or degrees from the equator (floats); sea is 0 or nodata. */
function sample(mask: Uint8Array, lon: number, lat: number, type: Scene['type']): number {
  const column = Math.floor(((((lon + 180) % 360) + 360) % 360) * (MASK_WIDTH / 360))
  const row = Math.min(MASK_HEIGHT - 1, Math.max(0, Math.floor((90 - lat) * (MASK_HEIGHT / 180))))
  const land = Number.isFinite(lon) && Number.isFinite(lat) && mask[row * MASK_WIDTH + column] === 1
  if (type === 'uint8') return land ? 1 : 0
  if (type === 'uint16') return land ? 1 + Math.floor(Math.abs(lat)) : 0
  return land ? Math.abs(lat) : NODATA
}

async function otherFiles(): Promise<Map<string, Buffer>> {
  const countries = JSON.parse(await readFile(require.resolve('world-atlas/countries-110m.json'), 'utf8')) as {
    objects: { countries: { geometries: { id?: string; properties: { name: string } }[] } }
  }
  const rows = countries.objects.countries.geometries.map((g) => `${g.id ?? ''},"${g.properties.name.replaceAll('"', '""')}"`)
  return new Map([
    ['tables/countries.csv', Buffer.from(`id,name\n${rows.join('\n')}\n`)],
    ['tables/land-110m.json', await readFile(require.resolve('world-atlas/land-110m.json'))],
    ['notes/README.txt', Buffer.from('Made from Natural Earth land polygons (public domain).\n')],
    ['notes/empty.dat', Buffer.alloc(0)],
  ])
}

/** Makes the files below `<home>/demo-data` unless they are there, and answers with that folder. */
export async function demoRasters(home: string): Promise<string> {
  const folder = join(home, 'demo-data')
  if (
    await access(folder).then(
      () => true,
      () => false,
    )
  )
    return folder
  // Built beside and renamed: a killed demo never leaves half a set behind.
  const draft = `${folder}.${process.pid}`
  const write = async (path: string, body: Buffer): Promise<void> => {
    await mkdir(dirname(join(draft, path)), { recursive: true })
    await writeFile(join(draft, path), body)
  }
  const mask = await landMask()
  for (const scene of scenes()) await write(scene.path, encodeGeoTiff(render(scene, mask)))
  for (const [path, body] of await otherFiles()) await write(path, body)
  await rename(draft, folder)
  return folder
}
