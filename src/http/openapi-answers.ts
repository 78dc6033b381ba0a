// What every route answers, by the name of its function; a test fails for one that is not here.
import { containerAnswers } from './answers/containers.ts'
import type { AnswersByName } from './answers/declared.ts'
import { jobAnswers } from './answers/jobs.ts'
import { operationAnswers } from './answers/operations.ts'
import { scheduleAnswers } from './answers/schedules.ts'
import { stacAnswers } from './answers/stac.ts'

export type { DeclaredAnswer } from './answers/declared.ts'

export const ANSWERS: AnswersByName = {
  ...jobAnswers,
  ...scheduleAnswers,
  ...containerAnswers,
  ...stacAnswers,
  ...operationAnswers,
}
