// The box of an item against its geometry (RFC 7946, section 5).
import type { Findings } from './findings.ts'
import { type JsonObject, numbersOf } from './json.ts'
import { type Part, partsOf, surround } from './parts.ts'
import type { Rule } from './subject.ts'

/** Degrees: what rounding to seven decimals never reaches. */
const TOLERANCE = 1e-6

export interface Box {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
  readonly low: number
  readonly high: number
}

/** Undefined unless 4 or 6 numbers. */
export function boxOf(value: unknown): Box | undefined {
  const n = numbersOf(value, 4)
  if (n?.length === 4) return { west: n[0]!, south: n[1]!, east: n[2]!, north: n[3]!, low: 0, high: 0 }
  if (n?.length === 6) return { west: n[0]!, south: n[1]!, low: n[2]!, east: n[3]!, north: n[4]!, high: n[5]! }
  return undefined
}

/** The same numbers as an array, with heights where there were some. */
export const boxNumbers = ({ west, south, east, north, low, high }: Box, length: number): number[] =>
  length === 6 ? [west, south, low, east, north, high] : [west, south, east, north]

export const isBeyondGlobe = ({ west, south, east, north }: Box): boolean =>
  [west, east].some((x) => Math.abs(x) > 180) || [south, north].some((y) => Math.abs(y) > 90)

export const bboxRule: Rule = ({ document, kind }, findings) => {
  if (kind !== 'Item' || document.bbox === undefined) return
  const { bbox, geometry } = document
  if (geometry === null) {
    const fix = (): string => {
      delete document.bbox
      return 'removed bbox'
    }
    findings.semantic('BBOX_WITHOUT_GEOMETRY', ['bbox'], 'geometry is null and bbox is present', { fix })
    return
  }
  const box = boxOf(bbox)
  if (!box) return
  if (isBeyondGlobe(box)) findings.semantic('BBOX_RANGE', ['bbox'], 'longitudes lie within 180, latitudes within 90 degrees')
  const parts = partsOf(geometry) ?? []
  if (box.south > box.north || box.low > box.high) {
    const message = box.south > box.north ? 'south is above north' : 'the lower height is above the upper one'
    findings.semantic('BBOX_ORDER', ['bbox'], message, { fix: () => ordered(document, box) })
    return
  }
  against(document, box, parts, findings)
}

function ordered(document: JsonObject, { south, north, low, high, ...rest }: Box): string {
  document.bbox = boxNumbers(
    {
      ...rest,
      south: Math.min(south, north),
      north: Math.max(south, north),
      low: Math.min(low, high),
      high: Math.max(low, high),
    },
    (document.bbox as unknown[]).length,
  )
  return 'swapped the reversed numbers'
}

function against(document: JsonObject, box: Box, parts: readonly Part[], findings: Findings): void {
  const around = surround(parts)
  const fix = around && ((): string => fromGeometry(document, box, around.box))
  const isOutside = parts.some((part) => !coversLatitudes(box, part) || !coversLongitudes(box, part))
  if (around?.crosses && box.west <= box.east)
    findings.semantic('BBOX_ANTIMERIDIAN', ['bbox'], 'the geometry crosses the antimeridian: west is the greater number', { fix })
  else if (isOutside && box.west > box.east && around && !around.crosses)
    findings.semantic('BBOX_ORDER', ['bbox'], 'west is beyond east, and the geometry does not cross the antimeridian', { fix })
  else if (isOutside) findings.semantic('BBOX_MISMATCH', ['bbox'], 'the geometry lies outside of it', { fix })
}

const coversLatitudes = (box: Box, part: Part): boolean =>
  part.south >= box.south - TOLERANCE && part.north <= box.north + TOLERANCE

function coversLongitudes({ west, east }: Box, part: Part): boolean {
  if (west <= east) return part.west >= west - TOLERANCE && part.east <= east + TOLERANCE
  // Which side an unsplit edge goes is not said: its ends tell nothing of the gap between.
  return part.isUnsplit || part.west >= west - TOLERANCE || part.east <= east + TOLERANCE
}

function fromGeometry(
  document: JsonObject,
  box: Box,
  [west, south, east, north]: readonly [number, number, number, number],
): string {
  document.bbox = boxNumbers({ ...box, west, south, east, north }, (document.bbox as unknown[]).length)
  return 'taken from the geometry'
}
