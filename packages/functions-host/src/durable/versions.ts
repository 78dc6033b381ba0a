// Which versions of orchestrations a host runs: `versionMatchStrategy` and `versionFailureStrategy` of host.json.

export interface Versioning {
  /** `defaultVersion`: of this host, and of what it starts. */
  readonly own: string | null
  readonly match: 'None' | 'Strict' | 'CurrentOrOlder'
  /** Reject: the instance waits for a host that knows its version. Fail: it fails here. */
  readonly failure: 'Reject' | 'Fail'
}

/** A host without a version of its own runs everything; so does every host what has no version. */
export function isVersionTaken({ own, match }: Versioning, version: string | null): boolean {
  if (!own || match === 'None') return true
  if (match === 'Strict') return compareVersions(version, own) === 0
  return compareVersions(version, own) <= 0
}

/** What is said of an instance that waits. */
export const otherVersion = (
  { name, id, version }: { readonly name: string; readonly id: string; readonly version: string | null },
  { own, match }: Versioning,
): string =>
  `The instance ${id} of ${name} has the version ${version}, and this host runs ${own} (${match}): it waits for a host that runs it.`

/** None is older than any; numbers with dots compare by number, everything else as text without case. */
export function compareVersions(a: string | null, b: string | null): number {
  if (!a || !b) return (a ? 1 : 0) - (b ? 1 : 0)
  const [x, y] = [numbers(a), numbers(b)]
  if (!x || !y) return Math.sign(a.toLowerCase() < b.toLowerCase() ? -1 : a.toLowerCase() > b.toLowerCase() ? 1 : 0)
  // A part that is not there is less than 0, as System.Version has it: 1.0 is older than 1.0.0.
  const parts = Array.from({ length: 4 }, (_, i) => (x[i] ?? -1) - (y[i] ?? -1))
  return Math.sign(parts.find((part) => part !== 0) ?? 0)
}

const numbers = (version: string): number[] | undefined =>
  /^\d+(\.\d+){1,3}$/.test(version) ? version.split('.').map(Number) : undefined
