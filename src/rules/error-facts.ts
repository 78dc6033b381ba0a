// What is said about an error code, wherever its family stands.

/** What a code says about an error. `sqlstate`: the state that SQL functions raise for it. */
export interface ErrorFacts {
  readonly status: number
  readonly retryable: boolean
  readonly meaning: string
  readonly remedy: string
  readonly sqlstate?: string
}

export const facts = (status: number, retryable: boolean, meaning: string, remedy: string, sqlstate?: string): ErrorFacts => ({
  status,
  retryable,
  meaning,
  remedy,
  ...(sqlstate ? { sqlstate } : {}),
})
