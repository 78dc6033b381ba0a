import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../src/functions/schedule.ts'

const EXPRESSIONS = [
  '0 0 0 29 2 *',
  '0 0 0 13 * 5',
  '* * * * * *',
  '0 * * * * *',
  '*/5 * * * * *',
  '0 */5 * * * *',
  '0 0 * * * *',
  '0 0 */2 * * *',
  '0 0 9-17 * * *',
  '0 30 9 * * *',
  '0 30 9 * * 1-5',
  '0 30 9 * Jan Mon',
  '0 0 0 1 * *',
  '0 0 0 31 * *',
  '0 0 0 30 4,6 *',
  '0 0 12 * * 0',
  '0 0 12 * * Sun',
  '0 0 12 * * Saturday',
  '15,45 * * * * *',
  '0 10-20/5 * * * *',
  '5 4 3 2 1 *',
  '0 0 3 1 1 *',
  '59 59 23 31 12 *',
  '0 0 0 * February *',
  '0 0 0 1-7 * 1',
  '0 0 6,18 * * *',
  '30 0 0 * * *',
  '0 15 10 15 * *',
  '0 0 0 1 1,4,7,10 *',
  '0 0 22 * * 1,3,5',
  '*/7 * * * * *',
  '0 */59 * * * *',
  '0 0 0 28-31 2 *',
  '0 5,10 8-9 * 3 2',
  '0 0 1 */10 * *',
  '0 0 0 * */6 *',
  '10 20 14 14 7 *',
  '0 * * * *',
  '*/15 * * * *',
  '0 9 * * 1-5',
] as const
const FROM = Date.UTC(2026, 0, 1, 0, 0, 0)

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Written on its own, field by field: what a field accepts. */
function accepts(field: string, min: number, max: number, names: readonly string[] = [], base = 0): (n: number) => boolean {
  const number = (text: string): number => {
    const named = names.indexOf(text.slice(0, 3).toLowerCase())
    return named >= 0 ? named + base : Number(text)
  }
  const ranges = field.split(',').map((part) => {
    const [range = '', every = '1'] = part.split('/')
    const [low, high] =
      range === '*'
        ? [min, max]
        : range.includes('-')
          ? range.split('-').map(number)
          : [number(range), part.includes('/') ? max : number(range)]
    return { low: low ?? min, high: high ?? max, every: Number(every) }
  })
  return (n) => ranges.some(({ low, high, every }) => n >= low && n <= high && (n - low) % every === 0)
}

/** Day by day, then every second of a day that fits. */
function next(expression: string, count: number): number[] {
  const fields = expression.split(' ')
  const [s = '', m = '', h = '', day = '', month = '', weekday = ''] = fields.length === 5 ? ['0', ...fields] : fields
  const [second, minute, hour] = [accepts(s, 0, 59), accepts(m, 0, 59), accepts(h, 0, 23)]
  const [dayOk, monthOk, weekdayOk] = [accepts(day, 1, 31), accepts(month, 1, 12, MONTHS, 1), accepts(weekday, 0, 6, DAYS)]
  const found: number[] = []
  for (let date = FROM; found.length < count; date += 86_400_000) {
    const d = new Date(date)
    // Day of month and day of week both have to match.
    if (!dayOk(d.getUTCDate()) || !monthOk(d.getUTCMonth() + 1) || !weekdayOk(d.getUTCDay())) continue
    for (let at = 0; at < 86_400 && found.length < count; at++)
      if (second(at % 60) && minute(Math.floor(at / 60) % 60) && hour(Math.floor(at / 3600)) && date + at * 1000 > FROM)
        found.push(date + at * 1000)
  }
  return found
}

describe('NCRONTAB', () => {
  test.each(EXPRESSIONS)('%s: five next occurrences', (expression) => {
    const schedule = parseSchedule(expression)
    const found: string[] = []
    for (let at = FROM; found.length < 5; found.push(new Date(at).toISOString())) at = schedule(at)
    expect(found).toEqual(next(expression, 5).map((at) => new Date(at).toISOString()))
  })

  test('the 13th and Friday, both', () => {
    const schedule = parseSchedule('0 0 0 13 * 5')
    const first = schedule(FROM)
    const second = schedule(first)
    expect([first, second, schedule(second)].map((at) => new Date(at).toISOString().slice(0, 10))).toEqual([
      '2026-02-13',
      '2026-03-13',
      '2026-11-13',
    ])
  })

  test.each([
    '0 0 0 L * *',
    '0 0 0 15W * *',
    '0 0 0 * * 5#3',
    '0 0 0 ? * *',
    '@daily',
    '0 0 0 1 1 * 2026',
    '',
    'x',
    '0 0 25 * * *',
    '00:00:00',
    '60 * * * * *',
  ])('%j is refused with the sentence of the host', (expression) => {
    expect(() => parseSchedule(expression)).toThrow(
      `The schedule expression '${expression}' was not recognized as a valid cron expression or timespan string.`,
    )
  })

  test('an interval counts from the run before; a setting is resolved; a time zone is followed', () => {
    expect(parseSchedule('00:05:00')(FROM) - FROM).toBe(300_000)
    expect(parseSchedule('%EVERY%', { EVERY: '0 0 3 * * *' })(FROM)).toBe(FROM + 3 * 3_600_000)
    expect(() => parseSchedule('%NOWHERE%', {})).toThrow("'%NOWHERE%' does not resolve to a value.")
    expect(parseSchedule('0 0 3 * * *', { WEBSITE_TIME_ZONE: 'Europe/Prague' })(FROM)).toBe(FROM + 2 * 3_600_000)
  })
})
