// The last step of a COG: the levels that need all regions, the header, and the order of all blocks.
import { AppError } from '../rules/errors.ts'
import { buildHeader, type LevelTiles } from './layout.ts'
import type { OutputForm } from './output.ts'
import { levelSizes } from './overview.ts'
import { blockId, buildRegion, type PixelSource, type StageBlock, type WrittenBlock } from './region.ts'
import { type Regions, regionArea } from './regions.ts'
import { digestOf, packPixels, type SideGrid, sidePixels, type SideStore } from './side-pixels.ts'

/** What one task of the base level left. */
export interface RegionReport {
  readonly row: number
  readonly column: number
  readonly blocks: readonly WrittenBlock[]
  readonly digest: string
}

export interface Assembled {
  /** Blocks in the order of the file. */
  readonly ids: readonly string[]
  readonly header: Uint8Array
  readonly isBig: boolean
  readonly fileSize: number
  readonly levels: number
}

/**
 * Makes the levels above the tasks', stages them and the header, and puts all blocks in order.
 * @param cuts of cutPyramid; the first is the tasks'
 * @throws AppError `SIDE_BLOB_LOST`, `BLOCKS_LOST` when a region is not among the reports
 */
export async function assemble(
  form: OutputForm,
  cuts: readonly Regions[],
  reports: AsyncIterable<RegionReport> | Iterable<RegionReport>,
  { side, stage }: { side: SideStore; stage: StageBlock },
): Promise<Assembled> {
  const blocks = new BlockTable(form, cuts)
  let digests = new Map<string, string>()
  for await (const { row, column, blocks: written, digest } of reports) {
    digests.set(`${row}_${column}`, digest)
    for (const block of written) blocks.add(block, column)
  }
  for (const [i, cut] of cuts.entries()) {
    if (i === 0) continue
    const source = sidePixels(gridOf(form, cuts[i - 1] as Regions), side, digests)
    digests = await buildLevels(source, cut, form, { side, stage }, i < cuts.length - 1, (b, column) => blocks.add(b, column))
  }
  const { ids, tiles } = blocks.inOrder()
  const header = buildHeader(form, tiles)
  const id = blockId(99, 0, 0, header.bytes)
  await stage(id, header.bytes)
  return { ids: [id, ...ids], header: header.bytes, isBig: header.isBig, fileSize: header.fileSize, levels: tiles.length }
}

/** The level that a cut leaves for the next one. */
export function gridOf(form: OutputForm, cut: Regions): SideGrid {
  const level = cut.level + cut.halvings
  const by = 2 ** cut.halvings
  return {
    level,
    ...(levelSizes(form.width, form.height, form.tile_size)[level] as { width: number; height: number }),
    regionWidth: cut.regionWidth / by,
    regionHeight: cut.regionHeight / by,
    bands: form.bands,
    dtype: form.dtype,
    hasMask: form.has_mask,
  }
}

async function buildLevels(
  source: PixelSource,
  cut: Regions,
  form: OutputForm,
  { side, stage }: { side: SideStore; stage: StageBlock },
  keepsTop: boolean,
  add: (block: WrittenBlock, column: number) => void,
): Promise<Map<string, string>> {
  const digests = new Map<string, string>()
  for (let row = 0; row < cut.rows; row++)
    for (let column = 0; column < cut.columns; column++) {
      const spec = { column, area: regionArea(cut, row, column), level: cut.level, halvings: cut.halvings, writesLevel: false }
      const { blocks, top } = await buildRegion(source, spec, form, stage)
      for (const block of blocks) add(block, column)
      if (!keepsTop) continue
      await side.put(cut.level + cut.halvings, row, column, packPixels(top))
      digests.set(`${row}_${column}`, digestOf(top))
    }
  return digests
}

/** All blocks by level, row of tiles and column of regions; and the sizes of all tiles. */
class BlockTable {
  readonly #form: OutputForm
  /** By level: the blocks of a row side by side. */
  readonly #levels: {
    readonly columns: number
    readonly rows: number
    readonly across: number
    readonly regionTiles: number
    readonly blocks: (WrittenBlock | undefined)[]
  }[]

  constructor(form: OutputForm, cuts: readonly Regions[]) {
    this.#form = form
    this.#levels = levelSizes(form.width, form.height, form.tile_size).map(({ width, height }, level) => {
      const cut = cuts.find((c, i) => (i === 0 ? level >= c.level : level > c.level) && level <= c.level + c.halvings) as Regions
      const rows = Math.ceil(height / form.tile_size)
      return {
        columns: cut.columns,
        rows,
        across: Math.ceil(width / form.tile_size),
        regionTiles: cut.regionWidth / 2 ** (level - cut.level) / form.tile_size,
        blocks: Array.from({ length: rows * cut.columns }, () => undefined),
      }
    })
  }

  add(block: WrittenBlock, column: number): void {
    const level = this.#levels[block.level]
    if (level) level.blocks[block.row * level.columns + column] = block
  }

  /** @throws AppError `BLOCKS_LOST` */
  inOrder(): { ids: string[]; tiles: LevelTiles[] } {
    const ids: string[][] = []
    const tiles = this.#levels.map((level, number): LevelTiles => {
      const image = new Uint32Array(level.rows * level.across)
      const mask = this.#form.has_mask ? new Uint32Array(image.length) : undefined
      for (const [i, block] of level.blocks.entries()) {
        const [row, column] = [Math.floor(i / level.columns), i % level.columns]
        if (!block)
          throw new AppError('BLOCKS_LOST', `Level ${number} lacks the tiles of row ${row}, region ${column}. Run the job again.`)
        const at = row * level.across + column * level.regionTiles
        for (const [j, bytes] of block.sizes.entries())
          if (mask) (j % 2 === 0 ? image : mask)[at + (j >> 1)] = bytes
          else image[at + j] = bytes
      }
      ids.push(level.blocks.map((b) => (b as WrittenBlock).id))
      return { image, mask }
    })
    return { ids: ids.reverse().flat(), tiles }
  }
}
