// From a raster and the wishes of a job to the form of its output: tiers, bands, transparency, tags.
import { AppError } from '../rules/errors.ts'
import { colors } from './describe.ts'
import type { Directory } from './directory.ts'
import { keptMetadata, type MetadataItem, parseGdalMetadata, writeGdalMetadata } from './gdal-metadata.ts'
import { type DataType, type Pyramid, type TiffImage } from './image.ts'
import { LIMITS } from './limits.ts'
import { compressionOf, type Conversion, DEFAULT_QUALITY } from './options.ts'
import type { OutputForm, RawTag } from './output.ts'
import type { OverviewMethod } from './overview.ts'
import { bytesOfType, decodedType, isWide, parseNodata } from './samples.ts'
import { GEO_TAGS, PHOTOMETRIC, TAG } from './tags.ts'

export interface FormWarning {
  readonly code: string
  readonly message: string
}

interface Chosen {
  readonly main: TiffImage
  readonly name: string
  readonly options: Conversion
  readonly items: readonly MetadataItem[]
  /** 0-based bands of the source. */
  readonly bands: readonly number[]
  /** Colour interpretation of each. */
  readonly colors: readonly string[]
  readonly isPalette: boolean
  readonly nodata: string | null
  readonly warnings: FormWarning[]
}

/**
 * The output of an unwarped conversion; a warp replaces size and place.
 * @throws AppError `TIER_INCOMPATIBLE`, `OPTION_INVALID`, `BAND_UNKNOWN`, `SAMPLE_UNSUPPORTED`
 */
export async function outputFormOf(
  pyramid: Pyramid,
  options: Conversion,
): Promise<{ form: OutputForm; warnings: FormWarning[] }> {
  const { main, file } = pyramid
  const items = parseGdalMetadata(await main.directory.text(TAG.gdalMetadata))
  const chosen = choose(pyramid, options, items)
  assertSamples(chosen)
  const { hasColorMap, ...looks } =
    options.output_tier === 'visualization' ? visualization(chosen, pyramid) : asInSource(chosen, pyramid)
  const dtype = decodedType(main.dtype as DataType)
  const kept = keptMetadata(items, looks.steps.bands)
  const form: OutputForm = {
    width: main.width,
    height: main.height,
    dtype,
    tile_size: tileSize(options.tile_size, looks.bands * bytesOfType(dtype), chosen.warnings),
    compression: compressionOf(options),
    quality: options.quality ?? DEFAULT_QUALITY,
    overview_method: overviewMethod(chosen, hasColorMap),
    tags: await copiedTags(main.directory, file.encoding.little, chosen.warnings),
    metadata_xml: writeGdalMetadata(kept) ?? null,
    source_nodata: chosen.nodata,
    ...looks,
    color_map: (hasColorMap && (await rawTag(main.directory, TAG.colorMap, file.encoding.little))) || null,
  }
  if (looks.steps.expandPalette !== null) form.steps.expandPalette = await paletteBytes(main)
  return { form, warnings: chosen.warnings }
}

function choose({ main, file }: Pyramid, options: Conversion, items: readonly MetadataItem[]): Chosen {
  const all = colors(main, items)
  const bands = options.bands?.map((b) => b - 1) ?? all.map((_, i) => i)
  const unknown = bands.find((b) => b >= main.bands)
  if (unknown !== undefined)
    throw new AppError('BAND_UNKNOWN', `bands names ${unknown + 1}, but ${file.source.name} has ${main.bands} bands.`, {
      issues: [{ path: 'bands', message: `must be within 1-${main.bands}` }],
    })
  const warnings: FormWarning[] = []
  return {
    main,
    name: file.source.name,
    options,
    items,
    bands,
    colors: bands.map((b) => all[b] as string),
    isPalette: main.photometric === PHOTOMETRIC.palette && main.bands === 1 && main.directory.has(TAG.colorMap),
    nodata: nodataText(main, options, warnings),
    warnings,
  }
}

