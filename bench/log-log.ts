// Cost against size on two logarithmic axes: the slope is the exponent. Pure.

/** Size and cost, both above zero. */
export type Point = readonly [size: number, cost: number]

export interface Series {
  readonly name: string
  readonly points: readonly Point[]
}

export interface Plot {
  readonly title: string
  readonly sizes: string
  readonly costs: string
  readonly series: readonly Series[]
}

/** Of `cost = a * size^exponent`, by least squares of the logarithms. */
export function exponentOf(points: readonly Point[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const)
  const mean = (of: (p: readonly [number, number]) => number): number => logs.reduce((sum, p) => sum + of(p), 0) / logs.length
  const [mx, my] = [mean((p) => p[0]), mean((p) => p[1])]
  return mean(([x, y]) => (x - mx) * (y - my)) / mean(([x]) => (x - mx) ** 2)
}

/** Between the two largest sizes, where what a start costs no longer flattens the curve. */
export const lastExponentOf = (points: readonly Point[]): number => exponentOf(points.slice(-2))

const WIDTH = 560
const HEIGHT = 360
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 44, 36, 44]
// Okabe and Ito's colours: told apart by everybody, on light and dark.
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7']

/** Whole decades around the values. */
function decades(values: readonly number[]): readonly [low: number, high: number] {
  const logs = values.map((v) => Math.log10(v))
  const low = Math.floor(Math.min(...logs) + 1e-9)
  return [low, Math.max(low + 1, Math.ceil(Math.max(...logs) - 1e-9))]
}

/** An SVG document that needs nothing beside it. */
export function logLogSvg({ title, sizes, costs, series }: Plot): string {
  const points = series.flatMap((s) => s.points)
  const [x0, x1] = decades(points.map((p) => p[0]))
  const [y0, y1] = decades(points.map((p) => p[1]))
  const x = (size: number): number => LEFT + ((Math.log10(size) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT)
  const y = (cost: number): number => HEIGHT - BOTTOM - ((Math.log10(cost) - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM)
  const at = (v: number): string => v.toFixed(1)
  const range = (low: number, high: number): number[] => Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  const grid = [
    ...range(x0, x1).map(
      (v) =>
        `<path d="M${at(x(v))} ${TOP}V${HEIGHT - BOTTOM}"/><text x="${at(x(v))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${tick(v)}</text>`,
    ),
    ...range(y0, y1).map(
      (v) =>
        `<path d="M${LEFT} ${at(y(v))}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${at(y(v) + 4)}" text-anchor="end">${tick(v)}</text>`,
    ),
  ]
  const lines = series.map(({ name, points: own }, i) => {
    const colour = COLOURS[i % COLOURS.length]
    const path = own.map(([a, b], k) => `${k === 0 ? 'M' : 'L'}${at(x(a))} ${at(y(b))}`).join('')
    const dots = own
      .map(([a, b]) => `<circle cx="${at(x(a))}" cy="${at(y(b))}" r="3.5" fill="${colour}" stroke="none"/>`)
      .join('')
    const label = `${name}: exponent ${exponentOf(own).toFixed(2)}, at the end ${lastExponentOf(own).toFixed(2)}`
    return `<g stroke="${colour}" stroke-width="2" fill="none"><path d="${path}"/>${dots}</g><text x="${LEFT + 10}" y="${TOP + 16 + 16 * i}" fill="${colour}">${text(label)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">
<title>${text(title)}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="22" font-size="14" font-weight="600">${text(title)}</text>
<g stroke="#ddd" fill="#444" stroke-width="1">${grid.join('').replaceAll('<text', '<text stroke="none"')}</g>
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle" fill="#444">${text(sizes)}</text>
<text x="14" y="${HEIGHT / 2}" transform="rotate(-90 14 ${HEIGHT / 2})" text-anchor="middle" fill="#444">${text(costs)}</text>
${lines.join('\n')}
</svg>
`
}

const tick = (v: number): string => (v >= 1 ? v.toLocaleString('en') : String(Number(v.toPrecision(1))))
const text = (s: string): string => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
