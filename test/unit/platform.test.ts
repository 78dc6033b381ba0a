import { describe, expect, test } from 'vitest'
import { createLog, runningFunction } from '../../src/platform/log.ts'
import { requireNode } from '../../src/platform/node-version.ts'

describe('the Node of the worker', () => {
  test.each(['20.20.2', '18.0.0'])('%s is refused in one sentence that says what to set', (version) =>
    expect(() => requireNode(version)).toThrow(
      /needs Node 22 or newer, and this worker runs \d+\.\d+\.\d+\. Set the runtime version/,
    ),
  )
  test.each(['22.0.0', '24.21.0'])('%s runs', (version) => expect(() => requireNode(version)).not.toThrow())
})

test('warnings and errors inside a function reach the host with their level', () => {
  const lines: [string, string][] = []
  const host = {
    warn: (line: string) => void lines.push(['warn', line]),
    error: (line: string) => void lines.push(['error', line]),
  }
  runningFunction.run(host, () => {
    const log = createLog('info')
    log.warn('x.late', { password: 'abc' })
    log.error('x.failed')
  })
  expect(lines.map(([level, line]) => [level, (JSON.parse(line) as { event: string }).event])).toEqual([
    ['warn', 'x.late'],
    ['error', 'x.failed'],
  ])
  expect(lines[0]?.[1]).not.toContain('abc')
})
