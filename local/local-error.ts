// An error of the local cloud that a stranger can act on: printed as one line, without a stack.

/** What happened, why, and what to do. The command ends with exit code 1. */
export class LocalError extends Error {
  override readonly name = 'LocalError'
}
