// Any batching and any order of arrival gives one outcome: generated orchestrators through the real SDK on the engine.
import { RetryOptions } from 'durable-functions'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { replay } from '../../src/testing/replay.ts'
import { type SimulationResult, simulate } from '../../src/testing/simulate.ts'

/** More by flag: BATCHING_RUNS=20000 npx vitest run --project replay */
const RUNS = Number(process.env['BATCHING_RUNS'] ?? 500)
const SEEDS = [1, 2, 3, 4]

type Leaf = { kind: 'call'; n: number } | { kind: 'timer'; ms: number } | { kind: 'child'; n: number }
type Tree = Leaf | { kind: 'all'; trees: Tree[] } | { kind: 'one'; tree: Tree }
type Step =
  | Tree
  | { kind: 'retry'; fails: number; attempts: number }
  | { kind: 'race'; n: number }
  | { kind: 'event'; name: string }
  | { kind: 'later'; n: number }
  | { kind: 'status'; n: number }
interface Program {
  readonly steps: readonly Step[]
  /** Executions before the last one. */
  readonly again: number
}

const small = fc.integer({ min: 0, max: 9 })
const leaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({ kind: fc.constant('call' as const), n: small }),
  fc.record({ kind: fc.constant('timer' as const), ms: fc.integer({ min: 0, max: 9 * 86_400_000 }) }),
  fc.record({ kind: fc.constant('child' as const), n: small }),
)
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.record({ kind: fc.constant('all' as const), trees: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ kind: fc.constant('one' as const), tree: tie('tree') }),
  ),
}))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: tree },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('retry' as const),
      fails: fc.integer({ min: 0, max: 4 }),
      attempts: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('race' as const), n: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('later' as const), n: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('status' as const), n: small }) },
)
const program: fc.Arbitrary<Program> = fc.oneof(
  fc.record({ steps: fc.array(step, { maxLength: 7 }), again: fc.integer({ min: 0, max: 2 }) }),
  // Events that nobody awaits are lost by continueAsNew: one or the other.
  fc.record({
    steps: fc.array(fc.oneof(step, fc.record({ kind: fc.constant('event' as const), name: fc.constantFrom('a', 'b') })), {
      maxLength: 7,
    }),
    again: fc.constant(0),
  }),
)

interface Context {
  readonly df: {
    getInput(): { round: number; log: unknown[] }
    currentUtcDateTime: Date
    callActivity(name: string, input: object): Task
    callActivityWithRetry(name: string, options: RetryOptions, input: object): Task
    callSubOrchestrator(name: string, input: object): Task
    createTimer(at: Date): Task & { cancel(): void }
    waitForExternalEvent(name: string): Task
    setCustomStatus(status: object): void
    continueAsNew(input: object): void
    Task: { all(tasks: Task[]): Task; any(tasks: Task[]): Task }
  }
}
type Task = object

function task({ df }: Context, what: Tree): Task {
  switch (what.kind) {
    case 'call':
      return df.callActivity('add', { n: what.n })
    case 'child':
      return df.callSubOrchestrator('child', { n: what.n })
    case 'timer':
      return df.createTimer(new Date(df.currentUtcDateTime.getTime() + what.ms))
    case 'all':
      return df.Task.all(what.trees.map((t) => task({ df }, t)))
    default:
      return df.Task.any([task({ df }, what.tree)])
  }
}

/** Task.any answers with the task that won, which is no JSON. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'object' && value !== null && 'isCompleted' in value ? 'a task' : (value ?? null)
}

function* take(context: Context, what: Step, at: number): Generator<Task, unknown, unknown> {
  const { df } = context
  switch (what.kind) {
    case 'retry':
      try {
        return yield df.callActivityWithRetry('flaky', new RetryOptions(1000, what.attempts), { at, fails: what.fails })
      } catch {
        return 'exhausted'
      }
    case 'race': {
      const timer = df.createTimer(new Date(df.currentUtcDateTime.getTime() + 86_400_000))
      const call = df.callActivity('add', { n: what.n })
      const winner = yield df.Task.any([call, timer])
      timer.cancel()
      return winner === call
    }
    case 'event':
      return yield df.waitForExternalEvent(what.name)
    case 'later': {
      const early = df.callActivity('add', { n: what.n })
      const other = yield df.callActivity('add', { n: what.n + 100 })
      return [other, yield early]
    }
    case 'status':
      df.setCustomStatus({ at, n: what.n })
      return null
    default:
      return plain(yield task(context, what))
  }
}

const orchestratorOf = ({ steps, again }: Program) =>
  function* (context: Context): Generator<Task, unknown, unknown> {
    const { round, log } = context.df.getInput()
    const results: unknown[] = []
    for (const [at, what] of steps.entries()) results.push(yield* take(context, what, at))
    if (round < again) return context.df.continueAsNew({ round: round + 1, log: [...log, results] })
    return [...log, results]
  }

function* child(context: Context): Generator<Task, unknown, unknown> {
  const { n } = context.df.getInput() as unknown as { n: number }
  const first = yield context.df.callActivity('add', { n })
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 5000))
  return { first, n }
}

function run(what: Program, seed: number): Promise<SimulationResult> {
  const tries = new Map<string, number>()
  return simulate({
    orchestrator: replay(orchestratorOf(what)),
    children: { child: replay(child) },
    input: { round: 0, log: [] },
    seed,
    maxBatch: 1 + (seed % 5),
    activities: {
      add: ({ n }: { n: number }) => ({ n: n + 1 }),
      flaky: ({ at, fails }: { at: number; fails: number }) => {
        const key = `${at}`
        tries.set(key, (tries.get(key) ?? 0) + 1)
        if ((tries.get(key) ?? 0) <= fails) throw new Error('not yet')
        return { at }
      },
    },
    events: what.steps.flatMap((s, i) => (s.kind === 'event' ? [{ name: s.name, input: { i } }] : [])),
  })
}

const outcome = ({ status, output, customStatus, executions }: SimulationResult): unknown => ({
  status,
  output,
  customStatus,
  executions: executions.length,
})
/** Ids of executions are drawn anew each time. */
const histories = ({ executions }: SimulationResult): string =>
  JSON.stringify(executions.map((e) => e.history)).replaceAll(
    /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g,
    '<guid>',
  )

test(`${RUNS} generated orchestrators: every seed ends the same, equal batches give equal histories`, async () => {
  await fc.assert(
    fc.asyncProperty(program, async (what) => {
      const reference = await run(what, 0)
      expect(reference.status).toBe('Completed')
      for (const seed of SEEDS) expect(outcome(await run(what, seed))).toEqual(outcome(reference))
      expect(histories(await run(what, 0))).toBe(histories(reference))
    }),
    { numRuns: RUNS },
  )
}, 120_000)
