// What a V8 CPU profile says: where the time went that was not idle, without what came before a share of it (the start of the process). Pure.

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string }
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  /** Microseconds. */
  readonly timeDeltas: readonly number[]
}

export interface Spent {
  readonly name: string
  readonly ms: number
}

/** By function, its own time alone, most first. @param from the share of the profile's time that is skipped */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile, from: number): Spent[] {
  const frames = new Map(nodes.map((n) => [n.id, n.callFrame]))
  const skipped = timeDeltas.reduce((a, b) => a + b, 0) * from
  const spent = new Map<string, number>()
  let at = 0
  for (const [i, id] of samples.entries()) {
    const delta = timeDeltas[i] ?? 0
    at += delta
    const frame = frames.get(id)
    if (at < skipped || !frame || frame.functionName === '(idle)') continue
    const name = `${frame.functionName || '(anonymous)'}${frame.url.startsWith('node:') ? ` (${frame.url})` : ''}`
    spent.set(name, (spent.get(name) ?? 0) + delta / 1000)
  }
  return [...spent].map(([name, ms]) => ({ name, ms })).sort((a, b) => b.ms - a.ms)
}
