// Looking at rasters over HTTP: facts, pictures, values, map tiles.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import sharp from 'sharp'
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob'
import { inject } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

let app: TestApp
let container: ContainerClient
beforeAll(async () => {
  app = await startApp()
  container = await app.container()
})
afterAll(() => app?.stop())

const [width, height] = [900, 700]
const samples = someSamples('uint8', width, height, 3)
const rgb = makeTiff({
  width,
  height,
  bands: 3,
  dtype: 'uint8',
  photometric: 2,
  samples,
  epsg: 32_633,
  origin: [500_000, 5_000_000],
  pixel: 30,
})
const put = async (name: string, bytes: Uint8Array): Promise<string> => {
  await container.getBlockBlobClient(name).uploadData(bytes)
  return name
}
const url = (what: string, blob: string, query = ''): string => `/api/rasters/${container.containerName}/${what}/${blob}${query}`
async function bytes(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Buffer; headers: Headers }> {
  const answer = await fetch(`${app.host.url}${path}`, { headers })
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
}

describe('a raster without overviews', () => {
  test('info says what it is and why it is no COG', async () => {
    await put('land/rgb 1.tif', rgb)
    const { status, body, headers } = await app.get(url('info', 'land/rgb%201.tif'))
    expect(status).toBe(200)
    expect(body).toMatchObject({ width, height, bands: 3, epsg: 32_633, is_cog: false, layout: 'strips' })
    expect(body.wgs84_bounds[0]).toBeCloseTo(15, 3)
    const again = await bytes(url('info', 'land/rgb%201.tif'), { 'if-none-match': headers.get('etag') as string })
    expect(again.status).toBe(304)
  })

  test('preview: a PNG of the wished width with the colours of the raster', async () => {
    const { status, headers, body } = await bytes(url('preview', 'land/rgb%201.tif', '?width=300'))
    expect([status, headers.get('content-type')]).toEqual([200, 'image/png'])
    const { data, info } = await sharp(body).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([300, 233, 4])
    // Each third pixel of the image, from the second on.
    const at = (3 * 100 + 1) * width + 3 * 50 + 1
    expect([...data.subarray((100 * 300 + 50) * 4, (100 * 300 + 50) * 4 + 4)]).toEqual([
      ...samples.slice(at * 3, at * 3 + 3),
      255,
    ])
  })

  test('window: pixels as JSON, PNG and GeoTIFF', async () => {
    const query = '?x=10&y=20&width=3&height=2'
    const { body } = await app.get(url('window', 'land/rgb%201.tif', `${query}&format=json&bidx=2`))
    expect(body).toMatchObject({ x: 10, y: 20, dtype: 'uint8', bands: [2] })
    expect(body.values[0][1][2]).toBe(samples[(21 * width + 12) * 3 + 1])
    const picture = await bytes(url('window', 'land/rgb%201.tif', query))
    expect((await sharp(picture.body).metadata()).width).toBe(3)
    const tif = await bytes(url('window', 'land/rgb%201.tif', `${query}&format=tif`))
    expect(tif.headers.get('content-type')).toContain('image/tiff')
    expect((await sharp(tif.body).raw().toBuffer())[0]).toBe(samples[(20 * width + 10) * 3])
  })

  test('point: by place, and by coordinates of the raster', async () => {
    const { body } = await app.get(url('point', 'land/rgb%201.tif', '?x=500045&y=4999985'))
    expect(body).toEqual({
      coordinates: [500_045, 4_999_985],
      pixel: [1, 0],
      values: Array.from(samples.subarray(3, 6) as Uint8Array),
      band_names: ['b1', 'b2', 'b3'],
    })
    const place = await app.get(url('point', 'land/rgb%201.tif', '?lon=15.1&lat=45.1'))
    expect(place.body.values).toHaveLength(3)
    expect((await app.get(url('point', 'land/rgb%201.tif', '?lon=16&lat=45'))).body.code).toBe('POINT_OUTSIDE')
    expect((await app.get(url('point', 'land/rgb%201.tif', '?lon=16'))).status).toBe(400)
  })

  test('statistics of the image are exact', async () => {
    const { body } = await app.get(url('statistics', 'land/rgb%201.tif', '?bidx=1'))
    const band = Array.from({ length: width * height }, (_, i) => samples[i * 3] as number)
    expect(body).toMatchObject({
      level: 0,
      exact: true,
      bands: [{ band: 1, count: band.length, min: Math.min(...band.slice(0, 1e5)), valid_percent: 100 }],
    })
    expect(body.bands[0].mean).toBeCloseTo(band.reduce((a, b) => a + b, 0) / band.length, 6)
  })

  test('tiles: where the raster is, transparent around it, 204 elsewhere', async () => {
    const { body } = await app.get(url('tilejson', 'land/rgb%201.tif', '?bidx=1,2,3'))
    expect(body).toMatchObject({ tilejson: '3.0.0', scheme: 'xyz' })
    const [lon, lat] = [15.1, 45.1]
    const z = body.maxzoom as number
    const x = Math.floor(((lon + 180) / 360) * 2 ** z)
    const y = Math.floor(((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * 2 ** z)
    const at = (body.tiles[0] as string).replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y))
    const tile = await fetch(at)
    expect([tile.status, tile.headers.get('content-type')]).toEqual([200, 'image/png'])
    const { data, info } = await sharp(Buffer.from(await tile.arrayBuffer()))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([256, 256])
    // The pixel of the tile at the point shows the pixel of the raster there.
    const px = Math.floor((((lon + 180) / 360) * 2 ** z - x) * 256)
    const py = Math.floor((((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * 2 ** z - y) * 256)
    const { values } = (await app.get(url('point', 'land/rgb%201.tif', `?lon=${lon}&lat=${lat}`))).body
    const shown = [...data.subarray((py * 256 + px) * 4, (py * 256 + px) * 4 + 3)]
    // Noise of 0.3 * 55 within a pixel: neighbours differ, places do not.
    for (const [i, v] of values.entries()) expect(Math.abs((shown[i] as number) - v)).toBeLessThan(40)
    expect((await bytes(url('tiles/3/0/0', 'land/rgb%201.tif'))).status).toBe(204)
    expect((await app.get(url('tiles/3/8/0', 'land/rgb%201.tif'))).status).toBe(400)
  })
})

describe('what cannot be looked at is refused by name', () => {
  test('no TIFF, no place, no such band, a window outside', async () => {
    await put('bad/text.tif', Buffer.from('hello, this is text'))
    await put('bad/nowhere.tif', makeTiff({ width: 20, height: 20, bands: 1, dtype: 'uint8' }))
    const codes = async (...paths: string[]) => Promise.all(paths.map(async (p) => (await app.get(p)).body.code))
    expect(
      await codes(
        url('info', 'bad/text.tif'),
        url('tilejson', 'bad/nowhere.tif'),
        url('tiles/0/0/0', 'bad/nowhere.tif'),
        url('preview', 'bad/nowhere.tif', '?bidx=2'),
        url('preview', 'bad/nowhere.tif', '?rescale=5,1'),
        url('window', 'bad/nowhere.tif', '?x=15&y=0&width=10&height=1'),
        url('preview', 'none.tif'),
      ),
    ).toEqual(['NOT_TIFF', 'CRS_MISSING', 'CRS_MISSING', 'BAND_UNKNOWN', 'INVALID_QUERY', 'WINDOW_OUTSIDE', 'BLOB_NOT_FOUND'])
  })
})

test('a tile shows each place within one pixel of the raster: colours that are coordinates', async () => {
  // Red is the column, green the row, blue which 256 of both.
  const [w, h] = [700, 500]
  const coded = Uint8Array.from({ length: w * h * 3 }, (_, i) => {
    const [column, row] = [Math.floor(i / 3) % w, Math.floor(i / 3 / w)]
    return i % 3 === 0 ? column & 255 : i % 3 === 1 ? row & 255 : (column >> 8) * 16 + (row >> 8)
  })
  const coast = { x: 500_000, y: 5_000_000 }
  await put(
    'coded.tif',
    makeTiff({
      width: w,
      height: h,
      bands: 3,
      dtype: 'uint8',
      photometric: 2,
      samples: coded,
      epsg: 32_633,
      origin: [coast.x, coast.y],
      pixel: 100,
    }),
  )
  const {
    tiles,
    maxzoom: z,
    bounds,
  } = (await app.get(url('tilejson', 'coded.tif'))).body as { tiles: string[]; maxzoom: number; bounds: number[] }
  const [west, south, east, north] = bounds as [number, number, number, number]
  let seen = 0
  for (let k = 1; k < 12; k++) {
    const [lon, lat] = [west + ((east - west) * k) / 12, south + ((north - south) * ((k * 5) % 12)) / 12]
    const [tx, ty] = [((lon + 180) / 360) * 2 ** z, ((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * 2 ** z]
    const [x, y] = [Math.floor(tx), Math.floor(ty)]
    const answer = await fetch((tiles[0] as string).replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y)))
    if (answer.status === 204) continue
    const { data } = await sharp(Buffer.from(await answer.arrayBuffer()))
      .raw()
      .toBuffer({ resolveWithObject: true })
    const at = (Math.floor((ty - y) * 256) * 256 + Math.floor((tx - x) * 256)) * 4
    const point = await app.get(url('point', 'coded.tif', `?lon=${lon}&lat=${lat}`))
    if (point.status !== 200 || data[at + 3] === 0) continue
    const [column, row] = [
      (data[at] as number) + ((data[at + 2] as number) >> 4) * 256,
      (data[at + 1] as number) + ((data[at + 2] as number) & 15) * 256,
    ]
    expect(Math.abs(column - point.body.pixel[0])).toBeLessThanOrEqual(1)
    expect(Math.abs(row - point.body.pixel[1])).toBeLessThanOrEqual(1)
    seen++
  }
  expect(seen).toBeGreaterThan(5)
})

test('statistics of a large output are those of every pixel: the job recorded them', async () => {
  const side = 2300
  const large = someSamples('uint8', side, side, 1) as Uint8Array
  large[5] = 255
  await put('large.tif', makeTiff({ width: side, height: side, bands: 1, dtype: 'uint8', samples: large }))
  const { job_id } = await app.submit('process_raster', { source_container: container.containerName, source_blob: 'large.tif' })
  const { result } = await app.waitForJob(job_id)
  const { body } = await app.get(`/api/rasters/silver/statistics/${(result as { blob: string }).blob}`)
  expect(body).toMatchObject({
    exact: true,
    level: 0,
    percentiles_of_level: 1,
    bands: [{ band: 1, count: side * side, max: 255 }],
  })
  expect(body.bands[0].mean).toBeCloseTo(large.reduce((a, b) => a + b, 0) / large.length, 6)
})

describe('tiles of a job', () => {
  test('GeoJSON with the status of each; other job types have none', async () => {
    await put('job.tif', rgb)
    const { job_id } = await app.submit('process_raster', {
      source_container: container.containerName,
      source_blob: 'job.tif',
      tile_size: 256,
    })
    await app.waitForJob(job_id)
    const { status, headers, body } = await app.get(`/api/jobs/${job_id}/tiles`)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/geo+json'])
    const text = JSON.parse(body) as {
      features: { id: string; geometry: { coordinates: [number, number][][] }; properties: object }[]
    }
    expect(text.features.map((f) => f.id)).toEqual(['tile_x0_y0'])
    expect(text.features[0]?.properties).toMatchObject({ pixel_window: [0, 0, width, height], status: 'completed', levels: 3 })
    expect(text.features[0]?.geometry.coordinates[0]?.length).toBe(33)
    const other = await app.submit('hello_world', { n: 1 })
    expect((await app.get(`/api/jobs/${other.job_id}/tiles`)).body.code).toBe('NO_TILES')
  })
})

test('the container of pictures is on the allow-list', async () => {
  const service = BlobServiceClient.fromConnectionString(inject('storage'))
  await service.getContainerClient('not-allowed').createIfNotExists()
  expect((await app.get('/api/rasters/not-allowed/info/x.tif')).body.code).toBe('CONTAINER_NOT_ALLOWED')
})
