import { describe, expect, test } from 'vitest'
import { PEERS, OURS } from '../../bench/peer-list.ts'
import { type Cell, closest, goalRows, type Kind, predict, ratio, speedTable } from '../../bench/peer-table.ts'

const cell = (name: string, n: number, seconds: readonly number[], more: Partial<Cell> = {}, kind: Kind = 'empty'): Cell => ({
  name,
  kind,
  n,
  samples: seconds.map((s) => ({ seconds: s, cpu: 0, postgresCpu: 0, writes: 0, wal: 0 })),
  ...more,
})
const apart = PEERS.find((p) => p.isApart)?.name ?? ''

describe('comparison with peers', () => {
  test('ten times the time is predicted at ten times the size, also from a prediction', () => {
    const cells = [cell('a', 1000, [7, 9, 8])]
    expect(predict(cells, { name: 'a', kind: 'empty', n: 10_000 })).toBe(80)
    const note = cell('a', 10_000, [], { note: 'not run', predicted: 80 })
    expect(predict([...cells, note], { name: 'a', kind: 'empty', n: 100_000 })).toBe(800)
    expect(predict(cells, { name: 'a', kind: 'waiting', n: 10_000 })).toBeUndefined()
    expect(predict(cells, { name: 'b', kind: 'empty', n: 10_000 })).toBeUndefined()
  })

  test('the ratio pairs what ran in one repetition: noise that hits both leaves it alone', () => {
    expect(ratio(cell(OURS, 100, [1, 10, 2]), cell('a', 100, [5, 50, 10]))).toBe(5)
    expect(ratio(cell(OURS, 100, [2]), cell('a', 100, [], { predicted: 80 }))).toBe(40)
    expect(ratio(cell(OURS, 100, [2]), cell('a', 100, [], { note: 'failed' }))).toBeNaN()
  })

  test('the best peer is the fastest one that keeps as much; one ahead of ours shows as less than 1', () => {
    const cells = [cell(OURS, 1000, [1]), cell('slow', 1000, [9]), cell('fast', 1000, [0.5]), cell(apart, 1000, [0.1])]
    expect(closest(cells, 'empty', 1000)).toMatchObject({ peer: { name: 'fast' }, times: 0.5 })
    expect(goalRows(cells)).toEqual([
      { measure: 'n = 1,000, against the best peer', figure: '0.5 × fast', goal: '≥ 5 ×', met: false },
      { measure: `n = 1,000, against ${apart}`, figure: '0.1 ×', goal: '-', met: true },
    ])
  })

  test('goals of one job name the system; five times is asked from 1,000 on, being ahead below', () => {
    const cells = [
      cell(OURS, 1, [0.012]),
      cell('graphile-worker', 1, [0.005]),
      cell('BullMQ', 1, [0.011]),
      cell(OURS, 100, [1]),
      cell('BullMQ', 100, [2]),
      cell(OURS, 50, [1], {}, 'many'),
      cell('BullMQ', 50, [2], {}, 'many'),
    ]
    expect(goalRows(cells).map(({ measure, figure, met }) => [measure, figure, met])).toEqual([
      ['n = 1, against graphile-worker', '0.42 ×', false],
      ['n = 1, against BullMQ', '0.92 ×', true],
      ['n = 100, against the best peer', '2.0 × BullMQ', true],
      ['50 jobs at once, against the best peer', '2.0 × BullMQ', true],
    ])
  })

  test('a table shows why a system did not run', () => {
    const cells = [
      cell(OURS, 1, [0.0123]),
      cell(OURS, 1000, [0.5]),
      cell('a', 1, [0.02]),
      cell('a', 1000, [], { note: 'not run: 80 s' }),
    ]
    expect(speedTable(cells, ['empty']).split('\n')).toEqual([
      '| tasks/s | n = 1 | n = 1,000 |',
      '| --- | --: | --: |',
      `| ${OURS} | 12.3 ms | 4,000 |`,
      '| a | 20.0 ms | not run: 80 s |',
      '| ours / best peer | 1.6 × a |  |',
    ])
  })
})
