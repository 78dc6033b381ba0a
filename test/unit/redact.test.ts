import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redact } from '../../src/rules/redact.ts'
import { leaksIn } from '../support/leaks-in.ts'

const SECRET = 'S3cr3t-V4lue'

describe('secrets never reach a log', () => {
  test.each([
    `https://a.blob.core.windows.net/c/b?sv=1&sig=${SECRET}&se=2`,
    `?SIG=${SECRET}`,
    `AccountKey=${SECRET};EndpointSuffix=x`,
    `accountkey=${SECRET}`,
    `SharedAccessKey=${SECRET}`,
    `SharedAccessSignature=${SECRET}`,
    `Server=x;Password=${SECRET};`,
    `PGPASSWORD=${SECRET} psql`,
    `pwd=${SECRET}`,
    JSON.stringify({ password: SECRET }),
    JSON.stringify({ note: JSON.stringify({ password: `a "${SECRET}" b` }) }),
    JSON.stringify({ note: JSON.stringify({ deep: JSON.stringify({ client_secret: `x\\"${SECRET}` }) }) }),
    `Authorization: Bearer ${SECRET}`,
    `"authorization":"Bearer ${SECRET}"`,
    `x-functions-key: ${SECRET}`,
    JSON.stringify({ headers: { 'X-Functions-Key': SECRET } }),
    `https://host/api/jobs?code=${SECRET}`,
    `postgres://app:${SECRET}@db:5432/x`,
    `postgres://app:p@${SECRET}@db:5432/x`,
    `postgres://app:p/${SECRET}@db/x`,
    `POSTGRESQL://APP:${SECRET}@DB/X`,
  ])('%s', (text) => expect(redact(text)).not.toContain(SECRET))

  test.each([
    'The container has 5 files.',
    '{"code":"BLOB_NOT_FOUND","ms":12}',
    'https://host:8080/api/jobs?limit=5',
    'design=1&config=2',
    'see https://example.org/@user and mail a@b.c',
  ])('%s stays as it is', (text) => expect(redact(text)).toBe(text))

  test('what stands around a secret stays, and a second pass changes nothing', () => {
    const word = fc.stringMatching(/^[a-z0-9 ]{0,12}$/)
    const form = fc.constantFrom(
      (s: string) => `?sig=${s}&`,
      (s: string) => `;AccountKey=${s};`,
      (s: string) => JSON.stringify({ password: s }),
      (s: string) => `postgres://u:${s}@h/`,
    )
    fc.assert(
      fc.property(word, form, fc.stringMatching(/^[A-Za-z0-9+/]{8,40}$/), word, (before, make, secret, after) => {
        const clean = redact(`<${before}> ${make(secret)} <${after}>`)
        expect(clean).toBe(`<${before}> ${make('***')} <${after}>`)
        expect(redact(clean)).toBe(clean)
      }),
    )
  })

  test.each(['://a:', 'password="', '\\', 'sig=', 'a://', 'password    ', '@', 'token:\\\\'])(
    '1 MB of %j takes a moment, not minutes',
    (piece) => {
      // The time-out of the test is the bound (200 KB took 12.8 s).
      expect(typeof redact(piece.repeat(Math.ceil(1_000_000 / piece.length)))).toBe('string')
    },
    5000,
  )
})

test.each([
  ['https://a.blob.core.windows.net/c/b?sv=1&sig=abcd%2Fefgh'],
  ['http://host/runtime/webhooks/durabletask/instances/x?code=abcdefgh'],
  ['DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abcdefgh1234=='],
  ['Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.x'],
  ['postgres://app:geheim@127.0.0.1/x'],
  ['{"detail":"Error: x\\n    at handle (file:///app/main.js:1:2)"}'],
])('what the scan of the app tests looks for is found: %s', (text) => {
  expect(leaksIn(text, { stacks: true })).toHaveLength(1)
  expect(leaksIn('{"sig":"***","code":"NOT_FOUND","url":"postgres://app:***@h/x?sig=***"}', { stacks: true })).toEqual([])
})
