// Is the geometry of an item the outline of its raster?
import { type JsonObject, objectsIn } from './json.ts'
import { partsOf, surround } from './parts.ts'
import { type Grid, gridOf } from './raster.ts'
import type { Rule, ToWgs84 } from './subject.ts'

/** Points along an edge: a straight one of the CRS is a curve on the globe. */
const PER_EDGE = 16
/** Of width and height. */
const TOLERANCE = 0.01

/** One finding per item: the first asset with a grid of its own, or that of the properties. */
export const footprintRule: Rule = ({ document, kind, formulaOf }, findings) => {
  if (kind !== 'Item') return
  const around = surround(partsOf(document.geometry) ?? [])
  const properties = (document.properties ?? {}) as JsonObject
  const holder = [...objectsIn(document.assets).map(([, asset]) => asset), properties].find(gridOf)
  const grid = holder && gridOf(holder)
  const code = codeOf(holder?.['proj:code'] ?? properties['proj:code'])
  const formula = code === 4326 ? (x: number, y: number): [number, number] => [x, y] : code && formulaOf(code)
  const box = grid && formula && outlineBox(grid, formula)
  if (!around || !box) return
  const [west, south, east, north] = around.box
  const geometry = [west, south, around.crosses ? east + 360 : east, north] as const
  const isOff = [0, 1, 2, 3].some((i) => {
    const size = (i % 2 === 0 ? box[2] - box[0] : box[3] - box[1]) as number
    const distance = Math.abs((box[i] as number) - (geometry[i] as number))
    return (i % 2 === 0 ? aroundTheGlobe(distance) : distance) > size * TOLERANCE
  })
  if (isOff)
    findings.semantic(
      'PROJ_FOOTPRINT',
      ['geometry'],
      `the raster lies at ${box.map((n) => Math.round(n * 1e5) / 1e5).join(', ')}`,
    )
}

const aroundTheGlobe = (degrees: number): number => Math.min(degrees % 360, 360 - (degrees % 360))

/** @example codeOf('EPSG:32633') // 32633 */
export function codeOf(code: unknown): number | undefined {
  const found = typeof code === 'string' ? /^EPSG:(\d{4,6})$/.exec(code) : null
  return found ? Number(found[1]) : undefined
}

/** [west, south, east, north] with longitudes as they go on; undefined around a pole, over the whole globe, or off the Earth. */
function outlineBox(grid: Grid, toWgs84: ToWgs84): [number, number, number, number] | undefined {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity]
  let before: number | undefined
  for (const [x, y] of outline(grid)) {
    const [longitude, latitude] = toWgs84(x, y)
    if (!Number.isFinite(longitude) || !Number.isFinite(latitude)) return undefined
    const unrolled: number = before === undefined ? longitude : longitude - Math.round((longitude - before) / 360) * 360
    before = unrolled
    if (unrolled < box[0]) box[0] = unrolled
    if (unrolled > box[2]) box[2] = unrolled
    if (latitude < box[1]) box[1] = latitude
    if (latitude > box[3]) box[3] = latitude
  }
  const width = box[2] - box[0]
  return width > 0 && width < 350 && Math.max(-box[1], box[3]) < 89 ? box : undefined
}

function outline({ rows, columns, affine: [a, b, c, d, e, f] }: Grid): [number, number][] {
  const corners = [0, 0, columns, 0, columns, rows, 0, rows, 0, 0]
  const points: [number, number][] = []
  for (let side = 0; side < 4; side++) {
    const [x0, y0, x1, y1] = corners.slice(side * 2, side * 2 + 4) as [number, number, number, number]
    for (let i = 0; i < PER_EDGE; i++) {
      const [column, row] = [x0 + ((x1 - x0) * i) / PER_EDGE, y0 + ((y1 - y0) * i) / PER_EDGE]
      points.push([a * column + b * row + c, d * column + e * row + f])
    }
  }
  return points
}
