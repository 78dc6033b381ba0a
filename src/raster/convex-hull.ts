// Andrew's monotone chain.
type Place = readonly [number, number]

/** Counter-clockwise from the lowest x, not closed; collinear points are left out. Fewer than 3 distinct points come back as they are. */
export function convexHull(points: readonly Place[]): [number, number][] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((p): [number, number] => [p[0], p[1]])
  const distinct = sorted.filter((p, i) => p[0] !== sorted[i - 1]?.[0] || p[1] !== sorted[i - 1]?.[1])
  if (distinct.length < 3) return distinct
  return [...half(distinct), ...half(distinct.toReversed())]
}

/** One side, without its last point: the other side begins with it. */
function half(points: readonly [number, number][]): [number, number][] {
  const chain: [number, number][] = []
  for (const p of points) {
    while (chain.length >= 2 && !turnsLeft(chain.at(-2) as Place, chain.at(-1) as Place, p)) chain.pop()
    chain.push(p)
  }
  return chain.slice(0, -1)
}

const turnsLeft = (a: Place, b: Place, c: Place): boolean => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0
