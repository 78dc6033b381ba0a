// The end of a process: the order of its steps, and that it comes.
import { expect, test } from 'vitest'
import { Shutdown } from '../../src/platform/shutdown.ts'

test('stops first, waits for what runs and for what that begins, then closes; asked again, it is the same end', async () => {
  const shutdown = new Shutdown()
  const steps: string[] = []
  const work = Promise.withResolvers<void>()
  const record = Promise.withResolvers<void>()
  shutdown.onEnd(() => Promise.resolve(void steps.push('closed')))
  const first = shutdown.track(() => work.promise.then(() => steps.push('worked')))
  expect(shutdown.track(() => 'at once')).toBe('at once')
  await expect(shutdown.track(() => Promise.reject(new Error('its own affair')))).rejects.toThrow('its own affair')
  shutdown.signal.addEventListener('abort', () => steps.push('told'))
  const end = shutdown.end()
  expect(shutdown.end()).toBe(end)
  void first.then(() => shutdown.track(() => record.promise.then(() => steps.push('recorded'))))
  work.resolve()
  await first
  record.resolve()
  await end
  expect(steps).toEqual(['told', 'worked', 'recorded', 'closed'])
})

test('what does not end is not waited for without end', async () => {
  const shutdown = new Shutdown()
  let closed = false
  shutdown.onEnd(() => Promise.resolve(void (closed = true)))
  void shutdown.track(() => new Promise(() => undefined))
  await shutdown.end(1)
  expect(closed).toBe(true)
})
