// Imported before everything else: an older Node fails in the middle of a job (`Promise.withResolvers` is not there), not at the start.

/** @throws Error naming what runs and what is needed, for a Node below 22 */
export function requireNode(version: string): void {
  if (Number.parseInt(version, 10) >= 22) return
  throw new Error(
    `Lamplighter needs Node 22 or newer, and this worker runs ${version}. Set the runtime version of the function app to Node 22 or 24.`,
  )
}

requireNode(process.versions.node)
