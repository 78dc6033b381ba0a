// Areas of a rectangle by value, as near to squares as can be (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000). Pure.

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** @param values above 0, in falling order. @returns a box for each, in the same order; together they are the rectangle */
export function squarify(values: readonly number[], width: number, height: number): Box[] {
  const total = values.reduce((sum, value) => sum + value, 0)
  const scale = total > 0 ? (width * height) / total : 0
  const boxes: Box[] = []
  let rest: Box = { x: 0, y: 0, width, height }
  for (let at = 0; at < values.length;) {
    const side = Math.min(rest.width, rest.height)
    let end = at + 1
    while (end < values.length && worst(values.slice(at, end + 1), side, scale) <= worst(values.slice(at, end), side, scale))
      end++
    const row = values.slice(at, end).map((value) => value * scale)
    rest = placeRow(row, rest, boxes)
    at = end
  }
  return boxes
}

/** The longest side by the shortest of a row's boxes. */
function worst(row: readonly number[], side: number, scale: number): number {
  const areas = row.map((value) => value * scale)
  const sum = areas.reduce((total, area) => total + area, 0)
  const [most, least] = [Math.max(...areas), Math.min(...areas)]
  return Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least))
}

/** Along the shorter side; answers what is left. */
function placeRow(row: readonly number[], { x, y, width, height }: Box, boxes: Box[]): Box {
  const sum = row.reduce((total, area) => total + area, 0)
  const isWide = width >= height
  const depth = sum / Math.max(1e-9, isWide ? height : width)
  let offset = 0
  for (const area of row) {
    const length = area / Math.max(1e-9, depth)
    boxes.push(isWide ? { x, y: y + offset, width: depth, height: length } : { x: x + offset, y, width: length, height: depth })
    offset += length
  }
  return isWide ? { x: x + depth, y, width: width - depth, height } : { x, y: y + depth, width, height: height - depth }
}
