// Pixels of a warped output: every output pixel asks its place in the source. Rules and rounding follow gdalwarp; docs/rasters.md.
import type { PointTransform } from './crs.ts'
import type { WarpForm } from './resample.ts'
import { resample, type ResampleNeeds } from './resample.ts'
import type { PixelSource } from './region.ts'
import { bytesOfType, newSamples, parseNodata, type Pixels } from './samples.ts'
import { copyInto } from './side-pixels.ts'
import { backwards, type WarpPlan } from './warp-plan.ts'
import type { Rectangle } from './window.ts'

/** Source pixels held for one piece of the output. */
const PIECE_BYTES = 24 * 1024 * 1024
/** Nodes of the net: exact there, straight between; a cell that bends more is halved, down to LEAST. */
const CELL = 32
const LEAST = 8
const MOST_BEND = 1e-4
/**
 * Where a cell is tested: its edges. Between conformal projections the bends along x and y are opposite (harmonic functions), so that
 * they cancel out in the middle of a cell.
 */
const TESTED: readonly Place[] = [
  [0.5, 0],
  [0, 0.5],
  [0.5, 0.5],
]
/** Rows worked on at once, whole: a narrow piece of a source of strips would be many small reads. */
const BAND = 64
/** A piece is not halved below this. */
const LEAST_PIECE = 64

/** @param mostBend how far, in source pixels, a place may be from the exact one */
export async function warpPixels(
  source: PixelSource,
  warp: WarpPlan,
  form: WarpForm,
  mostBend = MOST_BEND,
): Promise<PixelSource> {
  const back = await backwards(warp)
  const warper = new Warper(source, warp, form, back, mostBend)
  return { window: (area) => warper.window(area) }
}

class Warper {
  readonly #source: PixelSource
  readonly #warp: WarpPlan
  readonly #form: WarpForm
  readonly #back: PointTransform
  readonly #mostBend: number
  #buffer = new Float64Array()

  constructor(source: PixelSource, warp: WarpPlan, form: WarpForm, back: PointTransform, mostBend: number) {
    this.#source = source
    this.#warp = warp
    this.#form = form
    this.#back = back
    this.#mostBend = mostBend
  }

  async window(area: Rectangle): Promise<Pixels> {
    const target = this.#empty(area)
    for (let y = area.y; y < area.y + area.height; y += BAND)
      await this.#fill(target, area, { ...area, y, height: Math.min(BAND, area.y + area.height - y) })
    return target
  }

  #empty({ width, height }: Rectangle): Pixels {
    const { bands, dtype, has_mask } = this.#form
    const data = newSamples(dtype, width * height * bands)
    const nodata = parseNodata(this.#form.nodata ?? undefined, dtype)
    if (nodata !== undefined) (data as Uint8Array).fill(nodata as number)
    return { width, height, bands, dtype, data, mask: has_mask ? new Uint8Array(width * height) : undefined }
  }

  /** Pieces whose source does not fit are halved. */
  async #fill(target: Pixels, whole: Rectangle, piece: Rectangle): Promise<void> {
    const places = this.#places(piece)
    const reach = this.#reach(places)
    if (!reach) return
    const { bands, dtype } = this.#form
    const isLarge = reach.width * reach.height * (bands * bytesOfType(dtype) + 1) > PIECE_BYTES
    if (isLarge && Math.max(piece.width, piece.height) > LEAST_PIECE) {
      for (const half of halves(piece)) await this.#fill(target, whole, half)
      return
    }
    const needs: ResampleNeeds = {
      places,
      reach,
      method: this.#warp.method,
      scale: this.#warp.scale,
      form: this.#form,
      source: this.#warp.source,
    }
    const pixels = this.#empty(piece)
    resample(await this.#source.window(reach), pixels, needs)
    copyInto(target, whole, pixels, piece.x, piece.y)
  }

  /** Column and row of the source for the centre of each pixel, two numbers a pixel. */
  #places(piece: Rectangle): Float64Array {
    const length = piece.width * piece.height * 2
    // Used again: 4 MB each would wait for a collection that sees how little the heap itself holds.
    if (this.#buffer.length < length) this.#buffer = new Float64Array(length)
    const places = this.#buffer.subarray(0, length)
    for (let y = 0; y < piece.height; y += CELL)
      for (let x = 0; x < piece.width; x += CELL)
        this.#cell(places, piece, { x, y, width: Math.min(CELL, piece.width - x), height: Math.min(CELL, piece.height - y) })
    return places
  }

