// Due times over changes of clocks: each once, none lost. Berlin: forward on 2026-03-29 at 2:00, back on 2026-10-25 at 3:00.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextDueTimes, planDue } from '../../src/engine/due-times.ts'
import { parametersAt } from '../../src/engine/schedules.ts'

const iso = (times: readonly (Date | null)[]): (string | undefined)[] =>
  times.map((t) => t?.toISOString().replace(':00.000Z', 'Z'))
const berlin = (cron: string) => ({ cron, time_zone: 'Europe/Berlin' })

describe('changes of clocks', () => {
  test('a time that the night of the change does not have comes once, when the clock jumps', () => {
    expect(iso(nextDueTimes(berlin('30 2 * * *'), new Date('2026-03-28T02:00Z'), 3))).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
      '2026-03-31T00:30Z',
    ])
  })
  test('a time that the night of the change has twice comes once', () => {
    const times = nextDueTimes(berlin('30 2 * * *'), new Date('2026-10-24T02:00Z'), 2)
    expect(iso(times)).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z'])
  })
  test('every half hour is every half hour, in both nights', () => {
    for (const day of ['2026-03-29', '2026-10-25']) {
      const times = nextDueTimes(berlin('*/30 * * * *'), new Date(`${day}T00:00Z`), 12)
      expect(times.map((t, i) => t.getTime() - (times[i - 1]?.getTime() ?? t.getTime() - 1_800_000))).toEqual(
        times.map(() => 1_800_000),
      )
    }
  })
  test('whatever the expression, zone and moment: times ascend, and asked from one of them the next is the next', () => {
    const cron = fc.constantFrom('*/7 * * * *', '0 3 * * *', '30 2 * * 0', '15 1-4 * * *', '0 0 1 * *', '59 23 28-31 * *')
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC')
    const from = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(cron, zone, from, (cron, time_zone, at) => {
        const times = nextDueTimes({ cron, time_zone }, at, 6).map((t) => t.getTime())
        expect(times.every((t, i) => t > (times[i - 1] ?? at.getTime()))).toBe(true)
        for (const [i, t] of times.slice(0, -1).entries())
          expect(nextDueTimes({ cron, time_zone }, new Date(t), 1)[0]?.getTime()).toBe(times[i + 1])
      }),
      { numRuns: 60 },
    )
  })
})

describe('what is due, and what was missed', () => {
  const hourly = { cron: '0 * * * *', time_zone: 'UTC' }
  const at = (text: string): Date => new Date(`2026-05-01T${text}Z`)
  test.each([
    ['on time', 'skip', '10:00', '10:00:20', '2026-05-01T10:00Z', []],
    ['late within the grace', 'skip', '10:00', '10:09', '2026-05-01T10:00Z', []],
    ['too late', 'skip', '10:00', '10:11', undefined, ['2026-05-01T10:00Z']],
    ['too late, the last one run', 'latest', '10:00', '10:40', '2026-05-01T10:00Z', []],
    [
      'three hours away',
      'skip',
      '10:00',
      '13:05',
      '2026-05-01T13:00Z',
      ['2026-05-01T10:00Z', '2026-05-01T11:00Z', '2026-05-01T12:00Z'],
    ],
    [
      'three hours away, too late',
      'skip',
      '10:00',
      '12:30',
      undefined,
      ['2026-05-01T10:00Z', '2026-05-01T11:00Z', '2026-05-01T12:00Z'],
    ],
    [
      'three hours away, the last one run',
      'latest',
      '10:00',
      '12:30',
      '2026-05-01T12:00Z',
      ['2026-05-01T10:00Z', '2026-05-01T11:00Z'],
    ],
  ] as const)('%s', (_, rule, due, now, run, missed) => {
    const plan = planDue(hourly, rule, at(due), at(now))
    expect([iso([plan.run])[0], iso(plan.missed)]).toEqual([run, missed])
    expect(plan.next && plan.next > at(now)).toBe(true)
  })
  test('looked at backwards the due times are those of looking forwards, over changes of clocks too', () => {
    const cron = fc.constantFrom('*/20 * * * *', '30 2 * * *', '15 1-4 * * *', '0 0 * * 1')
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe')
    const days = fc.constantFrom('2026-03-28', '2026-03-07', '2026-04-04', '2026-10-24', '2026-10-31', '2026-06-01')
    fc.assert(
      fc.property(
        cron,
        zone,
        days,
        fc.integer({ min: 0, max: 2880 }),
        fc.integer({ min: 1, max: 1440 }),
        (cron, time_zone, day, from, minutes) => {
          const [due] = nextDueTimes({ cron, time_zone }, new Date(Date.parse(`${day}T00:00Z`) + from * 60_000), 1) as [Date]
          const now = new Date(due.getTime() + minutes * 60_000)
          const { run, missed, next } = planDue({ cron, time_zone }, 'latest', due, now)
          const forward = [due, ...nextDueTimes({ cron, time_zone }, due, 120)]
          expect(iso([...missed, run, next])).toEqual(
            iso([...forward.filter((t) => t <= now), forward.find((t) => t > now) ?? null]),
          )
        },
      ),
      { numRuns: 30 },
    )
  })
  test('a year away: the newest hundred are noted, in no time', () => {
    const plan = planDue({ cron: '* * * * *', time_zone: 'UTC' }, 'skip', at('10:00'), new Date('2027-05-20T00:00Z'))
    expect([plan.run?.toISOString(), plan.missed.length]).toEqual(['2027-05-20T00:00:00.000Z', 100])
  })
})

test.each([
  ['0 * * * * *', 'UTC', 'cron'],
  ['@hourly', 'UTC', 'cron'],
  ['61 * * * *', 'UTC', 'cron'],
  ['a b c d e', 'UTC', 'cron'],
  ['0 3 * * *', 'Mars/Olympus', 'time_zone'],
])('%s in %s is refused by its field', (cron, time_zone, path) => {
  expect(() => nextDueTimes({ cron, time_zone }, new Date(), 1)).toThrow(
    expect.objectContaining({ code: 'INVALID_PARAMETERS', issues: [expect.objectContaining({ path })] }),
  )
})

test('due time and day are filled into texts, however deep; the day is that of the zone', () => {
  const parameters = { label: 'run {date}', list: ['{due}', 3, null], deep: { a: '{date}/{date}' } }
  expect(parametersAt({ parameters, time_zone: 'Pacific/Auckland' }, new Date('2026-05-01T20:00Z'))).toEqual({
    label: 'run 2026-05-02',
    list: ['2026-05-01T20:00:00.000Z', 3, null],
    deep: { a: '2026-05-02/2026-05-02' },
  })
})
