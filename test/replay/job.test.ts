import { describe, expect, test } from 'vitest'
import type { RunInput, RunReport, Step } from '../../src/models/steps.ts'
import { run, runJob, script } from '../support/orchestrate.ts'

describe('any batching, one outcome', () => {
  test('300 random batchings and orders of one job give identical actions', async () => {
    const steps: Step[] = [
      run(16),
      run(3),
      { kind: 'wait', seconds: 7 },
      { kind: 'again' },
      run(1, 2),
      run(40, 2),
      { kind: 'wait', seconds: 100 },
      run(2, 3),
    ]
    const reference = await runJob({ advanceJob: script(...steps) }, 0)
    expect(reference).toMatchObject({ status: 'Completed', output: { status: 'completed', attempt: 1 } })
    // Timers carry the time of their turn, which depends on the batching; what is asked for does not.
    const shape = (r: typeof reference): string =>
      JSON.stringify(r.executions.map((e) => e.actions)).replaceAll(/"fireAt":"[^"]*"/g, '"fireAt":"…"')
    for (let seed = 1; seed <= 300; seed++) {
      const other = await runJob({ advanceJob: script(...steps) }, seed, {}, { maxBatch: 1 + (seed % 32) })
      expect(shape(other), `seed ${seed}`).toBe(shape(reference))
      expect(other.output).toEqual(reference.output)
    }
  })
})

describe('an execution stays small', () => {
  test('continueAsNew after 100 turns', async () => {
    const result = await runJob(
      { advanceJob: (call) => (call < 230 ? run(1) : { kind: 'done', status: 'completed', attempt: 1 }) },
      1,
    )
    expect(result.status).toBe('Completed')
    expect(result.executions).toHaveLength(3)
  })

  for (const workers of [1, 16, 125, 249, 250, 1000]) {
    test(`${workers} workers a turn: at most 250 activities and 2,500 events in one execution`, async () => {
      const result = await runJob(
        { advanceJob: (call) => (call < 20 ? run(workers) : { kind: 'done', status: 'completed', attempt: 1 }) },
        2,
      )
      expect(result.status).toBe('Completed')
      for (const e of result.executions) {
        const activities = e.actions.flatMap((a) => a.compoundActions ?? [a]).filter((a) => a.functionName !== undefined)
        expect(activities.length).toBeLessThanOrEqual(251)
        expect(e.events).toBeLessThan(2500)
        expect(e.largestPayload).toBeLessThan(1024)
      }
    })
  }

  test('a one-turn job is not continued', async () => {
    const result = await runJob({ advanceJob: script() }, 3)
    expect(result.executions).toHaveLength(1)
    expect(result.output).toEqual({ status: 'completed', attempt: 1 })
  })

  test('a stage name of the longest kind keeps the custom status below 2 KB', async () => {
    const result = await runJob(
      { advanceJob: script({ ...(run(1) as Extract<Step, { kind: 'run' }>), name: 'x'.repeat(63) }) },
      4,
    )
    expect(JSON.stringify(result.customStatus).length).toBeLessThan(2048)
  })
})

describe('the last one out carries on', () => {
  const done: Step = { kind: 'done', status: 'completed', attempt: 1 }
  const names = (r: Awaited<ReturnType<typeof runJob>>): (string | undefined)[] =>
    r.executions.flatMap((e) => e.actions.flatMap((a) => a.compoundActions ?? [a]).flatMap((a) => a.functionName ?? []))

  test('a job of two stages of one task is three activities; each worker knows that it is alone', async () => {
    const alone: unknown[] = []
    const result = await runJob(
      {
        advanceJob: (call) => (call === 0 ? run(1) : { kind: 'wait', seconds: 1 }),
        runTasks: (input) => {
          alone.push(input.alone)
          return { claimed: 1, completed: 1, failed: 0, next: input.stage === 1 ? run(1, 2) : done }
        },
      },
      11,
    )
    expect(result.output).toEqual({ status: 'completed', attempt: 1 })
    expect(names(result)).toEqual(['advanceJob', 'runTasks', 'runTasks'])
    expect(alone).toEqual([true, true])
  })

  test('of 16 workers one says what comes next; where none does, the orchestrator asks', async () => {
    let reports = 0
    let isAlone = false
    const result = await runJob(
      {
        advanceJob: script(run(16), done),
        runTasks: (input) => {
          isAlone ||= input.alone === true
          return { claimed: 1, completed: 1, failed: 0, ...(++reports === 7 ? { next: run(16, 2) } : {}) }
        },
      },
      12,
    )
    expect(result.status).toBe('Completed')
    expect(names(result).filter((name) => name === 'advanceJob')).toHaveLength(2)
    expect([reports, isAlone]).toEqual([32, false])
  })

  test('the step in hand goes along into the next history, and is done there', async () => {
    let stage = 1
    const result = await runJob(
      {
        advanceJob: script(run(1)),
        runTasks: () => ({ claimed: 1, completed: 1, failed: 0, next: ++stage < 260 ? run(1, stage) : done }),
      },
      13,
    )
    expect(result.executions.length).toBeGreaterThan(2)
    expect(result.output).toEqual({ status: 'completed', attempt: 1 })
    expect(names(result).filter((name) => name === 'advanceJob')).toHaveLength(1)
    expect(names(result).filter((name) => name === 'runTasks')).toHaveLength(259)
  })
})

