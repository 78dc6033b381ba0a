// POST /api/stac/validate: a report for every JSON, a refusal for everything else, within bounds.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { example, type Loose } from '../support/stac.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

const validate = (body: unknown, query = ''): Promise<{ status: number; body: Loose }> =>
  app.send('POST', `/api/stac/validate${query}`, typeof body === 'string' ? body : JSON.stringify(body))

test('documents of every kind, in any media type', async () => {
  for (const name of ['item', 'collection', 'catalog', 'item-1-0'] as const)
    expect((await validate(example(name))).body).toMatchObject({ valid: true, issues: [] })
  const many = await validate({ type: 'FeatureCollection', features: [example('item'), {}] })
  expect([many.status, many.body.counts]).toMatchObject([200, { items: 2, valid: 1, invalid: 1 }])
})

test('repair puts right what the document itself says, and changes nothing when asked again', async () => {
  const open = example('item')
  open.geometry.coordinates[0].pop()
  const plain = await validate(open)
  expect(plain.body).toMatchObject({ valid: false, issues: [{ code: 'RING_NOT_CLOSED', path: '/geometry/coordinates/0' }] })
  expect(plain.body).not.toHaveProperty('repair')
  const { body } = await validate(open, '?repair=true')
  expect(body.repair).toMatchObject({ applied: [{ code: 'RING_NOT_CLOSED' }], remaining: [] })
  expect(body.repair.document.geometry).toEqual(example('item').geometry)
  expect((await validate(body.repair.document, '?repair=true')).body).toMatchObject({ valid: true, repair: { applied: [] } })
})

test.each(['[]', '{}', 'null', '7'])('%s is of no kind', async (text) => {
  const { status, body } = await validate(text, '?repair=true')
  expect([status, body.valid, body.issues[0].code]).toEqual([200, false, 'UNKNOWN_DOCUMENT_TYPE'])
})

test.each([
  ['broken JSON', '{"type":', 400, 'INVALID_JSON'],
  ['nothing', '', 400, 'INVALID_JSON'],
  ['10,000 levels', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 400, 'INVALID_JSON'],
  ['11 MiB', JSON.stringify('x'.repeat(11 * 1024 * 1024)), 413, 'BODY_TOO_LARGE'],
])('%s is refused', async (_, text, status, code) => {
  const answer = await validate(text)
  expect([answer.status, answer.body.code]).toEqual([status, code])
})

test('members named __proto__, 900 levels, a million members: a report, also with repair, and the app lives', async () => {
  const item = JSON.stringify(example('item'))
  const deep = `${'['.repeat(900)}${']'.repeat(900)}`
  const members = Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`).join()
  for (const [text, code] of [
    [item.replace('{', '{"__proto__":{"valid":true},'), undefined],
    [item.replace('{', `{"deep":${deep},`), 'TOO_DEEP'],
    [`{"type":"FeatureCollection","deep":${deep},"features":[]}`, undefined],
    [`{"type":"Feature",${members.slice(0, 10_000_000)}}`.replace(/,"?\d*"?:?}$/, '}'), 'TOO_LARGE'],
  ] as const) {
    const { status, body } = await validate(text, '?repair=true')
    expect([status, body.issues?.[0]?.code]).toEqual([200, code])
    expect('repair' in body).toBe(code === undefined)
  }
  expect((await app.get('/api/health/live')).status).toBe(200)
})

test('a secret is found and not repeated; an unknown query is refused', async () => {
  const item = example('item')
  item.assets.data.href = 'https://a.example/x.tif?sig=geheim'
  const { body } = await validate(item)
  expect(body.issues).toMatchObject([{ code: 'ASSET_HREF_SECRET', path: '/assets/data/href' }])
  expect(JSON.stringify(body)).not.toContain('geheim')
  expect((await validate(item, '?repair=perhaps')).body.code).toBe('INVALID_QUERY')
})
