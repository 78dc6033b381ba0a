// What the measurements of a comparison become: predictions, ratios, tables, goals. Pure.
import { median, type Row, whole } from './measure.ts'
import { isRival, OURS } from './peer-list.ts'

/** `many`: jobs of one task at once; n is how many. */
export type Kind = 'empty' | 'waiting' | 'many'

export interface Sample {
  readonly seconds: number
  /** CPU seconds of the system's own processes, and of Postgres. */
  readonly cpu: number
  readonly postgresCpu: number
  /** Transactions that wrote, and bytes of WAL. */
  readonly writes: number
  readonly wal: number
}

export interface Cell {
  readonly name: string
  readonly kind: Kind
  readonly n: number
  /** One a repetition. */
  readonly samples: readonly Sample[]
  /** Why there is no sample. */
  readonly note?: string | undefined
  /** Seconds that it would have taken. */
  readonly predicted?: number | undefined
}

/** What a cell may take. */
export const LIMIT_SECONDS = 60

/** Tasks of a cell: two stages of n, or two tasks in each of many jobs. */
export const tasksOf = ({ n }: Pick<Cell, 'n'>): number => 2 * n

export const secondsOf = (cell: Cell): number => median(cell.samples.map(({ seconds }) => seconds))

/** Seconds at n from those at n / 10; undefined where nothing was measured there. A quadratic system takes longer than this. */
export function predict(cells: readonly Cell[], { name, kind, n }: Pick<Cell, 'name' | 'kind' | 'n'>): number | undefined {
  const smaller = cells.find((c) => c.name === name && c.kind === kind && c.n === n / 10)
  if (!smaller || n <= 10) return undefined
  const seconds = smaller.samples.length > 0 ? secondsOf(smaller) : smaller.predicted
  return seconds === undefined ? undefined : seconds * 10
}

/** How many times ours is as fast, as the median over repetitions; by the prediction, which flatters the peer, where it did not run. */
export function ratio(ours: Cell, peer: Cell): number {
  const pairs = ours.samples.flatMap((sample, i) => {
    const other = peer.samples[i]
    return other ? [other.seconds / sample.seconds] : []
  })
  if (pairs.length > 0) return median(pairs)
  return peer.predicted === undefined ? Number.NaN : peer.predicted / secondsOf(ours)
}

/** The peer that comes closest to ours, or is further ahead, of those that keep as much. */
export function closest(cells: readonly Cell[], kind: Kind, n: number): { peer: Cell; times: number } | undefined {
  const here = cells.filter((c) => c.kind === kind && c.n === n)
  const ours = here.find((c) => c.name === OURS)
  if (!ours || ours.samples.length === 0) return undefined
  return here
    .filter((c) => c.name !== OURS && isRival(c.name))
    .map((peer) => ({ peer, times: ratio(ours, peer) }))
    .filter(({ times }) => !Number.isNaN(times))
    .sort((a, b) => a.times - b.times)[0]
}

function figureOf(cell: Cell | undefined): string {
  if (!cell) return ''
  if (cell.samples.length === 0) return cell.note ?? ''
  const seconds = secondsOf(cell)
  if (cell.kind === 'many') return `${whole(cell.n / seconds)} jobs/s`
  return cell.n === 1 ? `${(seconds * 1000).toFixed(1)} ms` : whole(tasksOf(cell) / seconds)
}

const titleOf = (kind: Kind, n: number): string => (kind === 'many' ? `${n} jobs at once` : `n = ${whole(n)}`)

/** Rows of systems, columns of sizes; the last row is ours against the best peer of each column. */
export function speedTable(cells: readonly Cell[], kinds: readonly Kind[]): string {
  const columns = [
    ...new Map(cells.filter((c) => kinds.includes(c.kind)).map((c) => [`${c.kind} ${c.n}`, c] as const)).values(),
  ].sort((a, b) => Number(a.kind !== 'many' && a.n > 1) - Number(b.kind !== 'many' && b.n > 1) || a.n - b.n)
  const names = [...new Set(cells.map((c) => c.name))]
  const line = (first: string, rest: readonly string[]): string => `| ${[first, ...rest].join(' | ')} |`
  return [
    line(
      'tasks/s',
      columns.map(({ kind, n }) => titleOf(kind, n)),
    ),
    line(
      '---',
      columns.map(() => '--:'),
    ),
    ...names.map((name) =>
      line(
        name,
        columns.map(({ kind, n }) => figureOf(cells.find((c) => c.name === name && c.kind === kind && c.n === n))),
      ),
    ),
    line(
      'ours / best peer',
      columns.map(({ kind, n }) => {
        const best = closest(cells, kind, n)
        return best ? `${best.times.toFixed(1)} × ${best.peer.name}` : ''
      }),
    ),
  ].join('\n')
}