describe('workers that fail are just another turn', () => {
  test('one of 16 workers dies: the others are awaited, the job goes on', async () => {
    let died = false
    let ended = 0
    const result = await runJob(
      {
        advanceJob: script(run(16), run(1)),
        runTasks: () => {
          ended++
          if (died) return { claimed: 50, completed: 50, failed: 0 }
          died = true
          throw new Error('node exited with code 137')
        },
      },
      5,
    )
    expect(result).toMatchObject({ status: 'Completed', output: { status: 'completed' } })
    expect(ended).toBe(17)
  })

  test('turns without movement back off instead of spinning, at most 60 s', async () => {
    const result = await runJob(
      {
        advanceJob: (call) => (call < 10 ? run(1) : { kind: 'done', status: 'failed', attempt: 1 }),
        runTasks: () => ({ claimed: 0, completed: 0, failed: 0 }),
      },
      6,
    )
    // 2 + 4 + 8 + 16 + 32 + 60 × 5 seconds
    expect(Math.round(result.elapsedMs / 1000)).toBe(362)
    expect(result.executions.every((e) => e.openTimers === 0)).toBe(true)
  })

  test('advanceJob is tried again while the database is away', async () => {
    let calls = 0
    const result = await runJob(
      {
        advanceJob: () => {
          if (calls++ < 4) throw new Error('Postgres cannot be reached.')
          return { kind: 'done', status: 'completed', attempt: 1 }
        },
      },
      7,
    )
    expect(result.status).toBe('Completed')
    expect(calls).toBe(5)
  })
})

describe('the log of an orchestrator', () => {
  // Every event is a replay over all before it: what is logged then would be there as often as it is replayed.
  test('one line for each event under strict replay, with fields and nothing else', async () => {
    const lines: string[] = []
    let died = 0
    const result = await runJob(
      {
        log: (line) => void lines.push(line),
        advanceJob: (call) => (call < 230 ? run(1) : { kind: 'done', status: 'completed', attempt: 1 }),
        runTasks: () => {
          if (died++ === 3) throw new Error('node exited with code 137')
          return { claimed: 50, completed: 50, failed: 0 }
        },
      },
      10,
      {},
      { maxBatch: 1 },
    )
    expect(result.executions).toHaveLength(3)
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(told).toEqual([
      { level: 'info', event: 'job.worker_lost', job_id: 'a'.repeat(64), attempt: 1, stage: 1 },
      { level: 'info', event: 'job.continued', job_id: 'a'.repeat(64), attempt: 1, activities: 200 },
      { level: 'info', event: 'job.continued', job_id: 'a'.repeat(64), attempt: 1, activities: 200 },
    ])
  })
})

describe('the trace of a job', () => {
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  test('goes with every activity and into every new history; the inputs stay below 1 KB', async () => {
    const traces = new Set<unknown>()
    const result = await runJob(
      {
        advanceJob: (call) => (call < 130 ? run(2) : { kind: 'done', status: 'completed', attempt: 1 }),
        runTasks: (input) => {
          traces.add(input.trace)
          return { claimed: 50, completed: 50, failed: 0 }
        },
      },
      11,
      { trace },
    )
    expect(result.executions.length).toBeGreaterThan(1)
    expect([...traces]).toEqual([trace])
    expect(result.executions.every((e) => e.largestPayload < 1024)).toBe(true)
    const inputs = result.executions
      .flatMap((e) => e.actions.flatMap((a) => a.compoundActions ?? [a]))
      .filter((a) => a.functionName)
    expect(inputs.length).toBeGreaterThan(380)
    expect(inputs.filter((a) => !JSON.stringify(a).includes(trace))).toEqual([])
  })
  test('an instance that was started without one goes on without', async () => {
    const inputs: RunInput[] = []
    const runTasks = (input: RunInput): RunReport => {
      inputs.push(input)
      return { claimed: 50, completed: 50, failed: 0 }
    }
    expect((await runJob({ advanceJob: script(run(3)), runTasks }, 12)).status).toBe('Completed')
    expect(inputs).toEqual(Array.from({ length: 3 }, () => ({ jobId: 'a'.repeat(64), attempt: 1, stage: 1 })))
  })
})

test('planning that never ends is a named error', async () => {
  const result = await runJob({ advanceJob: () => ({ kind: 'again' }) }, 8)
  expect(result.status).toBe('Failed')
  expect(result.output).toMatch(/Planning of job a+ did not end within 1000 turns/)
})

test('a wait is never more than 60 s ahead, so that a retry or requeue is seen soon', async () => {
  const result = await runJob({ advanceJob: script({ kind: 'wait', seconds: 3600 }) }, 9)
  expect(result.elapsedMs).toBeLessThan(61_000)
})