  /** Between the centres of its corner pixels straight, where the tested places agree. */
  #cell(places: Float64Array, piece: Rectangle, cell: Rectangle): void {
    const at = (x: number, y: number): [number, number] => this.#back(piece.x + x + 0.5, piece.y + y + 0.5)
    const [x1, y1] = [cell.x + cell.width - 1, cell.y + cell.height - 1]
    const corners = [at(cell.x, cell.y), at(x1, cell.y), at(cell.x, y1), at(x1, y1)] as const
    const bend = Math.max(
      ...TESTED.map(([u, v]) => this.#bend(corners, u, v, at(cell.x + (cell.width - 1) * u, cell.y + (cell.height - 1) * v))),
    )
    if (bend <= this.#mostBend) return straight(places, piece.width, cell, corners)
    if (Number.isFinite(bend) && Math.max(cell.width, cell.height) > LEAST) {
      for (const half of halves(cell)) this.#cell(places, piece, half)
      return
    }
    for (let y = cell.y; y <= y1; y++) for (let x = cell.x; x <= x1; x++) places.set(at(x, y), (y * piece.width + x) * 2)
  }

  /** How far a straight line misses an exact place, in source pixels. */
  #bend([a, b, c, d]: readonly [Place, Place, Place, Place], u: number, v: number, exact: Place): number {
    const line = (i: 0 | 1): number => (a[i] * (1 - u) + b[i] * u) * (1 - v) + (c[i] * (1 - u) + d[i] * u) * v
    return Math.hypot(line(0) - exact[0], line(1) - exact[1])
  }

  /** The part of the source that the places need; undefined where none lies within it. */
  #reach(places: Float64Array): Rectangle | undefined {
    const { width, height } = this.#warp.source
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
    for (let i = 0; i < places.length; i += 2) {
      const x = places[i] as number
      const y = places[i + 1] as number
      if (!(x >= 0 && y >= 0 && x <= width && y <= height)) continue
      if (x < left) left = x
      if (x > right) right = x
      if (y < top) top = y
      if (y > bottom) bottom = y
    }
    if (left > right) return undefined
    const [rx, ry] = this.#warp.scale.map((s) => Math.ceil(3 / Math.min(1, s)))
    const x = Math.max(0, Math.floor(left) - (rx as number))
    const y = Math.max(0, Math.floor(top) - (ry as number))
    return {
      x,
      y,
      width: Math.min(width, Math.ceil(right) + (rx as number)) - x,
      height: Math.min(height, Math.ceil(bottom) + (ry as number)) - y,
    }
  }
}

function halves({ x, y, width, height }: Rectangle): Rectangle[] {
  if (width >= height) {
    const left = Math.ceil(width / 2)
    return [
      { x, y, width: left, height },
      { x: x + left, y, width: width - left, height },
    ].filter((r) => r.width > 0)
  }
  const upper = Math.ceil(height / 2)
  return [
    { x, y, width, height: upper },
    { x, y: y + upper, width, height: height - upper },
  ].filter((r) => r.height > 0)
}

type Place = readonly [number, number]

function straight(
  places: Float64Array,
  stride: number,
  cell: Rectangle,
  [a, b, c, d]: readonly [Place, Place, Place, Place],
): void {
  const w = Math.max(1, cell.width - 1)
  const h = Math.max(1, cell.height - 1)
  for (let y = 0; y < cell.height; y++) {
    const v = y / h
    const x0 = a[0] + (c[0] - a[0]) * v
    const y0 = a[1] + (c[1] - a[1]) * v
    const dx = b[0] + (d[0] - b[0]) * v - x0
    const dy = b[1] + (d[1] - b[1]) * v - y0
    let at = ((cell.y + y) * stride + cell.x) * 2
    for (let x = 0; x < cell.width; x++) {
      places[at++] = x0 + (dx * x) / w
      places[at++] = y0 + (dy * x) / w
    }
  }
}