/** What a task costs at one size. */
export function costTable(cells: readonly Cell[], n: number): string {
  const rows = cells
    .filter((c) => c.kind === 'empty' && c.n === n && c.samples.length > 0)
    .map((cell) => {
      const per = (of: (s: Sample) => number): number => median(cell.samples.map(of)) / tasksOf(cell)
      const ms = (seconds: number): string => (seconds * 1000).toFixed(2)
      return `| ${cell.name} | ${ms(per((s) => s.cpu))} | ${ms(per((s) => s.postgresCpu))} | ${per((s) => s.writes).toFixed(3)} | ${(per((s) => s.wal) / 1024).toFixed(2)} |`
    })
  return [
    `| a task at n = ${whole(n)} | CPU ms, own processes | CPU ms, Postgres | write transactions | WAL KB |`,
    '| --- | --: | --: | --: | --: |',
    ...rows,
  ].join('\n')
}

/** Ahead of every peer from 100 on, five times from 1,000 on; many jobs at once: ahead of all. */
const goalOf = (kind: Kind, n: number): number => (kind === 'many' || n < 1000 ? 1 : 5)

const ONE_JOB: readonly (readonly [start: string, atLeast: number, goal: string])[] = [
  ['graphile-worker', 0.5, 'within 2 × of it'],
  ['BullMQ', 0.9, 'level (≥ 0.9 ×)'],
  ['DBOS', 1, 'ahead'],
  ['pg-boss', 1, 'ahead'],
]

/** The goals, with whether they are met. */
export function goalRows(cells: readonly Cell[]): Row[] {
  const of = (name: string): Cell[] => cells.filter((c) => c.kind === 'empty' && c.n === 1 && c.name.startsWith(name))
  const ours = of(OURS)[0]
  const one = ONE_JOB.flatMap(([start, atLeast, goal]) => {
    const times = of(start).flatMap((peer) => (ours && peer.samples.length > 0 ? [ratio(ours, peer)] : []))
    if (times.length === 0) return []
    const least = Math.min(...times)
    return [{ measure: `n = 1, against ${start}`, figure: `${least.toFixed(2)} ×`, goal, met: least >= atLeast }]
  })
  const sizes = [...new Map(cells.map((c) => [`${c.kind} ${c.n}`, c] as const)).values()].filter(
    (c) => c.kind === 'many' || c.n > 1,
  )
  const rest = sizes.flatMap(({ kind, n }) => {
    const best = closest(cells, kind, n)
    if (!best) return []
    const goal = goalOf(kind, n)
    const how = best.peer.samples.length === 0 ? ' by its prediction' : ''
    return [
      {
        measure: `${titleOf(kind, n)}${kind === 'waiting' ? ', tasks of 5 ms' : ''}, against the best peer`,
        figure: `${best.times.toFixed(1)} × ${best.peer.name}${how}`,
        goal: goal === 1 ? 'ahead' : `≥ ${goal} ×`,
        met: best.times >= goal,
      },
    ]
  })
  return [...one, ...rest, ...apartRows(cells)]
}

/** Those that keep less: without a goal, but not left out. */
function apartRows(cells: readonly Cell[]): Row[] {
  return cells
    .filter((c) => c.name !== OURS && !isRival(c.name) && c.kind === 'empty' && c.n > 1)
    .flatMap((peer) => {
      const ours = cells.find((c) => c.name === OURS && c.kind === peer.kind && c.n === peer.n)
      const times = ours ? ratio(ours, peer) : Number.NaN
      if (Number.isNaN(times)) return []
      return [{ measure: `n = ${whole(peer.n)}, against ${peer.name}`, figure: `${times.toFixed(1)} ×`, goal: '-', met: true }]
    })
}
