// Our judge of COGs: each of its rules finds the file that one edit has broken, and the good ones pass; its idea of a COG is GDAL's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkCog } from '../../src/raster/check.ts'
import { describeRaster } from '../../src/raster/describe.ts'
import { readTiff, type TiffFile } from '../../src/raster/directory.ts'
import { TAG } from '../../src/raster/tags.ts'
import { type Gdal, openGdal } from '../support/gdal.ts'
import { bytesSource, convert } from '../support/raster.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

let good: Buffer
let masked: Buffer
let tiff: TiffFile
let gdal: Gdal
const source = makeTiff({
  width: 700,
  height: 600,
  bands: 1,
  dtype: 'uint8',
  samples: someSamples('uint8', 700, 600, 1),
  nodata: '3',
})
beforeAll(async () => {
  gdal = await openGdal()
  good = (await convert(bytesSource(source), { tile_size: 256 })).bytes
  masked = (await convert(bytesSource(source), { tile_size: 256, output_tier: 'visualization', compression: 'deflate' })).bytes
  tiff = await readTiff(bytesSource(good))
})
afterAll(() => gdal.close())

/** Place of a tag's entry in the file. */
function entryAt(directory: number, tag: number): number {
  const d = tiff.directories[directory] as TiffFile['directories'][number]
  const order = [...d.entries.keys()].sort((a, b) => a - b)
  return d.offset + 2 + order.indexOf(tag) * 12
}
const valuesAt = (directory: number, tag: number): number => tiff.directories[directory]?.entries.get(tag)?.at as number
type Edit = (file: Buffer) => Buffer | void
const broken = async (edit: Edit, from: Buffer = good): Promise<string[]> => {
  const copy = Buffer.from(from)
  const changed = edit(copy) ?? copy
  return (await checkCog(bytesSource(changed))).map((i) => i.code)
}

describe('one edit, one rule', () => {
  const EDITS: Record<string, [Edit, code: string]> = {
    'a letter of the ghost area': [(f) => void f.write('x', 60), 'GHOST_AREA'],
    'an overview that calls itself an image': [(f) => void f.writeUInt32LE(0, entryAt(1, TAG.subfileType) + 8), 'IFD_ORDER'],
    'a level that is wider than the image': [(f) => void f.writeUInt16LE(701, entryAt(1, TAG.width) + 8), 'LEVEL_SIZES'],
    'another predictor in a level': [(f) => void f.writeUInt16LE(1, entryAt(1, TAG.predictor) + 8), 'LEVELS_DIFFER'],
    'a tile offset too far': [
      (f) => void f.writeUInt32LE(f.readUInt32LE(valuesAt(0, TAG.tileOffsets)) + 1, valuesAt(0, TAG.tileOffsets)),
      'OVERLAP_OR_GAP',
    ],
    'two tiles the wrong way round': [
      (f) => void f.writeUInt32LE(f.readUInt32LE(valuesAt(0, TAG.tileOffsets)) - 1, valuesAt(0, TAG.tileOffsets) + 4),
      'OFFSET_ORDER',
    ],
    'a tile that is left out': [(f) => void f.writeUInt32LE(0, valuesAt(0, TAG.tileByteCounts)), 'SPARSE'],
    'a byte more at the end': [(f) => Buffer.concat([f, Buffer.from([0])]), 'END_OF_FILE'],
    'a wrong trailer': [(f) => void f.writeUInt8((f[f.length - 1] as number) ^ 1, f.length - 1), 'LEADER_TRAILER'],
  }
  test.each(Object.keys(EDITS))('%s', async (name) => {
    const [edit, code] = EDITS[name] as [Edit, string]
    const found = await broken(edit)
    expect(found[0]).toBe(code)
    // Another width is another number of tiles, too.
    expect(found.slice(1)).toEqual(code === 'LEVEL_SIZES' ? ['TILE_COUNT'] : [])
  })
  test('no edit, no issue, with and without masks', async () => {
    expect(await broken(() => undefined)).toEqual([])
    expect(await broken(() => undefined, masked)).toEqual([])
    expect(await broken((f) => Buffer.concat([f, Buffer.from([0])]), masked)).toEqual(['END_OF_FILE'])
  })
})

describe('is it a COG? As GDAL judges', () => {
  const isCog = async (file: Uint8Array): Promise<[boolean, string[]]> => {
    const { is_cog, cog_issues } = await describeRaster(bytesSource(file))
    return [is_cog, cog_issues.map((i) => i.code)]
  }
  test("GDAL's own COG is one, its plain GeoTIFF is not", async () => {
    expect(await isCog(await gdal.translate(source, '-of', 'COG', '-co', 'BLOCKSIZE=256'))).toEqual([true, []])
    const plain = await gdal.translate(source, '-co', 'TILED=YES')
    expect((await isCog(plain))[0]).toBe(true)
    expect((await isCog(await gdal.translate(source, '-co', 'COMPRESS=LZW')))[1]).toContain('NOT_TILED')
    expect((await isCog(source))[1]).toContain('NOT_TILED')
  })
  test('one that was edited afterwards says so itself', async () => {
    const edited = Buffer.from(good)
    const at = edited.indexOf('KNOWN_INCOMPATIBLE_EDITION=NO\n ')
    edited.write('KNOWN_INCOMPATIBLE_EDITION=YES\n', at)
    expect(await isCog(edited)).toEqual([false, ['EDITED']])
  })
  test('overviews whose data stands behind the image, directories out of order', async () => {
    const swapped = Buffer.from(good)
    const [a, b] = [valuesAt(0, TAG.tileOffsets), valuesAt(1, TAG.tileOffsets)]
    swapped.writeUInt32LE(good.readUInt32LE(a), b)
    swapped.writeUInt32LE(good.readUInt32LE(b), a)
    expect((await isCog(swapped))[1]).toContain('DATA_ORDER')
  })
})