function nodataText({ nodataText: given, dtype }: TiffImage, { nodata }: Conversion, warnings: FormWarning[]): string | null {
  const usable = parseNodata(given, dtype as DataType) !== undefined
  if (given !== undefined && !usable)
    warnings.push({
      code: 'NODATA_OUT_OF_RANGE',
      message: `nodata ${given.slice(0, 60)} is no value of ${dtype}: no pixel is missing`,
    })
  if (given !== undefined && usable) {
    if (nodata !== undefined && !Object.is(parseNodata(String(nodata), dtype as DataType), parseNodata(given, dtype as DataType)))
      warnings.push({
        code: 'NODATA_KEPT',
        message: `the source says nodata ${given}; the parameter ${nodata} is for sources without`,
      })
    return given
  }
  if (nodata === undefined) return null
  if (parseNodata(String(nodata), dtype as DataType) !== undefined) return String(nodata)
  throw new AppError('OPTION_INVALID', `nodata ${nodata} is no value of ${dtype}.`, {
    issues: [{ path: 'nodata', message: `must be a ${dtype}` }],
  })
}

type Looks = Pick<OutputForm, 'bands' | 'photometric' | 'extra_samples' | 'nodata' | 'alpha' | 'has_mask' | 'steps'> & {
  /** The source's colour map is copied. */
  readonly hasColorMap: boolean
}

/** Analysis and archive: bands, nodata, mask and alpha as they are. */
function asInSource({ bands, colors, isPalette, nodata, main }: Chosen, { mask }: Pyramid): Looks {
  return {
    ...colorTags(colors, isPalette, main.extraSamples),
    bands: bands.length,
    nodata,
    has_mask: mask !== undefined,
    steps: { bands: [...bands], expandPalette: null, maskFromAlpha: null, maskFromNodata: false, sourceMask: mask !== undefined },
    hasColorMap: isPalette,
  }
}

/** For eyes: 8 bit, 1, 3 or 4 bands, holes as a mask or alpha. */
function visualization(chosen: Chosen, { mask }: Pyramid): Looks {
  const { main, name, options, bands, colors, isPalette, nodata } = chosen
  const compression = compressionOf(options)
  const refuse = (text: string): never => {
    throw new AppError('TIER_INCOMPATIBLE', `${name} ${text} Choose bands: [r, g, b], or output_tier analysis.`)
  }
  if (main.dtype !== 'uint8') refuse(`has ${main.dtype} samples; visualization takes uint8.`)
  const seen = isPalette ? ['red', 'green', 'blue'] : colors
  const alpha = seen.indexOf('alpha')
  if (![1, 3, 4].includes(seen.length)) refuse(`has ${seen.length} bands; visualization takes 1, 3 or 4.`)
  if (compression === 'jpeg' && seen.length === 4 && alpha !== 3)
    refuse('has 4 bands, of which the last is no alpha; jpeg takes 1, 3, or 3 and alpha.')
  if (compression === 'webp' && seen.length === 1)
    throw new AppError('OPTION_INVALID', `${name} has one band; webp takes 3 or 4. Use jpeg or deflate.`, {
      issues: [{ path: 'compression', message: 'webp takes 3 or 4 bands' }],
    })
  const dropsAlpha = compression === 'jpeg' && alpha >= 0
  const kept = dropsAlpha ? bands.slice(0, 3) : [...bands]
  const keptColors = dropsAlpha ? seen.slice(0, 3) : seen
  // Three bands without names are shown as red, green, blue: that is what they were chosen for.
  const shown =
    keptColors.length >= 3 && !keptColors.includes('red') ? ['red', 'green', 'blue', ...keptColors.slice(3)] : keptColors
  const has_mask = mask !== undefined || dropsAlpha || nodata !== null
  return {
    ...colorTags(shown, false, main.extraSamples),
    bands: keptColors.length,
    nodata: null,
    has_mask,
    steps: {
      bands: kept,
      expandPalette: isPalette ? '' : null,
      maskFromAlpha: dropsAlpha ? (bands[alpha] as number) : null,
      maskFromNodata: nodata !== null,
      sourceMask: mask !== undefined,
    },
    hasColorMap: false,
  }
}

