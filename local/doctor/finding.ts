// One line of the doctor's table.

export interface Line {
  readonly name: string
  readonly status: 'ok' | 'degraded' | 'failed' | 'skipped' | 'timeout'
  readonly detail: string
  readonly remediation?: string
}

export const isBad = ({ status }: Line): boolean => status === 'failed' || status === 'timeout'

/** For people: what was seen, and below it what to do. */
export function tableOf(lines: readonly Line[]): string {
  const width = Math.max(...lines.map((l) => l.name.length))
  return lines
    .flatMap(({ name, status, detail, remediation }) => [
      `${WORDS[status].padEnd(8)}${name.padEnd(width + 2)}${detail}`.trimEnd(),
      ...(remediation === undefined ? [] : [`${' '.repeat(8 + width + 2)}→ ${remediation}`]),
    ])
    .join('\n')
}
const WORDS = { ok: 'ok', degraded: 'warning', failed: 'FAILED', skipped: 'skipped', timeout: 'LATE' } as const
