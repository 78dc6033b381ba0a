// Outside systems that stages depend on, and the error codes that say one of them is down.

export const DEPENDENCIES = {
  // Without a token storage is as good as down, and waiting costs a task no try.
  storage: ['STORAGE_UNAVAILABLE', 'IDENTITY_UNAVAILABLE'],
} as const satisfies Record<string, readonly string[]>

export type DependencyName = keyof typeof DEPENDENCIES

/** The dependency, of the given ones, that a failure of this code tells to be down. */
export const failedDependency = (names: readonly DependencyName[], code: string | undefined): DependencyName | undefined =>
  names.find((name) => (DEPENDENCIES[name] as readonly string[]).includes(code ?? ''))
