// Extents, licenses and descriptions.
import { parseRfc3339 } from '../../rules/rfc3339.ts'
import { type Box, boxNumbers, boxOf, isBeyondGlobe } from './bbox.ts'
import type { Findings, Path } from './findings.ts'
import { isObject, listOf, shown } from './json.ts'
import type { Rule } from './subject.ts'

export const collectionRule: Rule = ({ document, kind, carriers }, findings) => {
  if (kind !== 'Item' && typeof document.description === 'string' && document.description.trim() === '')
    findings.semantic('DESCRIPTION_EMPTY', ['description'], 'say what it is')
  for (const { path, value } of carriers) {
    if (value.license !== 'proprietary' && value.license !== 'various') continue
    const old = value.license
    const fix = (): string => {
      value.license = 'other'
      return `${old} became other`
    }
    findings.semantic('LICENSE_DEPRECATED', [...path, 'license'], `${old} is other since STAC 1.1`, { fix })
  }
  const { extent } = document
  if (kind !== 'Collection' || !isObject(extent)) return
  if (isObject(extent.spatial)) boxes(listOf(extent.spatial.bbox), findings)
  if (isObject(extent.temporal)) intervals(listOf(extent.temporal.interval), findings)
}

function boxes(list: readonly unknown[], findings: Findings): void {
  const at = ['extent', 'spatial', 'bbox']
  const read = list.map(boxOf)
  for (const [i, box] of read.entries()) {
    if (!box) continue
    if (isBeyondGlobe(box)) findings.semantic('BBOX_RANGE', [...at, i], 'longitudes lie within 180, latitudes within 90 degrees')
    if (box.south > box.north || box.low > box.high) reversedBox(list[i] as number[], box, [...at, i], findings)
  }
  const [whole, ...others] = read
  const outside = whole ? others.findIndex((box) => box && !covers(whole, box)) : -1
  if (outside >= 0) findings.semantic('EXTENT_NOT_COVERING', [...at, outside + 1], 'the first box does not cover it')
}

function reversedBox(numbers: number[], { south, north, low, high, ...rest }: Box, path: Path, findings: Findings): void {
  const fix = (): string => {
    const [lat, height] = [[south, north].sort(ascending), [low, high].sort(ascending)] as [[number, number], [number, number]]
    const box = { ...rest, south: lat[0], north: lat[1], low: height[0], high: height[1] }
    numbers.splice(0, numbers.length, ...boxNumbers(box, numbers.length))
    return 'swapped the reversed numbers'
  }
  findings.semantic('EXTENT_ORDER', path, south > north ? 'south is above north' : 'the lower height is above the upper one', {
    fix,
  })
}

const ascending = (a: number, b: number): number => a - b

function covers(whole: Box, box: Box): boolean {
  if (box.south < whole.south || box.north > whole.north) return false
  const [a, b] = [segments(whole), segments(box)]
  return b.every(([west, east]) => a.some(([from, to]) => from <= west && east <= to))
}

/** Longitudes without the jump at the antimeridian. */
const segments = ({ west, east }: Box): [number, number][] =>
  west <= east
    ? [[west, east]]
    : [
        [west, 180],
        [-180, east],
      ]

interface Span {
  readonly start: number
  readonly end: number
}

function spanOf(interval: unknown): Span | undefined {
  if (!Array.isArray(interval) || interval.length !== 2) return undefined
  const [start, end] = interval.map((text, i) => {
    if (text === null) return i === 0 ? -Infinity : Infinity
    return typeof text === 'string' ? (parseRfc3339(text)?.ms ?? Number.NaN) : Number.NaN
  }) as [number, number]
  return Number.isNaN(start) || Number.isNaN(end) ? undefined : { start, end }
}

function intervals(list: readonly unknown[], findings: Findings): void {
  const at = ['extent', 'temporal', 'interval']
  const spans = list.map(spanOf)
  for (const [i, span] of spans.entries()) {
    if (!span || span.start <= span.end) continue
    const fix = (): string => {
      ;(list[i] as unknown[]).reverse()
      return 'swapped start and end'
    }
    const [start, end] = list[i] as unknown[]
    findings.semantic('EXTENT_ORDER', [...at, i], `${shown(start)} is after ${shown(end)}`, { fix })
  }
  const [whole, ...others] = spans
  const outside = whole ? others.findIndex((span) => span && (span.start < whole.start || span.end > whole.end)) : -1
  if (outside >= 0) findings.semantic('EXTENT_NOT_COVERING', [...at, outside + 1], 'the first interval does not cover it')
}