function colorTags(
  names: readonly string[],
  isPalette: boolean,
  extra: readonly number[],
): Pick<Looks, 'photometric' | 'extra_samples' | 'alpha'> {
  const isRgb = names[0] === 'red' && names[1] === 'green' && names[2] === 'blue'
  const base = isRgb ? 3 : 1
  const alpha = names.indexOf('alpha')
  const associated = extra.includes(1)
  return {
    photometric: isPalette ? PHOTOMETRIC.palette : isRgb ? PHOTOMETRIC.rgb : PHOTOMETRIC.blackIsZero,
    extra_samples: names.slice(base).map((n) => (n === 'alpha' ? (associated ? 1 : 2) : 0)),
    alpha: alpha < 0 ? null : alpha,
  }
}

/** @throws AppError `OPTION_INVALID` */
function assertSamples({ main, options, name }: Chosen): void {
  const averages = options.overview_resampling === 'average'
  if (averages && isWide(main.dtype as DataType))
    throw new AppError(
      'OPTION_INVALID',
      `${name} has ${main.dtype} samples, which are not averaged. Use overview_resampling nearest or mode.`,
      {
        issues: [{ path: 'overview_resampling', message: 'must be nearest or mode for 64-bit integers' }],
      },
    )
}

/** A palette that becomes colours is averaged like colours: the commonest of each band apart would mix entries. */
function overviewMethod({ main, options }: Chosen, isPalette: boolean): OverviewMethod {
  if (options.overview_resampling !== 'auto') return options.overview_resampling
  if (isPalette) return 'mode'
  return isWide(main.dtype as DataType) ? 'nearest' : 'average'
}

/** Very wide pixels get smaller tiles, so that a slab fits into memory. */
function tileSize(wanted: 256 | 512 | 1024, bytesPerPixel: number, warnings: FormWarning[]): number {
  let tile: number = wanted
  while (tile > 256 && tile * tile * 2 * bytesPerPixel > LIMITS.slabBytes) tile /= 2
  if (tile !== wanted)
    warnings.push({
      code: 'TILE_SIZE_REDUCED',
      message: `tiles have ${tile} pixels instead of ${wanted}: a pixel has ${bytesPerPixel} bytes`,
    })
  return tile
}

/** Georeference and colour profiles are small; every task reads the plan that holds them. */
const MOST_TAG_BYTES = 1024 * 1024

async function copiedTags(directory: Directory, isLittle: boolean, warnings: FormWarning[]): Promise<RawTag[]> {
  const found: RawTag[] = []
  for (const tag of [...GEO_TAGS, TAG.iccProfile]) {
    const raw = await rawTag(directory, tag, isLittle)
    if (!raw) continue
    if (raw.bytes.length * 0.75 <= MOST_TAG_BYTES) found.push(raw)
    else warnings.push({ code: 'TAG_DROPPED', message: `tag ${tag} has more than ${MOST_TAG_BYTES} bytes and is not copied` })
  }
  return found
}

const WIDTHS: Readonly<Record<number, number>> = { 3: 2, 8: 2, 4: 4, 9: 4, 11: 4, 13: 4, 5: 4, 10: 4, 12: 8, 16: 8, 17: 8, 18: 8 }

/** Values in little-endian order; the output has no other. */
async function rawTag(directory: Directory, tag: number, isLittle: boolean): Promise<RawTag | undefined> {
  const entry = directory.entries.get(tag)
  const given = await directory.bytes(tag)
  if (!entry || !given) return undefined
  const bytes = Buffer.from(given)
  const width = WIDTHS[entry.type] ?? 1
  if (!isLittle) {
    if (width === 2) bytes.swap16()
    if (width === 4) bytes.swap32()
    if (width === 8) bytes.swap64()
  }
  return { tag, type: entry.type, count: entry.count, bytes: bytes.toString('base64') }
}

/** 256 entries of red, green, blue, 8 bit each. */
async function paletteBytes(main: TiffImage): Promise<string> {
  const map = (await main.directory.numbers(TAG.colorMap)) as Float64Array
  const entries = map.length / 3
  const bytes = new Uint8Array(256 * 3)
  for (let i = 0; i < Math.min(256, entries); i++)
    for (let c = 0; c < 3; c++) bytes[i * 3 + c] = (map[c * entries + i] as number) >> 8
  return Buffer.from(bytes).toString('base64')
}
