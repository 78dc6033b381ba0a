// Compile-time tests: `npm run check` fails when an expected error is none, or when a line below stops compiling.
import { expect, test } from 'vitest'
import * as z from 'zod'
import { defineJob, defineStage } from '../../src/define/define-job.ts'

const parameters = z.strictObject({ n: z.int() })
const first = defineStage({
  name: 'first_stage',
  parameters,
  result: z.object({ sum: z.number() }),
  *plan({ parameters }) {
    yield { key: `k${parameters.n}`, parameters: { index: 1 } }
  },
  run: (task, ctx) => ({ sum: task.parameters.index + ctx.parameters.n }),
})

test('types flow from parameters to plan, from plan to run, from a stage to the next', () => {
  const second = defineStage({
    name: 'second_stage',
    parameters,
    after: first,
    result: z.object({ text: z.string() }),
    async *plan({ previous }) {
      for await (const { key, result } of previous(first)) yield { key, parameters: { sum: result.sum.toFixed(1) } }
    },
    run: async (task, ctx) => ({ text: task.parameters.sum.toUpperCase() + (await ctx.predecessor()).sum.toFixed() }),
  })
  const job = defineJob({ name: 'typed_job', description: '', parameters, stages: [first, second] })
  expect(job.stages).toHaveLength(2)
})

test('wrong plan, wrong result, wrong previous and wrong stage do not compile', () => {
  const base = { name: 'some_stage', parameters, result: z.object({ sum: z.number() }), *plan() {}, run: () => ({ sum: 1 }) }
  defineStage({
    ...base,
    *plan({ parameters }) {
      // @ts-expect-error parameters.m does not exist
      yield { key: String(parameters.m) }
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
  const other = defineStage({ ...base, parameters: z.object({ different: z.string() }) })
  // @ts-expect-error the stage takes other parameters than the job
  expect(defineJob({ name: 'mixed', description: '', parameters, stages: [first, other] })).toBeDefined()
})

test('names and options out of range are refused at import', () => {
  const stage = (more: object) => () =>
    defineStage({ name: 'ok', parameters, result: z.object({}), *plan() {}, run: () => ({}), ...more })
  for (const bad of [
    { name: 'Not-Snake' },
    { maxParallel: 251 },
    { maxParallel: 0 },
    { maxClaims: 0 },
    { timeoutMs: 2_000_000 },
    { taskConcurrency: 0 },
  ])
    expect(stage(bad), JSON.stringify(bad)).toThrow()
  expect(() => defineJob({ name: 'twice', description: '', parameters, stages: [first, first] })).toThrow(
    /two stages are called first_stage/,
  )
  const second = defineStage({ name: 'second', parameters, after: first, result: z.object({}), *plan() {}, run: () => ({}) })
  expect(() => defineJob({ name: 'misplaced', description: '', parameters, stages: [second, first] })).toThrow(
    /comes after first_stage/,
  )
  expect(() => defineJob({ name: 'none', description: '', parameters, stages: [] })).toThrow(/at least one stage/)
})
