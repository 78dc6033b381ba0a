import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { piecesOf } from '../../src/storage/pieces.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test('a body that stalls is given up after a minute, and its connection with it', async () => {
  const stream = new PassThrough({ encoding: 'utf8' })
  const pieces = piecesOf<string>(stream)
  stream.write('one')
  expect(await pieces.next()).toEqual({ done: false, value: 'one' })
  const next = pieces.next()
  const refused = expect(next).rejects.toMatchObject({ code: 'ETIMEDOUT', message: expect.stringContaining('60 s') })
  await vi.advanceTimersByTimeAsync(59_999)
  expect(stream.destroyed).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await refused
  expect(stream.destroyed).toBe(true)
})

test('a reader that takes its time is not the one that stalls', async () => {
  const stream = new PassThrough({ encoding: 'utf8' })
  const pieces = piecesOf<string>(stream)
  stream.write('one')
  await pieces.next()
  await vi.advanceTimersByTimeAsync(600_000)
  stream.end('two')
  expect(await pieces.next()).toEqual({ done: false, value: 'two' })
  expect(await pieces.next()).toEqual({ done: true, value: undefined })
  expect(vi.getTimerCount()).toBe(0)
})

test('left early, the connection is closed', async () => {
  const stream = new PassThrough({ encoding: 'utf8' })
  stream.write('one')
  for await (const _ of piecesOf<string>(stream)) break
  expect(stream.destroyed).toBe(true)
})
