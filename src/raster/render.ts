// Samples into a picture: bands, stretch, colour map, transparency.
import { AppError } from '../rules/errors.ts'
import { colormap } from './colormaps.ts'
import type { Render } from './look-task.ts'
import { missingTest } from './overview.ts'
import type { OpenedRaster } from './opened.ts'
import { encodePng } from './png.ts'
import { parseNodata, type Pixels, type SampleValue } from './samples.ts'
import { PHOTOMETRIC, TAG } from './tags.ts'

/** What one raster and one wish make of samples. */
export interface Brush {
  /** 0-based bands that are read: colours, then alpha. */
  readonly bands: readonly number[]
  readonly colors: number
  readonly alpha: number | undefined
  /** Per colour: what becomes 0 and 255; undefined: samples are taken as they are. */
  readonly rescale: readonly (readonly [number, number])[] | undefined
  /** 256 entries of RGB for the one band. */
  readonly table: Uint8Array | undefined
  readonly nodata: SampleValue | undefined
}

/** @throws AppError `BAND_UNKNOWN`, `INVALID_QUERY` */
export async function brushOf(
  raster: OpenedRaster,
  render: Render,
  stretch: () => Promise<readonly (readonly [number, number])[]>,
): Promise<Brush> {
  const { info, pyramid } = raster
  const isPalette =
    info.color_interpretation[0] === 'palette' && pyramid.main.photometric === PHOTOMETRIC.palette && render.bidx === undefined
  const shown = render.bidx ? raster.bandsOf(render.bidx) : shownBands(info.color_interpretation)
  if (shown.length !== 1 && shown.length !== 3)
    throw new AppError('INVALID_QUERY', `bidx has ${shown.length} bands; a picture has 1 or 3.`, {
      issues: [{ path: 'bidx', message: 'must be 1 or 3 bands' }],
    })
  if (render.colormap_name && shown.length !== 1)
    throw new AppError('INVALID_QUERY', 'colormap_name is for one band; choose it with bidx.', {
      issues: [{ path: 'colormap_name', message: 'needs one band' }],
    })
  const alphaBand = info.color_interpretation.indexOf('alpha')
  const table = render.colormap_name ? colormap(render.colormap_name) : isPalette ? await paletteOf(raster) : undefined
  const isPlain = info.dtype === 'uint8' && (!render.colormap_name || isPalette)
  return {
    bands: alphaBand >= 0 && !shown.includes(alphaBand) ? [...shown, alphaBand] : shown,
    colors: shown.length,
    alpha: alphaBand >= 0 && !shown.includes(alphaBand) ? shown.length : undefined,
    rescale: isPalette ? undefined : (rescaleOf(render, shown.length) ?? (isPlain ? undefined : pick(await stretch(), shown))),
    table,
    nodata:
      render.nodata === undefined
        ? parseNodata(pyramid.main.nodataText, raster.dtype)
        : parseNodata(String(render.nodata), raster.dtype),
  }
}

const pick = <T>(all: readonly T[], bands: readonly number[]): T[] => bands.map((b) => all[b] as T)

/** Red, green and blue where they are known, else the first band. */
function shownBands(colors: readonly string[]): number[] {
  const rgb = ['red', 'green', 'blue'].map((name) => colors.indexOf(name))
  return rgb.every((i) => i >= 0) ? rgb : [0]
}

/** One pair for all bands, or one for each. */
function rescaleOf({ rescale }: Render, count: number): readonly (readonly [number, number])[] | undefined {
  if (!rescale || rescale.length === 0) return undefined
  if (rescale.length !== 1 && rescale.length !== count)
    throw new AppError('INVALID_QUERY', `rescale has ${rescale.length} ranges for ${count} bands.`, {
      issues: [{ path: 'rescale', message: `must be min,max once or ${count} times` }],
    })
  return Array.from({ length: count }, (_, i) => (rescale[i] ?? rescale[0]) as readonly [number, number])
}

async function paletteOf({ pyramid }: OpenedRaster): Promise<Uint8Array> {
  const map = (await pyramid.main.directory.numbers(TAG.colorMap)) ?? new Float64Array(768)
  const entries = map.length / 3
  const table = new Uint8Array(Math.max(256, entries) * 3)
  for (let i = 0; i < entries; i++) for (let c = 0; c < 3; c++) table[i * 3 + c] = (map[c * entries + i] as number) >> 8
  return table
}

/** RGBA, or grey and alpha; undefined where no pixel is to be seen. */
export function paint(pixels: Pixels, brush: Brush): { data: Uint8Array; bands: 2 | 4 } | undefined {
  const { width, height, data, mask, bands } = pixels
  const { colors, alpha, rescale, table, nodata } = brush
  const isMissing = missingTest(nodata)
  const out: 2 | 4 = colors === 1 && !table ? 2 : 4
  const picture = new Uint8Array(width * height * out)
  let seen = false
  for (let i = 0; i < width * height; i++) {
    if (mask && mask[i] === 0) continue
    let missing = true
    for (let c = 0; c < colors; c++) {
      const raw = data[i * bands + c] as SampleValue
      if (!isMissing(raw) && !Number.isNaN(raw)) missing = false
      const [low, high] = rescale?.[c] ?? [0, 255]
      const value = rescale ? Math.round(((Number(raw) - low) / (high - low || 1)) * 255) : Number(raw)
      const byte = value > 0 ? Math.min(value, table && !rescale ? table.length / 3 - 1 : 255) : 0
      if (table) picture.set(table.subarray(byte * 3, byte * 3 + 3), i * out)
      else picture[i * out + c] = byte
    }
    const opacity = missing ? 0 : alpha === undefined ? 255 : Math.min(255, Number(data[i * bands + alpha]))
    picture[i * out + out - 1] = opacity
    if (opacity > 0) seen = true
  }
  return seen ? { data: picture, bands: out } : undefined
}

export function png(pixels: Pixels, brush: Brush): Uint8Array | undefined {
  const painted = paint(pixels, brush)
  return painted && encodePng(painted.data, pixels.width, pixels.height, painted.bands)
}
