// Refusals of a search: which parameter, why, and what to send instead.
import { AppError } from '../../rules/errors.ts'

/** @param path of the parameter; a JSON pointer below it where it has parts */
export const refuseSearch = (path: string, what: string): AppError =>
  new AppError('INVALID_SEARCH', `${path}: ${what}`, { issues: [{ path, message: what }] })
