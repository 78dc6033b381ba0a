// Projection, bands, statistics, checksums: what the numbers of a raster say about one another.
import type { Findings, Path } from './findings.ts'
import { type JsonObject, numbersOf, objectsIn, shown } from './json.ts'
import type { Carrier, Rule } from './subject.ts'

/** Row-major, pixel to CRS: x = a*column + b*row + c, y = d*column + e*row + f. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

export interface Grid {
  readonly rows: number
  readonly columns: number
  readonly affine: Affine
}

export const rasterRule: Rule = ({ document, carriers }, findings) => {
  for (const carrier of carriers) {
    emptyBands(document, carrier, findings)
    statistics(carrier, findings)
    // Of a file: an asset, or what a link leads to.
    if (carrier.path.length === 2) checksum(carrier, findings)
    if (carrier.path[0] === 'properties' || carrier.path.length === 2) projection(carrier, findings)
  }
}

/** An empty list says nothing; but the bands of properties lean on those of assets (item.json). */
function emptyBands(document: JsonObject, { path, value }: Carrier, findings: Findings): void {
  const { bands } = value
  if (!Array.isArray(bands) || bands.length > 0) return
  const isNeeded = (): boolean => path[0] === 'assets' && hasBands(document.properties) && bandsOfAssets(document) === 1
  const fix = (): string | undefined => {
    if (isNeeded()) return undefined
    delete value.bands
    return 'removed bands'
  }
  findings.semantic('BANDS_EMPTY', [...path, 'bands'], 'without a band', { fix: isNeeded() ? undefined : fix })
}

const hasBands = (holder: unknown): boolean => typeof holder === 'object' && holder !== null && 'bands' in holder
const bandsOfAssets = (document: JsonObject): number => objectsIn(document.assets).filter(([, asset]) => 'bands' in asset).length

function statistics({ path, value }: Carrier, findings: Findings): void {
  const { statistics } = value
  if (typeof statistics !== 'object' || statistics === null) return
  const { minimum, maximum, mean, stddev } = statistics as Record<string, unknown>
  const at = [...path, 'statistics']
  const isAbove = (a: unknown, b: unknown): boolean => typeof a === 'number' && typeof b === 'number' && a > b + slack(a, b)
  if (isAbove(minimum, maximum)) findings.semantic('STATISTICS_ORDER', at, 'minimum is above maximum')
  else if (isAbove(minimum, mean) || isAbove(mean, maximum))
    findings.semantic('STATISTICS_ORDER', at, 'mean is not between minimum and maximum')
  else if (isAbove(0, stddev)) findings.semantic('STATISTICS_ORDER', at, 'stddev is negative')
}

/** A mean of equal values may differ from them in the last digits. */
const slack = (a: number, b: number): number => 1e-9 * Math.max(Math.abs(a), Math.abs(b))

function checksum({ path, value }: Carrier, findings: Findings): void {
  const text = value['file:checksum']
  if (typeof text !== 'string' || isMultihash(text)) return
  findings.semantic('CHECKSUM_FORMAT', [...path, 'file:checksum'], `${shown(text)} is no multihash in lower-case hex`)
}

/** Two varints, kind and length, then so many bytes (github.com/multiformats/multihash). @example `d50110` + 32 digits is an MD5 */
export function isMultihash(text: string): boolean {
  if (!/^(?:[0-9a-f]{2})+$/.test(text)) return false
  const bytes = Buffer.from(text, 'hex')
  const kindEnds = bytes.findIndex((b) => b < 0x80)
  const lengthEnds = bytes.findIndex((b, i) => i > kindEnds && b < 0x80)
  if (kindEnds < 0 || lengthEnds < 0 || lengthEnds - kindEnds > 4) return false
  const length = bytes.subarray(kindEnds + 1, lengthEnds + 1).reduce((sum, b, i) => sum + (b & 0x7f) * 2 ** (7 * i), 0)
  return length > 0 && bytes.length - lengthEnds - 1 === length
}

/** `EPSG:32633`, `IAU_2015:30100`. */
const CODE = /^[A-Za-z0-9_.-]{1,64}:[A-Za-z0-9_.-]{1,64}$/

function projection({ path, value }: Carrier, findings: Findings): void {
  const { 'proj:code': code, 'proj:bbox': bbox } = value
  if (typeof code === 'string' && !CODE.test(code))
    findings.semantic('PROJ_CODE', [...path, 'proj:code'], `${shown(code)} is no authority:code such as EPSG:32633`)
  const affine = affineOf(value['proj:transform'])
  if (affine && affine[0] * affine[4] - affine[1] * affine[3] === 0) {
    findings.semantic('PROJ_SINGULAR', [...path, 'proj:transform'], 'all pixels lie on a line')
    return
  }
  const grid = gridOf(value)
  const given = numbersOf(bbox, 4)
  if (grid && given && (given.length === 4 || given.length === 6)) extent(value, grid, given, path, findings)
}

/** Six numbers, or nine of which the last row is 0, 0, 1. */
export function affineOf(value: unknown): Affine | undefined {
  const n = numbersOf(value, 6)
  return n && (n.length === 6 || n.length === 9) ? (n.slice(0, 6) as unknown as Affine) : undefined
}

export function gridOf({ 'proj:shape': shape, 'proj:transform': transform }: JsonObject): Grid | undefined {
  const [affine, size] = [affineOf(transform), numbersOf(shape, 2)]
  if (!affine || size?.length !== 2) return undefined
  const [rows, columns] = size as [number, number]
  return rows > 0 && columns > 0 ? { rows, columns, affine } : undefined
}

function extent(holder: JsonObject, { rows, columns, affine }: Grid, given: number[], path: Path, findings: Findings): void {
  const [a, b, c, d, e, f] = affine
  const xs = [0, a * columns, b * rows, a * columns + b * rows].map((x) => x + c)
  const ys = [0, d * columns, e * rows, d * columns + e * rows].map((y) => y + f)
  const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
  const at = given.length === 6 ? [0, 1, 3, 4] : [0, 1, 2, 3]
  const pixel = [Math.hypot(a, b), Math.hypot(d, e)]
  const isOff = at.some((k, i) => Math.abs((given[k] as number) - (box[i] as number)) > (pixel[i % 2] as number) * 1.000_001)
  if (!isOff || box.some((n) => !Number.isFinite(n))) return
  const fix = (): string => {
    const numbers = [...given]
    for (const [i, k] of at.entries()) numbers[k] = box[i] as number
    holder['proj:bbox'] = numbers
    return 'taken from proj:shape and proj:transform'
  }
  findings.semantic('PROJ_SHAPE_TRANSFORM_BBOX', [...path, 'proj:bbox'], 'over one pixel from what shape and transform say', {
    fix,
  })
}
