import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildUnlessFresh } from '../../local/fresh-build.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'lamplighter-fresh-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string): string => join(folder, name)
const write = (name: string, text: string): void => writeFileSync(file(name), text)
/** Files written just now count as old, unless the time says otherwise. */
const build = (during: () => void = () => undefined, from = ['source'], now = () => Date.now() + 60_000): Promise<boolean> =>
  buildUnlessFresh(
    file('note'),
    async () => {
      during()
      write('bundle', 'made')
      return { from: from.map(file), made: [file('bundle')] }
    },
    now,
  )

test('a build of the same files is left out, also by another process', async () => {
  write('source', 'a')
  expect([await build(), await build(), await build()]).toEqual([true, false, false])
})

test('a changed, replaced or missing file builds anew, whatever times it claims', async () => {
  write('source', 'a')
  utimesSync(file('source'), 1, 1)
  await build()
  write('source', 'bb')
  utimesSync(file('source'), 1, 1)
  expect([await build(), await build()]).toEqual([true, false])
  write('bundle', 'torn off')
  expect([await build(), await build()]).toEqual([true, false])
  rmSync(file('bundle'))
  expect([await build(), await build()]).toEqual([true, false])
})

test('a file that changes while it is built, and one that is not there, are not taken for known', async () => {
  write('source', 'a')
  const change = (): void => write('source', 'bb')
  expect([await build(change, ['source'], Date.now), await build(), await build()]).toEqual([true, true, false])
  write('source', 'ccc')
  expect([await build(undefined, ['source', 'nowhere']), await build(), await build()]).toEqual([true, true, false])
})

test('a build that fails leaves no note behind', async () => {
  write('source', 'a')
  await build()
  write('source', 'bb')
  await expect(build(() => expect.fail('the build'))).rejects.toThrow('the build')
  expect(readdirSync(folder).sort()).toEqual(['bundle', 'source'])
})
