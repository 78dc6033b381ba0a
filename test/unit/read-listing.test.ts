// The reader of List Blobs: the same page however its bytes arrive, and others are served between two pieces.
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ListingError, readListing } from '../../src/storage/read-listing.ts'

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const page = (blobs: string, next = ''): string =>
  `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a.example/" ContainerName="bronze"><Blobs>${blobs}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`
const blob = (name: string, metadata = ''): string =>
  `<Blob><Name>${name}</Name><Properties><Last-Modified>Sat, 28 Nov 2026 10:00:00 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>7</Content-Length><Content-Type /><Content-MD5>q1w2e3r4t5y6u7i8o9p0aa==</Content-MD5></Properties><Metadata>${metadata}</Metadata><OrMetadata /></Blob>`
/** Cut at the given places. */
async function* pieces(text: string, cuts: readonly number[] = []): AsyncGenerator<string> {
  const ends = [...cuts.map((c) => c % text.length).toSorted((a, b) => a - b), text.length]
  for (const [i, end] of ends.entries()) yield await Promise.resolve(text.slice(ends[i - 1] ?? 0, end))
}

// What XML 1.0 can hold, without the line ends and spaces at the rim that it does not keep.
const Name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((s) => !/[\p{Cc}\uFFFE\uFFFF]/u.test(s))

test('any page, cut anywhere: names, metadata and marker as they were written', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(Name, Name)), Name, fc.array(fc.nat()), async (blobs, next, cuts) => {
      const xml = page(blobs.map(([name, value]) => blob(escaped(name), `<key>${escaped(value)}</key>`)).join(''), escaped(next))
      const listing = await readListing(pieces(xml, cuts))
      expect(listing.blobs.map((b) => [b.name, b.blob.metadata])).toEqual(blobs.map(([name, key]) => [name, { key }]))
      expect(listing.next).toBe(next)
    }),
    { numRuns: 60 },
  ))

describe('what others write', () => {
  const one = async (xml: string) => (await readListing(pieces(page(xml)))).blobs[0]!

  test('metadata names that are members of every object are metadata', async () => {
    const { metadata } = (await one(blob('a', '<constructor>x</constructor><__proto__>y</__proto__><toString />'))).blob
    expect(Object.entries(metadata)).toEqual([
      ['constructor', 'x'],
      ['__proto__', 'y'],
      ['tostring', ''],
    ])
  })

  test('a value that holds elements is missing, and told; the others stay', async () => {
    const { blob: found } = await one(blob('a', '<odd>x<y>z</y></odd><even>1</even>'))
    expect(found).toMatchObject({ metadata: { even: '1' }, missing: [{ what: 'metadata', code: 'NOT_UNDERSTOOD' }] })
  })

  test('control characters in names, written as they are, spoil no page; a name that cannot be decoded has none', async () => {
    expect((await one(blob('a\u0001b'))).name).toBe('a\u0001b')
    expect((await one(blob('x').replace('<Name>x', '<Name Encoded="true">%E0%A4%A'))).name).toBeUndefined()
    expect((await one(blob('x').replace('<Name>x', '<Name Encoded="true">a%EF%BF%BE'))).name).toBe('a\uFFFE')
  })

  test('folders of a level, and an empty page that is not the last', async () => {
    const level = await readListing(pieces(page('<BlobPrefix><Name>a/</Name></BlobPrefix>', 'token')))
    expect(level).toEqual({ blobs: [], folders: ['a/'], next: 'token' })
    expect((await readListing(pieces(page('')))).next).toBeUndefined()
  })
})

describe('what is no listing is told, never taken for a shorter one', () => {
  const whole = page(blob('a') + blob('b'))
  test('every beginning of a page', async () => {
    for (let end = 0; end < whole.length; end += 7)
      await expect(readListing(pieces(whole.slice(0, end))), `after ${end}`).rejects.toBeInstanceOf(ListingError)
  })
  test.each([['<html><body>Proxy</body></html>'], ['{"error": 1}'], [''], [`${whole}<again/>`], [page('<Blob><Name>a</Blob>')]])(
    '%s',
    async (text) => {
      await expect(readListing(pieces(text))).rejects.toBeInstanceOf(ListingError)
    },
  )
})

test('others are served after every piece: a page never holds the event loop for longer than one', async () => {
  const xml = page(Array.from({ length: 400 }, (_, i) => blob(`tile_${i}`)).join(''))
  let turns = 0
  let done = false
  const others = (async () => {
    while (!done) {
      await turn()
      turns++
    }
  })()
  const listing = await readListing(
    pieces(
      xml,
      Array.from({ length: 99 }, (_, i) => (i + 1) * Math.floor(xml.length / 100)),
    ),
  )
  done = true
  await others
  expect(listing.blobs).toHaveLength(400)
  expect(turns).toBeGreaterThanOrEqual(100)
})
