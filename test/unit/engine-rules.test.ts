import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/rules/canonical-json.ts'
import { AppError, describeError } from '../../src/rules/errors.ts'
import { jobId } from '../../src/rules/ids.ts'
import {
  calculateEstimatedCompletion,
  progressFloor,
  samplesOf,
  type StageCounts,
  calculateOverallProgress,
  calculateStageProgress,
  type Sample,
} from '../../src/rules/progress.ts'
import { backoffMs, DEFAULT_BACKOFF, toFailure } from '../../src/rules/retry.ts'
import { cleanText, storableJson } from '../../src/rules/storable.ts'
import { ERROR_CODES } from '../../src/rules/error-codes.ts'

describe('job ids', () => {
  test('the id of a known job never changes', () => {
    // sha256 of the text hello_world:{"n":3,"name":"World"}
    expect(jobId('hello_world', { name: 'World', n: 3 })).toBe('6a25394b5dee9b99c397db9773c7d7a6edea667593364f44c1ffabaf83738a29')
  })
  test('key order, -0, 1e21, unicode and undefined members have one spelling', () => {
    expect(canonicalJson({ b: [1, { z: null, a: 'é' }], a: -0, c: 1e21, d: undefined })).toBe(
      '{"a":0,"b":[1,{"a":"é","z":null}],"c":1e+21}',
    )
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(TypeError)
  })
  test('any JSON value: reordered keys give the same text, which reads back as the value', () => {
    const reorder = (v: unknown): unknown =>
      Array.isArray(v)
        ? v.map(reorder)
        : typeof v === 'object' && v !== null
          ? Object.fromEntries(
              Object.entries(v)
                .reverse()
                .map(([k, m]) => [k, reorder(m)]),
            )
          : v
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(reorder(value))).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('retry', () => {
  test('waits grow, have full jitter and a cap; Retry-After is a lower bound', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        fc.integer({ min: 0, max: 900_000 }),
        (claims, random, after) => {
          const wait = backoffMs(claims, DEFAULT_BACKOFF, random, after)
          expect(wait).toBeGreaterThanOrEqual(after)
          expect(wait).toBeLessThanOrEqual(Math.max(after, Math.min(600_000, 2000 * 2 ** (claims - 1))))
        },
      ),
    )
    expect(backoffMs(3, DEFAULT_BACKOFF, 0.5)).toBe(4000)
  })
  for (const [thrown, code, retryable] of [
    [new AppError('STORAGE_UNAVAILABLE', 'x'), 'STORAGE_UNAVAILABLE', true],
    [new AppError('BLOB_NOT_FOUND', 'x'), 'BLOB_NOT_FOUND', false],
    [new AppError('MY_CODE', 'x', { retryable: true }), 'MY_CODE', true],
    [new Error('plain'), 'TASK_FAILED', false],
    ['text', 'TASK_FAILED', false],
    [undefined, 'TASK_FAILED', false],
  ] as const) {
    test(`${String(thrown)} → ${code}, ${retryable ? 'tried again' : 'final'}`, () => {
      const failure = toFailure(thrown, 1, DEFAULT_BACKOFF, 0.9)
      expect(failure).toMatchObject({ error_code: code, retryable })
      expect(failure.error_details).not.toBe('')
    })
  }
  test('every retryable code is a state of the world (5xx) or a bound that gives way (429), every other broken input or defect', () => {
    for (const [code, facts] of Object.entries(ERROR_CODES))
      expect(facts.retryable ? facts.status >= 500 || facts.status === 429 : true, code).toBe(true)
  })
  test('an error without a message still has a text', () => {
    expect(describeError(new Error(), 'TASK_FAILED').details).not.toBe('')
    expect(describeError(new AppError('POISON', ''), 'TASK_FAILED')).toEqual({ code: 'POISON', details: 'POISON' })
  })
})

describe('progress', () => {
  const stage = (done: number, total: number, more = {}) => ({
    done,
    failed: 0,
    running: 0,
    total,
    planned: true,
    closed: false,
    ...more,
  })
  test('one decimal, rounded down; 100 only when closed', () => {
    expect(calculateStageProgress(stage(1, 3)).percent).toBe(33.3)
    expect(calculateStageProgress(stage(99_999, 100_000)).percent).toBe(99.9)
    expect(calculateStageProgress(stage(3, 3)).percent).toBe(99.9)
    expect(calculateStageProgress(stage(3, 3, { closed: true })).percent).toBe(100)
    expect(calculateStageProgress(stage(0, 0)).percent).toBe(0)
  })
  test('more done never lowers percent, and nothing passes 100', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.nat(1000), (a, b, total) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        const first = calculateStageProgress(stage(low, total)).percent
        const second = calculateStageProgress(stage(high, total), first).percent
        expect(second).toBeGreaterThanOrEqual(first)
        expect(second).toBeLessThanOrEqual(100)
      }),
    )
  })
  test('unplanned stages weigh as the average of the planned ones and are marked estimated', () => {
    expect(calculateOverallProgress([stage(50, 100)], 2, false)).toEqual({ percent: 25, done: 50, total: 200, estimated: true })
    expect(calculateOverallProgress([stage(100, 100, { closed: true }), stage(0, 100)], 2, false)).toEqual({
      percent: 50,
      done: 100,
      total: 200,
      estimated: false,
    })
    expect(calculateOverallProgress([stage(0, 0, { closed: true })], 1, true)).toMatchObject({ percent: 100, estimated: false })
    expect(calculateOverallProgress([], 3, false)).toMatchObject({ percent: 0, estimated: true })
  })
})

