// Name rules shared by models, HTTP and engine.
import * as z from 'zod'

/** Job types, stages and functions: snake_case, 1-63 characters. */
export const SnakeName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be snake_case, 1-63 characters')

/** A job id: sha256 as 64 lower-case hex digits. It is also the Durable instance id, so nothing else may pass. */
export const JobId = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')

/** A task key: kept whole, any text without NUL, control characters are the job's own matter. */
export const TaskKey = z.string().min(1).max(2048)
