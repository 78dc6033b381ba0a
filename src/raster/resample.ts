// Kernels of warping: nearest, bilinear (radius 1), cubic (a = -0.5, radius 2); along an axis that is reduced they grow with the reduction.
import type { OutputForm } from './output.ts'
import { nextUp } from './overview.ts'
import { isFloat, parseNodata, type Pixels, rangeOf, type SampleValue } from './samples.ts'
import type { WarpMethod, WarpPlan } from './warp-plan.ts'
import type { Rectangle } from './window.ts'

/** What warping must know of its output. */
export type WarpForm = Pick<OutputForm, 'bands' | 'dtype' | 'has_mask' | 'nodata' | 'source_nodata' | 'alpha'>

export interface ResampleNeeds {
  /** Column and row of the source for each pixel, in pixels from its upper left corner. */
  readonly places: Float64Array
  /** What the given source pixels are of the source. */
  readonly reach: Rectangle
  readonly method: WarpMethod
  readonly scale: readonly [number, number]
  readonly form: WarpForm
  readonly source: WarpPlan['source']
}

/** GDAL counts an axis as not reduced from here on. */
const NOT_REDUCED = 0.95
/** A place on a pixel's edge belongs to the right one in spite of rounding, as in gdalwarp. */
const EDGE = 1e-10

/** Fills the pixels whose place lies on a valid source pixel; the rest is left as it is. */
export function resample(from: Pixels, to: Pixels, needs: ResampleNeeds): void {
  const { places, reach, form, source, method } = needs
  const sampler = new Sampler(from, to, needs)
  for (let i = 0, p = 0; p < places.length; i++, p += 2) {
    const x = places[p] as number
    const y = places[p + 1] as number
    if (!(x >= 0 && y >= 0 && x < source.width + EDGE && y < source.height + EDGE)) continue
    const column = Math.min(Math.floor(x + EDGE), source.width - 1) - reach.x
    const row = Math.min(Math.floor(y + EDGE), source.height - 1) - reach.y
    if (column < 0 || row < 0 || column >= from.width || row >= from.height) continue
    const center = row * from.width + column
    if (from.mask && from.mask[center] === 0) continue
    if (form.alpha !== null && Number(from.data[center * from.bands + form.alpha]) === 0) continue
    if (to.mask) to.mask[i] = 255
    if (method === 'nearest') sampler.nearest(i, center)
    else if (method === 'bilinear' && sampler.bilinear(i, x - reach.x - 0.5, y - reach.y - 0.5)) continue
    else sampler.weighted(i, x - reach.x, y - reach.y, center)
  }
}

const MOST_TAPS = 64

class Sampler {
  readonly #from: Pixels
  readonly #to: Pixels
  readonly #nodata: SampleValue | undefined
  readonly #isNan: boolean
  readonly #store: (at: number, value: number) => void
  readonly #radius: readonly [number, number]
  readonly #scale: readonly [number, number]
  readonly #kernel: (t: number) => number
  readonly #wx: Float64Array
  readonly #wy: Float64Array
  readonly #alpha: number | null
  /** No mask, no alpha, no axis reduced. */
  readonly #isPlain: boolean
  /** Between bytes nothing has to be clamped, and a typed array cuts what is behind the point. */
  readonly #isBytes: boolean

  constructor(from: Pixels, to: Pixels, { form, method, scale }: ResampleNeeds) {
    this.#from = from
    this.#to = to
    this.#nodata = parseNodata(form.source_nodata ?? undefined, form.dtype)
    this.#isNan = Number.isNaN(this.#nodata)
    this.#store = storeOf(to, parseNodata(form.nodata ?? undefined, form.dtype))
    this.#scale = [scale[0] < NOT_REDUCED ? scale[0] : 1, scale[1] < NOT_REDUCED ? scale[1] : 1]
    const base = method === 'cubic' ? 2 : 1
    this.#radius = [base / this.#scale[0], base / this.#scale[1]]
    this.#kernel = method === 'cubic' ? cubic : linear
    this.#wx = new Float64Array(Math.max(MOST_TAPS, Math.ceil(this.#radius[0]) * 2 + 2))
    this.#wy = new Float64Array(Math.max(MOST_TAPS, Math.ceil(this.#radius[1]) * 2 + 2))
    this.#alpha = form.alpha
    this.#isPlain = !from.mask && form.alpha === null && this.#scale[0] === 1 && this.#scale[1] === 1
    this.#isBytes = to.dtype === 'uint8' && form.nodata === null
  }

