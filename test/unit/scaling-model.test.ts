import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectedRate, sharedRate } from '../../bench/scaling-model.ts'

const COST = { app: 0.1, postgres: 0.2, wal: 1 }
const MACHINES = {
  instances: 4,
  coresPerInstance: 1,
  postgresCores: 2,
  walPerSecond: 100_000,
  storagePerSecond: 20_000,
  requestsPerTask: 0,
}

test('the wall is what is used up first', () => {
  expect(expectedRate(COST, MACHINES)).toEqual({ wall: 'postgres', perSecond: 10_000 })
  expect(expectedRate(COST, { ...MACHINES, instances: 1, coresPerInstance: 0.25 })).toEqual({
    wall: 'instances',
    perSecond: 2500,
  })
  expect(expectedRate(COST, { ...MACHINES, walPerSecond: 5000 })).toEqual({ wall: 'wal', perSecond: 5000 })
  expect(expectedRate(COST, { ...MACHINES, requestsPerTask: 4 })).toEqual({ wall: 'storage', perSecond: 5000 })
})

test('on shared cores both costs are paid by the same cores', () => {
  expect(sharedRate({ app: 0.1, postgres: 0.3, wal: 1 }, 2)).toBe(5000)
})

test('the table of docs/scaling.md is what the model says of its figures', () => {
  const cost = { app: 0.06, postgres: 0.15, wal: 1.2 }
  // Postgres cores, app CPU of a task, its requests to storage.
  const columns = [
    [2, 0.06, 0],
    [4, 0.06, 0],
    [8, 0.06, 0],
    [4, 1.5, 1],
    [4, 3, 3],
    [4, 17_600, 0],
  ] as const
  const rows =
    readFileSync('docs/scaling.md', 'utf8').match(/^\| (1|4|20|40) \| .*\b(instances|Postgres|WAL|storage) \|$/gm) ?? []
  expect(rows).toHaveLength(4)
  for (const row of rows) {
    const [instances, ...cells] = row.slice(2, -2).split(' | ')
    for (const [i, [postgresCores, app, requestsPerTask]] of columns.entries()) {
      const [figure = '', wall = ''] = cells[i]?.split(' ') ?? []
      const m = { ...MACHINES, instances: Number(instances), postgresCores, requestsPerTask, walPerSecond: 25_000 }
      const expected = expectedRate({ ...cost, app }, m)
      expect([row, wall.toLowerCase()]).toEqual([row, expected.wall])
      expect(Math.abs(Number(figure.replace(',', '')) / expected.perSecond - 1), row).toBeLessThan(0.04)
    }
  }
})
