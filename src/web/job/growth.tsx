// What changed between two inventories, as bars of added, changed and removed: files and bytes, by extension and by folder.
import type { JSX } from 'preact'
import { bytes, count, signed } from '../format.ts'
import type { Json } from '../types.ts'
import { growthIn, type GrowthRow, KINDS } from './result-figures.ts'

const MOST = 15
type Measure = 'count' | 'bytes'
const MEASURES = { count: 'Files', bytes: 'Bytes' } as const
const WHERE = { by_extension: 'extension', by_prefix: 'folder' } as const

export function GrowthCharts({ result }: { readonly result: Json }): JSX.Element {
  return (
    <>
      {(['by_extension', 'by_prefix'] as const).flatMap((by) => {
        const rows = growthIn(result, by)
        return rows.length === 0
          ? []
          : (['count', 'bytes'] as const).map((measure) => (
              <GrowthChart
                key={`${by} ${measure}`}
                title={`${MEASURES[measure]} by ${WHERE[by]}`}
                rows={rows}
                measure={measure}
              />
            ))
      })}
    </>
  )
}

interface ChartProps {
  readonly title: string
  readonly rows: readonly GrowthRow[]
  readonly measure: Measure
}

function GrowthChart({ title, rows, measure }: ChartProps): JSX.Element {
  const size = (row: GrowthRow): number => KINDS.reduce((sum, kind) => sum + Math.abs(row[kind][measure]), 0)
  const shown = rows.toSorted((a, b) => size(b) - size(a)).slice(0, MOST)
  const most = Math.max(1, ...shown.map(size))
  return (
    <figure class="chart">
      <figcaption>{title}: + added, ~ changed, − removed</figcaption>
      <table class="bars growth">
        <tbody>
          {shown.map((row) => {
            const name = nameOf(row.name)
            return (
              <tr key={name}>
                <th scope="row" title={name}>
                  {name}
                </th>
                <td class="length">
                  <span class="stack">
                    {KINDS.map((kind) => (
                      <span
                        key={kind}
                        class={`fill ${kind}`}
                        style={{ width: `${(100 * Math.abs(row[kind][measure])) / most}%` }}
                      />
                    ))}
                  </span>
                </td>
                <td class="number">{textOf(row, measure)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </figure>
  )
}

const nameOf = (name: string | null): string =>
  name === null ? 'all others' : name === '' ? 'at the top' : name.replaceAll('_', ' ')

/** `+12 ~3 −4`: the sign tells what the colour does. What did not happen is left out. */
function textOf({ added, changed, removed }: GrowthRow, measure: Measure): string {
  const parts =
    measure === 'count'
      ? [
          added.count > 0 && `+${count(added.count)}`,
          changed.count > 0 && `~${count(changed.count)}`,
          removed.count > 0 && `−${count(removed.count)}`,
        ]
      : [
          added.count > 0 && `+${bytes(added.bytes)}`,
          changed.count > 0 && `~${signed(changed.bytes)}`,
          removed.count > 0 && `−${bytes(removed.bytes)}`,
        ]
  return parts.filter(Boolean).join(' ')
}
