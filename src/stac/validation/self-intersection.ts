// Does a ring cross or touch itself? A tree of boxes over its edges, compared with itself. Neighbouring edges of a ring lie together, so
// the tree needs no sorting. @turf/kinks compares all pairs (5 * 10^9 for 100,000 positions); sweepline-intersections brings test tools
// along as dependencies.
import type { Position } from '../../models/stac.ts'

/** Edges per leaf. */
const LEAF = 8
/** Comparisons of boxes or edges, after which a ring counts as too intricate: 0.1 s. An outline of 100,000 positions needs about 500,000. */
const BUDGET = 4_000_000

export type Crossing = { readonly edges: readonly [number, number] } | 'unchecked' | undefined

/**
 * @param ring closed; repeated neighbours are one position
 * @returns indexes of the first positions of two edges that share a point and are no neighbours (or fold back), or undefined
 */
export function selfIntersection(ring: readonly Position[]): Crossing {
  const edges = edgesOf(ring)
  const count = edges.at.length
  if (count < 3) return undefined
  const levels = boxesOf(edges)
  const top = levels.length - 1
  const open: number[] = [top, 0, 0]
  let left = BUDGET
  while (open.length > 0) {
    const b = open.pop() as number
    const a = open.pop() as number
    const level = open.pop() as number
    if (--left < 0) return 'unchecked'
    const boxes = levels[level] as Float64Array
    if (a !== b && !overlap(boxes, a, b)) continue
    if (level === 0) {
      left -= LEAF * LEAF
      const found = leafPair(edges, a, b)
      if (found) return { edges: found }
      continue
    }
    const below = (levels[level - 1] as Float64Array).length / 4
    for (let i = a * 2; i < Math.min(below, a * 2 + 2); i++)
      for (let j = a === b ? i : b * 2; j < Math.min(below, b * 2 + 2); j++) open.push(level - 1, i, j)
  }
  return undefined
}

interface Edges {
  /** x and y of every position that differs from the one before; the last edge leads back to the first. */
  readonly x: Float64Array
  readonly y: Float64Array
  readonly at: Int32Array
}

function edgesOf(ring: readonly Position[]): Edges {
  const kept: number[] = []
  const last = ring.length - 1
  for (let i = 0; i < last; i++) {
    const [p, q] = [ring[i] as Position, ring[i + 1] as Position]
    if (p[0] !== q[0] || p[1] !== q[1]) kept.push(i)
  }
  return {
    x: Float64Array.from(kept, (i) => (ring[i] as Position)[0] as number),
    y: Float64Array.from(kept, (i) => (ring[i] as Position)[1] as number),
    at: Int32Array.from(kept),
  }
}

const next = ({ at }: Edges, i: number): number => (i + 1 === at.length ? 0 : i + 1)

/** Boxes [west, south, east, north] of leaves, then of two each, up to one. */
function boxesOf(edges: Edges): Float64Array[] {
  const { x, y, at } = edges
  const leaves = new Float64Array(Math.ceil(at.length / LEAF) * 4)
  for (let leaf = 0; leaf < leaves.length / 4; leaf++) {
    const box = [Infinity, Infinity, -Infinity, -Infinity]
    for (let i = leaf * LEAF; i < Math.min(at.length, leaf * LEAF + LEAF); i++)
      for (const p of [i, next(edges, i)]) grow(box, x[p] as number, y[p] as number, x[p] as number, y[p] as number)
    leaves.set(box, leaf * 4)
  }
  const levels: Float64Array[] = [leaves]
  for (let below: Float64Array = leaves; below.length > 4; below = levels.at(-1) as Float64Array) {
    const boxes = new Float64Array(Math.ceil(below.length / 8) * 4)
    for (let node = 0; node < boxes.length / 4; node++) {
      const box = [Infinity, Infinity, -Infinity, -Infinity]
      for (let k = node * 8; k < Math.min(below.length, node * 8 + 8); k += 4)
        grow(box, below[k] as number, below[k + 1] as number, below[k + 2] as number, below[k + 3] as number)
      boxes.set(box, node * 4)
    }
    levels.push(boxes)
  }
  return levels
}

function grow(box: number[], west: number, south: number, east: number, north: number): void {
  if (west < (box[0] as number)) box[0] = west
  if (south < (box[1] as number)) box[1] = south
  if (east > (box[2] as number)) box[2] = east
  if (north > (box[3] as number)) box[3] = north
}

function overlap(boxes: Float64Array, a: number, b: number): boolean {
  const [i, j] = [a * 4, b * 4]
  return (
    (boxes[i] as number) <= (boxes[j + 2] as number) &&
    (boxes[j] as number) <= (boxes[i + 2] as number) &&
    (boxes[i + 1] as number) <= (boxes[j + 3] as number) &&
    (boxes[j + 1] as number) <= (boxes[i + 3] as number)
  )
}

function leafPair(edges: Edges, a: number, b: number): [number, number] | undefined {
  const { at } = edges
  for (let i = a * LEAF; i < Math.min(at.length, a * LEAF + LEAF); i++)
    for (let j = Math.max(i + 1, b * LEAF); j < Math.min(at.length, b * LEAF + LEAF); j++)
      if (meet(edges, i, j)) return [at[i] as number, at[j] as number]
  return undefined
}

function meet(edges: Edges, i: number, j: number): boolean {
  const [i2, j2] = [next(edges, i), next(edges, j)]
  if (i2 === j) return foldsBack(edges, i, i2, j2)
  if (j2 === i) return foldsBack(edges, j, j2, i2)
  const a = side(edges, i, i2, j)
  const b = side(edges, i, i2, j2)
  if (a * b > 0) return false
  const c = side(edges, j, j2, i)
  const d = side(edges, j, j2, i2)
  if (c * d > 0) return false
  if (a !== 0 || b !== 0 || c !== 0 || d !== 0) return true
  return between(edges, i, i2, j) || between(edges, i, i2, j2) || between(edges, j, j2, i)
}

/** Sign of the turn p, q, r. */
function side({ x, y }: Edges, p: number, q: number, r: number): number {
  const [px, py] = [x[p] as number, y[p] as number]
  return Math.sign(((x[q] as number) - px) * ((y[r] as number) - py) - ((y[q] as number) - py) * ((x[r] as number) - px))
}

/** Of three positions on a line: is r within p and q? */
function between({ x, y }: Edges, p: number, q: number, r: number): boolean {
  const within = (v: Float64Array): boolean =>
    Math.min(v[p] as number, v[q] as number) <= (v[r] as number) && (v[r] as number) <= Math.max(v[p] as number, v[q] as number)
  return within(x) && within(y)
}

function foldsBack(edges: Edges, p: number, q: number, r: number): boolean {
  const { x, y } = edges
  if (side(edges, p, q, r) !== 0) return false
  const [qx, qy] = [x[q] as number, y[q] as number]
  return ((x[p] as number) - qx) * ((x[r] as number) - qx) + ((y[p] as number) - qy) * ((y[r] as number) - qy) > 0
}
