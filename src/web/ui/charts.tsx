// Small charts as SVG: lengths compared, a course over time, areas of a whole. Each says its figures in words or in a table as well.
import type { JSX } from 'preact'
import { squarify } from './treemap.ts'

export interface Bar {
  readonly label: string
  readonly value: number
  /** The value as it is read. */
  readonly text: string
}

/** Lengths of a common scale, most first or in their own order. */
export function BarChart({ bars, title }: { readonly bars: readonly Bar[]; readonly title: string }): JSX.Element {
  const most = Math.max(1, ...bars.map((bar) => bar.value))
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <table class="bars">
        <tbody>
          {bars.map(({ label, value, text }) => (
            <tr key={label}>
              <th scope="row" title={label}>
                {label}
              </th>
              <td class="length">
                <span class="fill" style={{ width: `${(100 * value) / most}%` }} />
              </td>
              <td class="number">{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}

const [WIDTH, HEIGHT] = [160, 28]

/** A course over time without axes; what it shows is said by its label. */
export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }): JSX.Element {
  const most = Math.max(1, ...values)
  const step = WIDTH / Math.max(1, values.length - 1)
  const points = values.map((v, i) => `${(i * step).toFixed(1)},${(HEIGHT - 1 - (v / most) * (HEIGHT - 3)).toFixed(1)}`)
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} preserveAspectRatio="none">
      <polygon points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
      <polyline points={points.join(' ')} />
    </svg>
  )
}

export interface Area {
  readonly label: string
  readonly value: number
  readonly text: string
}

const [MAP_WIDTH, MAP_HEIGHT] = [640, 280]

/** Areas of a whole; the table of the same figures stands beside it, for those who cannot tell areas. */
export function Treemap({ areas, title }: { readonly areas: readonly Area[]; readonly title: string }): JSX.Element {
  const sorted = areas.filter((a) => a.value > 0).sort((a, b) => b.value - a.value)
  const boxes = squarify(
    sorted.map((a) => a.value),
    MAP_WIDTH,
    MAP_HEIGHT,
  )
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg class="treemap" viewBox={`0 0 ${MAP_WIDTH} ${MAP_HEIGHT}`} role="img" aria-label={`${title}: ${spoken(sorted)}`}>
        {boxes.map(({ x, y, width, height }, i) => (
          <g key={sorted[i]?.label} class={`tone${i % 5}`}>
            <title>{`${sorted[i]?.label}: ${sorted[i]?.text}`}</title>
            <rect x={x + 1} y={y + 1} width={Math.max(0, width - 2)} height={Math.max(0, height - 2)} rx="2" />
            {width > 70 && height > 34 && (
              <>
                <text x={x + 8} y={y + 18}>
                  {fitting(sorted[i]?.label ?? '', width - 14)}
                </text>
                <text x={x + 8} y={y + 33} class="value">
                  {fitting(sorted[i]?.text ?? '', width - 14)}
                </text>
              </>
            )}
          </g>
        ))}
      </svg>
    </figure>
  )
}

const spoken = (areas: readonly Area[]): string =>
  areas
    .slice(0, 5)
    .map(({ label, text }) => `${label} ${text}`)
    .join(', ')

/** As many letters as fit, at seven units each. */
function fitting(text: string, width: number): string {
  const letters = Math.floor(width / 7)
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`
}
