// Documents that name files and tests stay true.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const rowsOf = (document: string): [string, string, string][] =>
  [...read(document).matchAll(/^\| (.+) \| ([\w/-]*test\/[^|]+\.ts) \| (.+) \|$/gm)].map(
    ([, failure = '', file = '', title = '']) => [failure.split(' | ')[0] ?? '', file, title],
  )
const threats = rowsOf('docs/security.md')
const rows = [...rowsOf('docs/incident-tests.md'), ...threats]

/** Is the text the title of a test or a group? One that stands in a comment is none. */
function isTitle(text: string, source: string): boolean {
  const at = source.indexOf(text)
  return at >= 0 && /\b(?:test|describe)(?:\.each)?\((?:(?!\n\n)[\s\S])*$/.test(source.slice(Math.max(0, at - 600), at))
}

test('docs/incident-tests.md and docs/security.md have their rows', () => {
  expect(rows.length - threats.length).toBeGreaterThan(30)
  expect(threats.length).toBeGreaterThan(15)
})

test.each(rows)('%s: its test exists and is not skipped', (_failure, file, title) => {
  expect(title.startsWith('describe') ? read(file).includes(title) : isTitle(title, read(file))).toBe(true)
  expect(read(file)).not.toMatch(/\b(?:test|describe)\.(?:skip|only|todo)\(/)
})

test.each([
  'docs/architecture.md',
  'docs/README.md',
  'docs/security.md',
  'SECURITY.md',
  'docs/deployment.md',
  'README.md',
  'CONTRIBUTING.md',
  'test/support/README.md',
  'packages/functions-host/README.md',
])('%s names files that are there', (document) => {
  const text = read(document)
  const folder = document.split('/').slice(0, -1).join('/')
  const linked = [...text.matchAll(/\]\((?!http)([^)#]+)\)/g)].map((m) => `${folder ? `${folder}/` : ''}${m[1]}`)
  const named = [...text.matchAll(/`((?:src|sql|test|local|scripts|docs)\/[\w./-]+\.(?:ts|sql|md))`/g)].map((m) =>
    document.startsWith('packages/') ? `packages/functions-host/${m[1]}` : (m[1] ?? ''),
  )
  expect([...linked, ...named].filter((path) => !path.includes('NNNN') && !existsSync(new URL(path, ROOT)))).toEqual([])
})
