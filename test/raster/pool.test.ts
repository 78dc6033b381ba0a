// Child processes for foreign bytes: what happens in them never happens to the host.
import { afterEach, expect, test } from 'vitest'
import { alive, keptOutput } from 'functions-host/testing'
import { defaultSlots, RasterPool } from '../../src/raster/pool.ts'
import { places } from '../../src/raster/pools.ts'
import type { LookTask } from '../../src/raster/look-task.ts'
import { AppError } from '../../src/rules/errors.ts'

const entry = new URL('../support/workers/hostile.ts', import.meta.url)
let pool: RasterPool
afterEach(() => pool?.close())

const ask = (blob: string, signal?: AbortSignal): Promise<{ pid: number }> => {
  const task: LookTask = { kind: 'look', source: { container: 'bronze', blob, etag: '', size: 1 }, look: { what: 'info' } }
  return pool.run(task, signal) as unknown as Promise<{ pid: number }>
}

test('a crash and an exit are one failed try each, with a reason; the next task has a new process', async () => {
  pool = new RasterPool({ output: keptOutput(), size: 1, entry })
  const first = await ask('well')
  await expect(ask('crash')).rejects.toMatchObject({
    code: 'WORKER_CRASHED',
    retryable: true,
    message: expect.stringContaining('SIGABRT'),
  })
  await expect(ask('exit')).rejects.toMatchObject({ code: 'WORKER_CRASHED', message: expect.stringContaining('code 3') })
  const next = await ask('well')
  expect(next.pid).not.toBe(first.pid)
})

test('a process that grows is ended with its size in the reason', async () => {
  pool = new RasterPool({ output: keptOutput(), size: 1, entry, memoryBytes: 250e6 })
  await expect(ask('grow')).rejects.toMatchObject({
    code: 'WORKER_MEMORY',
    message: expect.stringMatching(/held \d+ MB, more than 250/),
  })
})

test('a hang ends with its signal, and so does its process', async () => {
  pool = new RasterPool({ output: keptOutput(), size: 1, entry })
  const { pid } = await ask('well')
  const stop = new AbortController()
  const hanging = ask('hang', stop.signal)
  // It is under way.
  await new Promise((r) => setImmediate(r))
  stop.abort(new AppError('TASK_ABORTED', 'The job is cancelled.'))
  await expect(hanging).rejects.toMatchObject({ code: 'TASK_ABORTED', message: 'The job is cancelled.' })
  expect(alive(pid)).toBe(false)
})

test('no more processes than places; what waits is taken in order, and may give up', async () => {
  pool = new RasterPool({ output: keptOutput(), size: 2, entry })
  const pids = await Promise.all(Array.from({ length: 20 }, () => ask('well').then((a) => a.pid)))
  expect(new Set(pids).size).toBe(2)
  const stop = new AbortController()
  const [a, b, waiting] = [ask('hang', stop.signal), ask('hang', stop.signal), ask('well', stop.signal)]
  stop.abort(new AppError('TASK_ABORTED', 'x'))
  for (const each of [a, b, waiting]) await expect(each).rejects.toMatchObject({ code: 'TASK_ABORTED' })
  await ask('well')
})

test('a process is replaced after its number of tasks', async () => {
  pool = new RasterPool({ output: keptOutput(), size: 1, entry, tasksPerProcess: 3 })
  const pids = new Set<number>()
  for (let i = 0; i < 9; i++) pids.add((await ask('well')).pid)
  expect(pids.size).toBe(3)
})

test('places: by cores and memory; taken, waited for, given back once', async () => {
  expect([defaultSlots(2, 8e9), defaultSlots(8, 2e9), defaultSlots(4, 5e8)]).toEqual([2, 5, 1])
  const slots = places(() => 1)
  const release = await slots.take(0)
  expect(await slots.take(1)).toBeUndefined()
  const waiting = slots.take(60_000)
  release?.()
  release?.()
  const second = await waiting
  expect(second).toBeDefined()
  expect(await slots.take(1)).toBeUndefined()
  second?.()
})
