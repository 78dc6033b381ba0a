import { expect, test } from 'vitest'
import { assertItem, judgeItem } from '../../src/stac/check-item.ts'
import { bronzeItem, type CataloguedFile } from '../../src/stac/item.ts'
import { NOW } from '../support/stac.ts'

const OPTIONS = { collectionId: 'c', mode: 'quick', jobId: 'a'.repeat(64), plan: 1 } as const
const item = async (name: string, more: Partial<CataloguedFile> = {}) =>
  (await bronzeItem({ container: 'in', name, size: 1, last_modified: '2024-01-01T00:00:00Z', ...more }, undefined, OPTIONS)).item

test('what we make of a file is valid, without warnings', async () => {
  expect(judgeItem(await item('a/b é#?%.tif', { content_type: 'image/tiff', etag: '"1"' }), NOW.now)).toMatchObject({
    issues: [],
    warnings: [],
  })
})

test('warnings are told by their code', async () => {
  expect(assertItem(await item('a.tif', { last_modified: '2999-01-01T00:00:00Z' }), NOW.now)).toEqual(['DATETIME_FUTURE'])
})

test('a secret in a text of the file is refused, and the message does not repeat it; a name that looks like one is a name', async () => {
  const named = await item('a?sig=geheim/x.tif')
  expect(assertItem(named, NOW.now)).toEqual([])
  const content = named.content as { properties: object }
  const told = { ...named, content: { ...content, properties: { ...content.properties, note: 'AccountKey=geheim;' } } }
  expect(() => assertItem(told, NOW.now)).toThrow(/^(?!.*geheim).*ASSET_HREF_SECRET at \/properties\/note/)
  expect(() => assertItem({ ...named, kind: 'foreign' }, NOW.now)).toThrow(/ASSET_HREF_SECRET/)
})
