// Runs the product's orchestrator through the real SDK, one replay at a time, on the simulator.
import { replay, type Simulation, simulate, type SimulationResult } from 'functions-host/testing'
import type { JobInput, RunInput, RunReport, Step } from '../../src/models/steps.ts'
import { job } from '../../src/orchestrators/job.ts'

export interface World {
  readonly advanceJob: (call: number) => Step
  readonly runTasks?: (input: RunInput) => RunReport
  /** Takes what the orchestrator logs. */
  readonly log?: (line: string) => void
}

/** The job orchestrator on scripted answers; answers depend on the call's number, never on the order of arrival. */
export function runJob(
  world: World,
  seed: number,
  input: Partial<JobInput> = {},
  options: Partial<Simulation> = {},
): Promise<SimulationResult> {
  let calls = 0
  return simulate({
    orchestrator: replay(job, world.log),
    input: { jobId: 'a'.repeat(64), attempt: 1, ...input },
    seed,
    activities: {
      advanceJob: () => world.advanceJob(calls++),
      runTasks: (i: RunInput) => world.runTasks?.(i) ?? { claimed: 50, completed: 50, failed: 0 },
    },
    ...options,
  })
}

/** A script of steps that ends with done. */
export const script =
  (...steps: Step[]): World['advanceJob'] =>
  (call) =>
    steps[call] ?? { kind: 'done', status: 'completed', attempt: 1 }

export const run = (workers: number, stage = 1): Step => ({
  kind: 'run',
  stage,
  name: `stage_${stage}`,
  workers,
  done: 0,
  total: workers * 50,
  percent: 0,
  eta: null,
})
