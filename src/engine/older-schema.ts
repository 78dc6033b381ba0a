// A release runs on the schema of the one before it until the migration: what is new is then done without.
import { AppError } from '../rules/errors.ts'

/** Undefined where the schema does not have what is called. */
export async function unlessLacking<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof AppError && error.code === 'DATABASE_SCHEMA') return undefined
    throw error
  }
}
