// Validation at the border: a malformed message is a named error, not a crash in the middle.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import { JobId } from '../models/names.ts'

// A trace that breaks its rules is no trace: the job goes on without it.
const StepInput = z.strictObject({ jobId: JobId, attempt: z.int().min(1), trace: z.string().optional() })
const RunInput = StepInput.extend({ stage: z.int().min(1), alone: z.literal(true).optional() })

/** @throws AppError `INVALID_PARAMETERS` */
export const parseStepInput = (input: unknown): z.infer<typeof StepInput> => parse(StepInput, input)
/** @throws AppError `INVALID_PARAMETERS` */
export const parseRunInput = (input: unknown): z.infer<typeof RunInput> => parse(RunInput, input)

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw new AppError(
    'INVALID_PARAMETERS',
    `Activity input is malformed: ${parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')}`,
  )
}
