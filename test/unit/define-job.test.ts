// Compile-time tests: `npm run check` fails when an expected error is none, or when a line below stops compiling.
import { expect, test } from 'vitest'
import * as z from 'zod'
import { defineJob, defineStage } from '../../src/define/define-job.ts'

const params = z.strictObject({ n: z.int() })
const first = defineStage({
  name: 'first_stage',
  params,
  result: z.object({ sum: z.number() }),
  *plan({ params }) {
    yield { key: `k${params.n}`, parameters: { index: 1 } }
  },
  run: (task, ctx) => ({ sum: task.parameters.index + ctx.params.n }),
})

test('types flow from params to plan, from plan to run, from a stage to the next', () => {
  const second = defineStage({
    name: 'second_stage',
    params,
    after: first,
    result: z.object({ text: z.string() }),
    async *plan({ previous }) {
      for await (const { key, result } of previous(first)) yield { key, parameters: { sum: result.sum.toFixed(1) } }
    },
    run: async (task, ctx) => ({ text: task.parameters.sum.toUpperCase() + (await ctx.predecessor()).sum.toFixed() }),
  })
  const job = defineJob({ name: 'typed_job', description: '', params, stages: [first, second] })
  expect(job.stages).toHaveLength(2)
})

test('wrong plan, wrong result, wrong previous and wrong stage do not compile', () => {
  const base = { name: 'some_stage', params, result: z.object({ sum: z.number() }), *plan() {}, run: () => ({ sum: 1 }) }
  defineStage({
    ...base,
    *plan({ params }) {
      // @ts-expect-error params.m does not exist
      yield { key: String(params.m) }
    },
  })
  defineStage({
    ...base,
    // @ts-expect-error a task needs a key
    *plan() {
      yield { parameters: {} }
    },
  })
  defineStage({
    ...base,
    // @ts-expect-error the result's schema wants a number
    run: () => ({ sum: 'text' }),
  })
  defineStage({
    ...base,
    async *plan({ previous }) {
      // @ts-expect-error the first stage's result has no such member
      for await (const { result } of previous(first)) yield { key: String(result.missing) }
    },
  })
  defineStage({
    ...base,
    *plan() {
      yield { key: 'k', parameters: { index: 1 } }
    },
    // @ts-expect-error the plan gives no such parameter
    run: (task) => ({ sum: task.parameters.other }),
  })
  defineStage({
    ...base,
    after: first,
    // @ts-expect-error the stage before has no such result
    run: async (_task, ctx) => ({ sum: (await ctx.predecessor()).text }),
  })
  const other = defineStage({ ...base, params: z.object({ different: z.string() }) })
  // @ts-expect-error the stage takes other parameters than the job
  expect(defineJob({ name: 'mixed', description: '', params, stages: [first, other] })).toBeDefined()
})

test('names and options out of range are refused at import', () => {
  const stage = (more: object) => () =>
    defineStage({ name: 'ok', params, result: z.object({}), *plan() {}, run: () => ({}), ...more })
  for (const bad of [
    { name: 'Not-Snake' },
    { maxParallel: 251 },
    { maxParallel: 0 },
    { maxClaims: 0 },
    { timeoutMs: 2_000_000 },
    { taskConcurrency: 0 },
  ])
    expect(stage(bad), JSON.stringify(bad)).toThrow()
  expect(() => defineJob({ name: 'twice', description: '', params, stages: [first, first] })).toThrow(
    /two stages are called first_stage/,
  )
  const second = defineStage({ name: 'second', params, after: first, result: z.object({}), *plan() {}, run: () => ({}) })
  expect(() => defineJob({ name: 'misplaced', description: '', params, stages: [second, first] })).toThrow(
    /comes after first_stage/,
  )
  expect(() => defineJob({ name: 'none', description: '', params, stages: [] })).toThrow(/at least one stage/)
})
