import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { boundedLog } from '../../local/bounded-log.ts'

test('two files hold the newest lines, however much is written and by whom; a folder that is gone stops nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bounded-log-'))
  const path = join(folder, 'x.log')
  const line = (i: number): string => `line ${String(i).padStart(4, '0')}\n`
  for (let from = 0; from < 100; from += 20) {
    // As after a restart.
    const log = boundedLog(path, 100)
    for (let i = from; i < from + 20; i++) log(line(i))
  }
  const [old, now] = [readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]
  expect([old.length <= 100, now.length <= 100, existsSync(`${path}.2`)]).toEqual([true, true, false])
  expect(`${old}${now}`.endsWith([95, 96, 97, 98, 99].map(line).join(''))).toBe(true)
  rmSync(folder, { recursive: true })
  boundedLog(path, 100)('nobody can write this')
  expect(existsSync(path)).toBe(false)
})
