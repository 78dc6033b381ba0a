import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const rows = [...read('docs/incident-tests.md').matchAll(/^\| ([^|]+) \| (test\/[^|]+\.ts) \| (.+) \|$/gm)].map(
  ([, failure = '', file = '', title = '']): [string, string, string] => [failure, file, title],
)

test('docs/incident-tests.md has its rows', () => {
  expect(rows.length).toBeGreaterThan(30)
})

test.each(rows)('%s: its test exists', (_failure, file, title) => {
  expect(read(file)).toContain(title)
})
