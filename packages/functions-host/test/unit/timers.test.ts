// Timer functions on a clock of our own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseSchedule } from '../../src/functions/schedule.ts'
import { type TimerInput, Timers, type TimerSpec } from '../../src/functions/timers.ts'

const folder = mkdtempSync(join(tmpdir(), 'functions-host-timers-'))
afterAll(() => rmSync(folder, { recursive: true }))
const BEGIN = Date.UTC(2026, 0, 1)
beforeEach(() => void vi.useFakeTimers({ now: BEGIN }))
afterEach(() => void vi.useRealTimers())

const spec = (schedule: string, more: Partial<TimerSpec> = {}): TimerSpec => ({
  name: 't',
  cron: schedule.includes('*'),
  next: parseSchedule(schedule),
  runOnStartup: false,
  useMonitor: true,
  ...more,
})

interface Run {
  readonly at: number
  readonly input: TimerInput
}

/** Timers whose runs take so long, and what they ran. */
function timersOf(ms: number, file?: string, fails = false): { timers: Timers; runs: Run[]; errors: string[] } {
  const runs: Run[] = []
  const errors: string[] = []
  const work = async (_name: string, input: TimerInput): Promise<void> => {
    runs.push({ at: Math.floor((Date.now() - BEGIN) / 1000), input })
    await new Promise((resolve) => setTimeout(resolve, ms))
    if (fails) throw new Error('on purpose')
  }
  return { timers: new Timers(work, (_level, line) => void errors.push(line), file && join(folder, file)), runs, errors }
}

test('every five seconds, until stopped', async () => {
  const { timers, runs } = timersOf(10)
  timers.start([spec('*/5 * * * * *')])
  await vi.advanceTimersByTimeAsync(21_000)
  timers.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(runs.map((r) => r.at)).toEqual([5, 10, 15, 20])
  // More often than once a minute: not monitored.
  expect(runs[0]?.input).toEqual({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false })
})

test('a slow run is never overlapped; the tick that passed meanwhile runs at once', async () => {
  const { timers, runs } = timersOf(5000)
  timers.start([spec('*/3 * * * * *')])
  await vi.advanceTimersByTimeAsync(19_000)
  timers.stop()
  expect(runs.map((r) => r.at)).toEqual([3, 8, 13, 18])
})

test('an interval counts from the end of a run, and is no cron', async () => {
  const { timers, runs } = timersOf(1000)
  timers.start([spec('00:00:04')])
  await vi.advanceTimersByTimeAsync(15_000)
  timers.stop()
  expect(runs.map((r) => r.at)).toEqual([4, 9, 14])
  expect(runs[0]?.input.Schedule.AdjustForDST).toBe(false)
})

test('an error never stops the schedule', async () => {
  const { timers, runs, errors } = timersOf(10, undefined, true)
  timers.start([spec('0 * * * * *')])
  await vi.advanceTimersByTimeAsync(181_000)
  timers.stop()
  expect(runs).toHaveLength(3)
  expect(errors).toEqual(Array.from({ length: 3 }, () => 'Timer function t: on purpose'))
})

test('runOnStartup runs once at start; a monitored timer is told its next time', async () => {
  const { timers, runs } = timersOf(10)
  timers.start([spec('0 0 3 1 1 *', { runOnStartup: true })])
  await vi.advanceTimersByTimeAsync(1000)
  timers.stop()
  expect(runs.map((r) => r.input)).toEqual([
    {
      Schedule: { AdjustForDST: true },
      ScheduleStatus: {
        Last: '0001-01-01T00:00:00+00:00',
        Next: '2026-01-01T03:00:00+00:00',
        LastUpdated: '0001-01-01T00:00:00+00:00',
      },
      IsPastDue: false,
    },
  ])
})

test('an occurrence missed while the host was down runs once, at once, as past due', async () => {
  const hourly = [spec('0 0 * * * *')]
  const first = timersOf(10, 'state.json')
  first.timers.start(hourly)
  await vi.advanceTimersByTimeAsync(3_601_000)
  first.timers.stop()
  expect(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'))).toEqual({
    t: { Last: '2026-01-01T01:00:00+00:00', Next: '2026-01-01T02:00:00+00:00', LastUpdated: '2026-01-01T01:00:00+00:00' },
  })
  vi.setSystemTime(BEGIN + 5.5 * 3_600_000)
  const second = timersOf(10, 'state.json')
  second.timers.start(hourly)
  await vi.advanceTimersByTimeAsync(3_600_000)
  second.timers.stop()
  expect(second.runs.map((r) => [r.at / 3600, r.input.IsPastDue])).toEqual([
    [5.5, true],
    [6, false],
  ])
})

test('a wait of years is armed in steps', async () => {
  const { timers, runs } = timersOf(10)
  timers.start([spec('0 0 0 29 2 *')])
  await vi.advanceTimersByTimeAsync(Date.UTC(2028, 1, 29) - BEGIN - 1)
  expect(runs).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(2)
  timers.stop()
  expect(runs).toHaveLength(1)
})
