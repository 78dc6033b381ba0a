// What a process keeps of the pace of stages: hints that never ask for less than is there, and forget what is not so any more.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Deps } from '../../src/engine/deps.ts'
import { firstClaim, isQuick, notePace, usefulWorkers } from '../../src/engine/quick-stages.ts'
import helloWorld from '../../src/jobs/hello_world.ts'
import { processIdentity } from '../../src/platform/process-identity.ts'
import { LEAST_CLAIM, MOST_CLAIM } from '../../src/rules/claim-size.ts'

const newProcess = (): Deps => ({ process: processIdentity({}) }) as Deps
const pace = fc.record({
  tasks: fc.integer({ min: 1, max: 20_000 }),
  ms: fc.oneof(fc.double({ min: 0, max: 20_000, noNaN: true }), fc.constant(Infinity)),
})

test('nothing is known: not quick, as many workers as there are, the least claim', () => {
  const deps = newProcess()
  expect(isQuick(deps, helloWorld, 1, 1)).toBe(false)
  expect(usefulWorkers(deps, helloWorld, 1, 1000)).toBe(Infinity)
  expect(firstClaim(deps, helloWorld, 1, 10_000)).toBe(LEAST_CLAIM)
})

test('whatever was seen: a claim is within its bounds and no more than a share needs; at least one worker; one claim is quick or not', () => {
  fc.assert(
    fc.property(fc.array(pace, { minLength: 1 }), fc.integer({ min: 0, max: 100_000 }), (paces, tasks) => {
      const deps = newProcess()
      for (const p of paces) notePace(deps, helloWorld, 1, p)
      const claim = firstClaim(deps, helloWorld, 1, tasks)
      expect(claim).toBeGreaterThanOrEqual(LEAST_CLAIM)
      expect(claim).toBeLessThanOrEqual(Math.max(LEAST_CLAIM, Math.min(MOST_CLAIM, tasks)))
      expect(usefulWorkers(deps, helloWorld, 1, tasks)).toBeGreaterThanOrEqual(1)
      if (tasks > MOST_CLAIM) expect(isQuick(deps, helloWorld, 1, tasks)).toBe(false)
    }),
  )
})

test('stages of a size are judged by the last one of that size: a burst of small ones does not make the large ones slow', () => {
  const deps = newProcess()
  const note = (tasks: number, ms: number): void => notePace(deps, helloWorld, 1, { tasks, ms })
  note(100, 30)
  note(1, 5)
  expect(isQuick(deps, helloWorld, 1, 200)).toBe(true)
  note(1, 400)
  expect(isQuick(deps, helloWorld, 1, 1)).toBe(false)
  expect(isQuick(deps, helloWorld, 1, 200)).toBe(true)
  // Between them: as the smaller one, for each of its tasks.
  expect(isQuick(deps, helloWorld, 1, 10)).toBe(false)
  note(1, 5)
  expect(isQuick(deps, helloWorld, 1, 10)).toBe(true)
  note(90, 300)
  expect(isQuick(deps, helloWorld, 1, 200)).toBe(false)
  note(1, 5)
  expect(isQuick(deps, helloWorld, 1, 1)).toBe(true)
  // Its only worker came back before the end: tasks wait for something.
  note(1, Infinity)
  expect(isQuick(deps, helloWorld, 1, 1)).toBe(false)
  // Another stage, and another process, know nothing of it.
  expect(isQuick(deps, helloWorld, 2, 1)).toBe(false)
  expect(isQuick(newProcess(), helloWorld, 1, 1)).toBe(false)
})

test('workers are asked for by what there is to do: 50 ms each', () => {
  const deps = newProcess()
  notePace(deps, helloWorld, 1, { tasks: 50, ms: 12 })
  expect([50, 100, 1000, 10_000].map((n) => usefulWorkers(deps, helloWorld, 1, n))).toEqual([1, 1, 5, 48])
  expect([50, 150, 1000].map((share) => firstClaim(deps, helloWorld, 1, share))).toEqual([50, 150, 200])
  // Tasks that wait keep their workers.
  notePace(deps, helloWorld, 1, { tasks: 50, ms: 500 })
  expect(usefulWorkers(deps, helloWorld, 1, 1000)).toBe(200)
  expect(firstClaim(deps, helloWorld, 1, 1000)).toBe(LEAST_CLAIM)
})
