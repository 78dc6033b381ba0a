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
