// One task's share of a COG: the tiles of a rectangle on its level and on those above that need no neighbour.
import { createHash } from 'node:crypto'
import { type OutputForm, overviewRulesOf, tileFormOf } from './output.ts'
import { halve } from './overview.ts'
import { newSamples, type Pixels } from './samples.ts'
import { mergeMoments, type Moments, momentsOf, NO_MOMENTS } from './statistics.ts'
import { encodeMaskTile, encodeTile, tileRecord } from './tile-encoder.ts'
import type { Rectangle } from './window.ts'

/** Gives pixels of one level of the output; a mask where the output has one. */
export interface PixelSource {
  window(area: Rectangle): Promise<Pixels>
}

export interface RegionSpec {
  readonly column: number
  /** In pixels of the region's own level; x and y are multiples of `tile size * 2 ** halvings`. */
  readonly area: Rectangle
  /** The level of the output that the source gives. */
  readonly level: number
  /** How many levels above it are made. */
  readonly halvings: number
  /** False: the tiles of `level` itself are written elsewhere. */
  readonly writesLevel: boolean
}

/** A run of tiles of one row, staged as one block. */
export interface WrittenBlock {
  readonly level: number
  /** Row of tiles within the level. */
  readonly row: number
  readonly id: string
  /** Bytes of each tile from left to right; with a mask, of its mask's tile behind it. */
  readonly sizes: readonly number[]
  readonly bytes: number
}

export type StageBlock = (id: string, bytes: Uint8Array) => Promise<void>

export interface RegionResult {
  readonly blocks: readonly WrittenBlock[]
  /** Pixels of the highest level made: what the levels above are made from. */
  readonly top: Pixels
  /** Per band, of the region's own level; empty where that was not written. */
  readonly moments: readonly Moments[]
}

/** Blocks on their way while the next tiles are made. */
const UPLOADS = 2

/**
 * Works in slabs of one row of tiles, so that memory does not depend on the height.
 * @throws AppError what the source, the codecs and `stage` throw
 */
export async function buildRegion(
  source: PixelSource,
  spec: RegionSpec,
  form: OutputForm,
  stage: StageBlock,
): Promise<RegionResult> {
  const builder = new RegionBuilder(spec, form, stage)
  const { area } = spec
  for (let row = 0; row * form.tile_size < area.height; row++) {
    const y = area.y + row * form.tile_size
    const slab = await source.window({ ...area, y, height: Math.min(form.tile_size, area.y + area.height - y) })
    await builder.push(0, row, slab)
  }
  return builder.result()
}

class RegionBuilder {
  readonly #spec: RegionSpec
  readonly #form: OutputForm
  readonly #stage: StageBlock
  readonly #blocks: WrittenBlock[] = []
  /** Upper halves of slabs that wait for their lower ones, by halving. */
  readonly #waiting = new Map<number, Pixels>()
  readonly #pending = new Set<Promise<void>>()
  #moments: readonly Moments[]
  #top: Pixels | undefined

  constructor(spec: RegionSpec, form: OutputForm, stage: StageBlock) {
    this.#spec = spec
    this.#form = form
    this.#stage = stage
    this.#moments = spec.writesLevel ? Array.from({ length: form.bands }, () => NO_MOMENTS) : []
  }

  /** @param row of slabs of this halving within the region */
  async push(halving: number, row: number, slab: Pixels): Promise<void> {
    const { halvings, writesLevel } = this.#spec
    const rules = overviewRulesOf(this.#form)
    if (halving > 0 || writesLevel) await this.#write(halving, row, slab)
    if (halving === 0 && writesLevel) {
      const found = momentsOf(slab, rules.nodata, rules.alpha)
      this.#moments = this.#moments.map((m, band) => mergeMoments(m, found[band] as Moments))
    }
    if (halving === halvings) {
      this.#top = slab
      return
    }
    const half = halve(slab, rules)
    const upper = this.#waiting.get(halving)
    const isLast = (row + 1) * this.#form.tile_size >= this.#heightAt(halving)
    if (!upper && !isLast) {
      this.#waiting.set(halving, half)
      return
    }
    this.#waiting.delete(halving)
    await this.push(halving + 1, row >> 1, upper ? stacked(upper, half) : half)
  }

  async result(): Promise<RegionResult> {
    await Promise.all(this.#pending)
    return { blocks: this.#blocks, top: this.#top as Pixels, moments: this.#moments }
  }

  #heightAt(halving: number): number {
    return Math.ceil(this.#spec.area.height / 2 ** halving)
  }

  async #write(halving: number, row: number, slab: Pixels): Promise<void> {
    const { tile_size: tile, has_mask } = this.#form
    const tileForm = tileFormOf(this.#form)
    const records: Uint8Array[] = []
    const sizes: number[] = []
    const add = (encoded: Uint8Array): void => {
      records.push(tileRecord(encoded))
      sizes.push(encoded.length)
    }
    for (let left = 0; left < slab.width; left += tile) {
      add(await encodeTile(slab, left, tileForm))
      if (has_mask) add(encodeMaskTile(slab.mask ?? new Uint8Array(slab.width * slab.height).fill(255), slab, left, tile))
    }
    const bytes = Buffer.concat(records)
    const level = this.#spec.level + halving
    const globalRow = this.#spec.area.y / 2 ** halving / tile + row
    const id = blockId(level, globalRow, this.#spec.column, bytes)
    this.#blocks.push({ level, row: globalRow, id, sizes, bytes: bytes.length })
    await this.#upload(id, bytes)
  }

  /** At most UPLOADS wait, so that finished bytes do not pile up; a failure ends the region at the next one. */
  async #upload(id: string, bytes: Uint8Array): Promise<void> {
    while (this.#pending.size >= UPLOADS) await Promise.race(this.#pending)
    const upload: Promise<void> = this.#stage(id, bytes)
    const settled = upload.finally(() => this.#pending.delete(settled))
    this.#pending.add(settled)
    settled.catch(() => undefined)
  }
}

/** Named by its content: a repeated task stages the same, a wrong one can never take its place. 50 bytes, below the service's 64. */
export function blockId(level: number, row: number, column: number, bytes: Uint8Array): string {
  const digits = (value: number, length: number): string => String(value).padStart(length, '0')
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
  return `L${digits(level, 2)}R${digits(row, 6)}C${digits(column, 6)}-${hash}`
}

function stacked(upper: Pixels, lower: Pixels): Pixels {
  const height = upper.height + lower.height
  const data = newSamples(upper.dtype, upper.width * height * upper.bands)
  ;(data as Uint8Array).set(upper.data as Uint8Array, 0)
  ;(data as Uint8Array).set(lower.data as Uint8Array, upper.data.length)
  if (!upper.mask || !lower.mask) return { ...upper, height, data, mask: undefined }
  const mask = new Uint8Array(upper.width * height)
  mask.set(upper.mask, 0)
  mask.set(lower.mask, upper.mask.length)
  return { ...upper, height, data, mask }
}