test('a stage larger than the ones before it never pulls the percent of the job back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 700 }), (sizes, step) => {
      const seen: number[] = []
      const show = (stages: readonly StageCounts[], finished = false): void => {
        seen.push(calculateOverallProgress(stages, sizes.length, finished, progressFloor(stages, sizes.length)).percent)
      }
      const closed: StageCounts[] = []
      for (const total of sizes) {
        const counts = { done: 0, failed: 0, running: 0, total, planned: true, closed: false }
        show([...closed, { ...counts, total: Math.floor(total / 2), planned: false }])
        for (let done = 0; done < total; done += step) show([...closed, { ...counts, done }])
        closed.push({ ...counts, done: total, closed: true })
        show(closed)
      }
      show(closed, true)
      expect(seen).toEqual(seen.toSorted((a, b) => a - b))
      expect(seen.indexOf(100)).toBe(seen.length - 1)
    }),
  )
})

describe('estimated completion', () => {
  const series = (rates: readonly number[], seconds: number): Sample[] => {
    let done = 0
    const samples: Sample[] = [{ at: 0, done: 0 }]
    for (const [i, rate] of rates.entries()) {
      for (let s = 1; s <= seconds; s++) samples.push({ at: (i * seconds + s) * 1000, done: (done += rate) })
    }
    return samples
  }
  test('below 5 completions there is a reason instead of a guess', () => {
    expect(
      calculateEstimatedCompletion(
        [
          { at: 0, done: 0 },
          { at: 1000, done: 4 },
        ],
        100,
      ),
    ).toEqual({ eta: null, reason: 'fewer than 5 completions', rate_per_s: null })
    expect(calculateEstimatedCompletion([], 100)).toMatchObject({ eta: null })
  })
  test('a steady series: the truth is met, inside the bounds', () => {
    const samples = series([10], 60)
    for (const share of [0.25, 0.5, 0.75]) {
      const seen = samples.slice(0, Math.round(samples.length * share))
      const estimate = calculateEstimatedCompletion(seen, 600)
      if (estimate.eta === null) throw new Error('an estimate was expected')
      expect(Math.abs(Date.parse(estimate.eta) - 60_000)).toBeLessThanOrEqual(1000)
      expect(Date.parse(estimate.eta_low)).toBeLessThanOrEqual(60_000)
      expect(Date.parse(estimate.eta_high)).toBeGreaterThanOrEqual(60_000)
      expect(estimate.confidence).toBe('high')
    }
  })
  test('when the rate changes, the recent window decides and confidence drops', () => {
    const estimate = calculateEstimatedCompletion(series([20, 2], 60), 2000)
    expect(estimate).toMatchObject({ rate_per_s: 2, confidence: 'low' })
  })
  test('never before now, and low ≤ eta ≤ high', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 2, maxLength: 60 }), fc.nat(5000), (steps, total) => {
        let done = 0
        const samples = steps.map((s, i) => ({ at: i * 1000, done: (done += i === 0 ? 0 : s) }))
        const estimate = calculateEstimatedCompletion(samples, total)
        if (estimate.eta === null) return
        const [low, eta, high] = [estimate.eta_low, estimate.eta, estimate.eta_high].map((t) => Date.parse(t)) as [
          number,
          number,
          number,
        ]
        expect(low).toBeGreaterThanOrEqual((samples.length - 1) * 1000)
        expect(low).toBeLessThanOrEqual(eta)
        expect(eta).toBeLessThanOrEqual(high)
      }),
    )
  })
})

interface Recorded {
  readonly total: number
  readonly finished_ms: readonly number[]
}
const RECORDINGS = new URL('../fixtures/completions/', import.meta.url)
const recorded = readdirSync(RECORDINGS)
  .filter((file) => file.endsWith('.json'))
  .map((file): [string, Recorded] => [
    file.replace('.json', ''),
    JSON.parse(readFileSync(new URL(file, RECORDINGS), 'utf8')) as Recorded,
  ])

