// Door of the activity that asks Postgres what a job needs now, and does the short part itself.
import * as engine from '../engine/advance.ts'
import type { Deps } from '../engine/deps.ts'
import type { Step } from '../models/steps.ts'
import { parseStepInput } from './step-input.ts'

/** @throws AppError `INVALID_PARAMETERS`; else only when Postgres cannot be reached: the orchestrator retries it */
export async function advanceJob(input: unknown, deps: Deps): Promise<Step> {
  return engine.advanceJob(parseStepInput(input), deps)
}
