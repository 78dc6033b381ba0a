// A ring that crosses 180 degrees becomes rings on both sides of it (RFC 7946, 3.1.9).
import type { Point } from '../raster/crs.ts'

const LINE = 180

interface Chain {
  readonly points: Point[]
  readonly isEast: boolean
  /** Latitudes where it comes from the line and where it meets it again. */
  begin: number
  end: number
}

/**
 * @param ring closed, simple; longitudes between -180 and 540, so that it goes over 180 at most there and back
 * @returns closed rings between -180 and 180: first those before the line, then those behind it
 */
export function cutAtAntimeridian(ring: readonly Point[]): Point[][] {
  const chains = chainsOf(ring)
  if (chains.length < 2) return [[...ring]]
  // Along the line, inside is between the first and second meeting, the third and fourth, and so on.
  const order = chains.map((c) => c.begin).sort((a, b) => a - b)
  const partner = (latitude: number): number => order[order.indexOf(latitude) ^ 1] ?? latitude
  return [false, true].flatMap((isEast) =>
    joined(
      chains.filter((c) => c.isEast === isEast),
      partner,
    ),
  )
}

/** Parts of the ring between its meetings with the line. */
function chainsOf(ring: readonly Point[]): Chain[] {
  const chains: Chain[] = []
  let current: Chain = { points: [], isEast: isEast(ring[0] as Point), begin: Number.NaN, end: Number.NaN }
  for (const [i, p] of ring.entries()) {
    const before = ring[i - 1]
    if (before && isEast(before) !== isEast(p)) {
      const latitude = before[1] + ((LINE - before[0]) / (p[0] - before[0])) * (p[1] - before[1])
      current.points.push([LINE, latitude])
      current.end = latitude
      chains.push(current)
      current = { points: [[LINE, latitude]], isEast: isEast(p), begin: latitude, end: Number.NaN }
    }
    current.points.push(p)
  }
  const first = chains[0]
  if (!first) return []
  // The ring began in the middle of a chain: its last part comes before its first.
  first.points.unshift(...current.points.slice(0, -1))
  first.begin = current.begin
  return chains
}

const isEast = (p: Point): boolean => p[0] > LINE

function joined(chains: readonly Chain[], partner: (latitude: number) => number): Point[][] {
  const left = new Set(chains)
  const rings: Point[][] = []
  for (const first of chains) {
    if (!left.has(first)) continue
    const points: Point[] = []
    let chain: Chain | undefined = first
    while (chain) {
      left.delete(chain)
      points.push(...chain.points)
      const next: number = partner(chain.end)
      chain = [...left].find((c) => c.begin === next)
    }
    rings.push([...points, points[0] as Point].map(([lon, lat]): Point => [first.isEast ? lon - 360 : lon, lat]))
  }
  return rings
}
