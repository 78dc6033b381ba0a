// Door of the activity that is one worker: it claims, runs, completes, and repeats.
import type { Deps } from '../engine/deps.ts'
import * as engine from '../engine/go-on.ts'
import type { RunReport } from '../models/steps.ts'
import { parseRunInput } from './step-input.ts'
import { type HostTrace, inJobTrace } from './trace.ts'

/** @throws AppError `INVALID_PARAMETERS`; never for a task's failure */
export async function runTasks(input: unknown, deps: Deps, host?: HostTrace): Promise<RunReport> {
  const run = parseRunInput(input)
  return inJobTrace('runTasks', host, run, () => engine.runOn(run, deps))
}
