// Door of the activity that asks Postgres what a job needs now, and does the short part itself.
import * as engine from '../engine/go-on.ts'
import type { Deps } from '../engine/deps.ts'
import type { Step } from '../models/steps.ts'
import { parseStepInput } from './step-input.ts'
import { type HostTrace, inJobTrace } from './trace.ts'

/** @throws AppError `INVALID_PARAMETERS`; else only when Postgres cannot be reached: the orchestrator retries it */
export async function advanceJob(input: unknown, deps: Deps, host?: HostTrace): Promise<Step> {
  const step = parseStepInput(input)
  return inJobTrace('advanceJob', host, step, () => engine.advanceOn(step, deps))
}
