import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/engine/canonical-json.ts'
import { AppError, describeError } from '../../src/engine/errors.ts'
import { jobId } from '../../src/engine/ids.ts'
import {
  calculateEstimatedCompletion,
  calculateOverallProgress,
  calculateStageProgress,
  type Sample,
} from '../../src/engine/progress.ts'
import { backoffMs, DEFAULT_BACKOFF, toFailure } from '../../src/engine/retry.ts'
import { cleanText, storableJson } from '../../src/engine/storable.ts'
import { ERROR_CODES } from '../../src/engine/error-codes.ts'

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
  test('every retryable code is a state of the world (5xx), every other broken input or defect', () => {
    for (const [code, facts] of Object.entries(ERROR_CODES)) expect(facts.retryable ? facts.status >= 500 : true, code).toBe(true)
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