/** What the product sees at a moment of a recorded run: about 20 points of the last 1,000 completions. */
function seenAt({ total, finished_ms }: Recorded, at: number) {
  const done = finished_ms.findLastIndex((ms) => ms <= at) + 1
  const recent = finished_ms.slice(Math.max(0, done - 1000), done)
  const step = Math.max(1, Math.floor(recent.length / 20))
  const points = recent
    .map((ms, i) => ({ at: new Date(ms), done: i + 1, ended: recent.length }))
    .filter((p) => p.done === 1 || p.done === recent.length || p.done % step === 0)
  const estimate = calculateEstimatedCompletion(samplesOf(new Date(0), points, done, new Date(at)), total)
  return { done, at, estimate: estimate.eta === null ? undefined : estimate }
}
const time = (text: string): number => Date.parse(text)

describe('estimated completion of recorded runs', () => {
  const everySecond = (run: Recorded) =>
    Array.from({ length: Math.floor((run.finished_ms.at(-1) ?? 0) / 1000) }, (_, i) => seenAt(run, (i + 1) * 1000)).flatMap((s) =>
      s.estimate ? [{ ...s, estimate: s.estimate }] : [],
    )

  test('the error at 25, 50 and 75 % is what docs/progress.md states', () => {
    const document = readFileSync(new URL('../../docs/progress.md', import.meta.url), 'utf8')
    const rows = [...document.matchAll(/^\| (\w+) \| [^|]+ \| (-?\d+) % \| (-?\d+) % \| (-?\d+) % \|$/gm)]
    const stated = Object.fromEntries(rows.map(([, name = '', ...errors]) => [name, errors.map(Number)]))
    for (const [name, run] of recorded) {
      const end = run.finished_ms.at(-1) ?? 0
      const errors = [0.25, 0.5, 0.75].map((share) => {
        const { estimate } = seenAt(run, (run.finished_ms[Math.floor(run.total * share)] ?? 0) + 1)
        return Math.round((100 * (time(estimate?.eta ?? '') - end)) / end) || 0
      })
      expect([name, errors]).toEqual([name, stated[name]])
    }
    expect(Object.keys(stated).sort()).toEqual(recorded.map(([name]) => name).sort())
  })

  test('the bounds hold the truth in at least 80 % of all moments, and in 95 % where storage is steady or noisy', () => {
    const shares = recorded.map(([name, run]): [string, number, number] => {
      const end = run.finished_ms.at(-1) ?? 0
      const moments = everySecond(run)
      const inside = moments.filter((m) => time(m.estimate.eta_low) <= end && end <= time(m.estimate.eta_high))
      return [name, inside.length, moments.length]
    })
    const sum = (of: readonly [string, number, number][]): number =>
      of.reduce((a, [, inside]) => a + inside, 0) / of.reduce((a, [, , all]) => a + all, 0)
    expect(sum(shares)).toBeGreaterThanOrEqual(0.8)
    expect(sum(shares.filter(([name]) => name === 'steady' || name === 'noisy'))).toBeGreaterThanOrEqual(0.95)
  })

  test('never in the past; percent never goes back; a new estimate lies within the bounds of the one before in 95 % of the moments', () => {
    let within = 0
    let all = 0
    for (const [, run] of recorded) {
      let floor = 0
      let before: { eta_low: string; eta_high: string } | undefined
      for (const { at, done, estimate } of everySecond(run)) {
        expect(time(estimate.eta_low)).toBeGreaterThanOrEqual(at)
        const counts = { done, failed: 0, running: 0, total: run.total, planned: true, closed: false }
        const { percent } = calculateStageProgress(counts, floor)
        expect(percent).toBeGreaterThanOrEqual(floor)
        expect(percent).toBeLessThan(100)
        floor = percent
        if (before) {
          all++
          if (time(before.eta_low) <= time(estimate.eta) && time(estimate.eta) <= time(before.eta_high)) within++
        }
        before = estimate
      }
    }
    expect(within / all).toBeGreaterThanOrEqual(0.95)
  })
})

describe('what PostgreSQL can store', () => {
  test('well-formed JSON passes unchanged; NUL and lone surrogates are refused with their path', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        const text = JSON.stringify(value)
        if (!text.includes('\\u0000')) expect(storableJson(value)).toBe(text)
      }),
    )
    expect(() => storableJson({ a: [{ b: 'x\u0000' }] })).toThrow(/a\.0\.b/)
    expect(() => storableJson({ 'k\ud800': 1 })).toThrow(AppError)
    expect(storableJson({ text: '\\u0000 written out' })).toBe('{"text":"\\\\u0000 written out"}')
  })
  test('error texts are cleaned instead: a failure must be recordable', () => {
    expect(cleanText('a\u0000b\ud800c')).toBe('a\uFFFDb\uFFFDc')
  })
})
