// What the search asks of a place: closed ranges, widened by a hair, and whether the shape is its box.
import type { NewItem } from '../models/stac-record.ts'

type Columns = Pick<NewItem, 'xr' | 'yr' | 'west' | 'south' | 'east' | 'north' | 'crosses' | 'is_box'>

const NOWHERE: Columns = { xr: null, yr: null, west: null, south: null, east: null, north: null, crosses: false, is_box: false }
/** Degrees: what rounding to seven decimals cannot reach. */
const HAIR = 1e-9

const range = (low: number, high: number): string => `[${low - HAIR},${high + HAIR}]`

/** @param bbox of 4 or 6 numbers; west > east crosses the antimeridian */
export function placeColumns(geometry: unknown, bbox: readonly number[] | undefined): Columns {
  if (!geometry || !bbox) return NOWHERE
  const [west = 0, south = 0, east = 0, north = 0] =
    bbox.length === 6 ? [bbox[0], bbox[1], bbox[3], bbox[4]] : [bbox[0], bbox[1], bbox[2], bbox[3]]
  const crosses = west > east
  return {
    xr: crosses ? '[-180,180]' : range(west, east),
    yr: range(south, north),
    west,
    south,
    east,
    north,
    crosses,
    is_box: !crosses && isBox(geometry, [west, south, east, north]),
  }
}

function isBox(geometry: object, [west, south, east, north]: readonly [number, number, number, number]): boolean {
  const { type, coordinates } = geometry as { type?: string; coordinates?: readonly (readonly (readonly number[])[])[] }
  const [ring] = type === 'Polygon' && coordinates?.length === 1 ? coordinates : []
  if (ring?.length !== 5) return false
  const onCorner = ring.every(([x, y]) => (x === west || x === east) && (y === south || y === north))
  // A ring of four corners of the box without repetition of neighbours goes round it.
  return onCorner && ring.slice(1).every(([x, y], i) => (x === ring[i]?.[0]) !== (y === ring[i]?.[1]))
}