  nearest(i: number, center: number): void {
    const bands = this.#from.bands
    const [to, from] = [this.#to.data as Uint8Array, this.#from.data as Uint8Array]
    for (let b = 0; b < bands; b++) to[i * bands + b] = from[center * bands + b] as number
  }

  /**
   * The common case, four valid neighbours and no reduced axis; at an edge the pixel stands for its neighbour.
   * @param x, y in pixels of the given source, from the centre of its first one
   * @returns false where it is none: then nothing was written
   */
  bilinear(i: number, x: number, y: number): boolean {
    if (!this.#isPlain) return false
    const { width, height, bands, data } = this.#from
    const from = data as Float64Array
    const column = Math.floor(x)
    const row = Math.floor(y)
    const u = x - column
    const v = y - row
    const left = column < 0 ? 0 : column
    const right = column + 1 < width ? column + 1 : width - 1
    const upper = (row < 0 ? 0 : row) * width
    const lower = (row + 1 < height ? row + 1 : height - 1) * width
    const a = (upper + left) * bands
    const b = (upper + right) * bands
    const c = (lower + left) * bands
    const d = (lower + right) * bands
    const nodata = this.#nodata
    if (nodata !== undefined)
      for (let k = 0; k < bands; k++)
        if (
          this.#isMissing(from[a + k] as number) ||
          this.#isMissing(from[b + k] as number) ||
          this.#isMissing(from[c + k] as number) ||
          this.#isMissing(from[d + k] as number)
        )
          return false
    for (let k = 0; k < bands; k++) {
      const above = (from[a + k] as number) * (1 - u) + (from[b + k] as number) * u
      const below = (from[c + k] as number) * (1 - u) + (from[d + k] as number) * u
      const value = above * (1 - v) + below * v
      if (this.#isBytes) (this.#to.data as Uint8Array)[i * bands + k] = value + 0.5
      else this.#store(i * bands + k, value)
    }
    return true
  }

  /** @param x, y in pixels of the given source; centres of pixels stand at halves */
  weighted(i: number, x: number, y: number, center: number): void {
    const { width, height, bands, data, mask } = this.#from
    const isAtEdge = this.#kernel === cubic && this.#isAtEdge(x, y)
    const [x0, nx] = this.#weights(this.#wx, x, 0, width, isAtEdge)
    const [y0, ny] = this.#weights(this.#wy, y, 1, height, isAtEdge)
    for (let b = 0; b < bands; b++) {
      if (this.#isMissing((data as Float64Array)[center * bands + b] as number)) continue
      let [sum, total] = [0, 0]
      for (let r = 0; r < ny; r++)
        for (let c = 0; c < nx; c++) {
          const at = (y0 + r) * width + x0 + c
          if (mask && mask[at] === 0) continue
          if (this.#alpha !== null && b !== this.#alpha && (data as Float64Array)[at * bands + this.#alpha] === 0) continue
          const value = (data as Float64Array)[at * bands + b] as number
          if (this.#isMissing(value)) continue
          const weight = (this.#wx[c] as number) * (this.#wy[r] as number)
          sum += value * weight
          total += weight
        }
      if (total > 1e-6 || total < -1e-6) this.#store(i * bands + b, sum / total)
      else this.#store(i * bands + b, (data as Float64Array)[center * bands + b] as number)
    }
  }

  #isMissing(value: number): boolean {
    return this.#isNan ? Number.isNaN(value) : value === this.#nodata
  }

  /** Not all 4 x 4 neighbours are there: bilinear then, as gdalwarp, where no axis is reduced. */
  #isAtEdge(x: number, y: number): boolean {
    if (this.#scale[0] !== 1 || this.#scale[1] !== 1) return false
    const [column, row] = [Math.floor(x - 0.5), Math.floor(y - 0.5)]
    return column < 1 || row < 1 || column + 2 >= this.#from.width || row + 2 >= this.#from.height
  }

  /** Fills the weights of one axis; answers with the first pixel and how many. */
  #weights(weights: Float64Array, at: number, axis: 0 | 1, size: number, isLinear: boolean): [number, number] {
    const radius = isLinear ? 1 : this.#radius[axis]
    const kernel = isLinear ? linear : this.#kernel
    const scale = this.#scale[axis]
    const first = Math.max(0, Math.ceil(at - 0.5 - radius))
    const last = Math.min(size - 1, Math.floor(at - 0.5 + radius))
    for (let i = first; i <= last; i++) weights[i - first] = kernel((i + 0.5 - at) * scale)
    return [first, last - first + 1]
  }
}

function linear(t: number): number {
  const d = t < 0 ? -t : t
  return d < 1 ? 1 - d : 0
}

/** Keys 1981 with a = -0.5. */
function cubic(t: number): number {
  const d = t < 0 ? -t : t
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0
}

/** Integers: half up, for negative ones too, then within the type; nodata by accident becomes its neighbour below (floats: above). */
function storeOf({ data, dtype }: Pixels, nodata: SampleValue | undefined): (at: number, value: number) => void {
  const plain = data as Float64Array
  if (isFloat(dtype))
    return (at, value) => {
      plain[at] = value
      if (plain[at] === nodata) plain[at] = nextUp(nodata as number, dtype === 'float32')
    }
  const [least, most] = rangeOf(dtype).map(Number) as [number, number]
  const instead = nodata === undefined ? 0 : Number(nodata) > least ? Number(nodata) - 1 : least + 1
  return (at, value) => {
    const rounded = Math.min(most, Math.max(least, Math.floor(value + 0.5)))
    plain[at] = rounded === nodata ? instead : rounded
  }
}
