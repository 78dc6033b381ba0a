// A page of List Blobs, read as its XML arrives: a piece at a time, with room for others between two pieces. The SDK parses the text of
// a whole page at once, 5,000 names in 0.7 s on a quiet core, and nobody else is answered meanwhile; and a metadata name such as
// `constructor` makes its parser refuse the page.
import { setImmediate as others } from 'node:timers/promises'
import { SaxesParser, type SaxesTagPlain } from 'saxes'
import { type ParsedBlob, parseBlob, type RawBlob } from './raw-blob.ts'

/** What a page of `restype=container&comp=list` says, in the order of the service. */
export interface Listing {
  readonly blobs: readonly ParsedBlob[]
  /** Of one level: names of its folders, with the trailing slash. */
  readonly folders: readonly string[]
  /** Where the next page starts; undefined at the end. A page may be empty and not the last one. */
  readonly next: string | undefined
}

/** The answer is no listing. */
export class ListingError extends Error {
  readonly code = 'PARSE_ERROR'
  /** It ends too early: the next answer may be whole. */
  readonly isCut: boolean

  constructor(message: string, isCut: boolean, options?: ErrorOptions) {
    super(message, options)
    this.isCut = isCut
  }
}

/** @throws ListingError; whatever the stream throws */
export async function readListing(pieces: AsyncIterable<string>): Promise<Listing> {
  const reader = new ListingReader()
  for await (const piece of pieces) {
    reader.write(piece)
    await others()
  }
  return reader.end()
}

/** Depth of an element: `EnumerationResults` is 1. */
const BLOB = 3
const FIELD = 4
const VALUE = 5

type Fields = Record<string, string | undefined>

class ListingReader {
  readonly #parser = new SaxesParser()
  readonly #path: string[] = []
  readonly #blobs: ParsedBlob[] = []
  readonly #folders: string[] = []
  #next: string | undefined
  #text = ''
  #isEncoded = false
  /** Elements were where a value's text should be. */
  #isNested = false
  #name: string | undefined
  // Without a prototype: `__proto__` and `constructor` are names as others.
  #properties: Fields = Object.create(null) as Fields
  #metadata: Fields = Object.create(null) as Fields
  #isAtEnd = false
  #sawRoot = false

  constructor() {
    this.#parser.on('error', (error) => {
      // Names may hold what XML does not allow, where an emulator writes them as they are; whether they can be used is judged later.
      if (!error.message.includes('disallowed character')) throw new ListingError(error.message, this.#isAtEnd, { cause: error })
    })
    this.#parser.on('opentag', (tag) => this.#open(tag))
    const add = (text: string): void => void (this.#text += text)
    this.#parser.on('text', add)
    this.#parser.on('cdata', add)
    this.#parser.on('closetag', () => this.#close())
  }

  write(piece: string): void {
    this.#parser.write(piece)
  }

  end(): Listing {
    this.#isAtEnd = true
    this.#parser.close()
    if (!this.#sawRoot) throw new ListingError('The answer is XML of another kind.', false)
    return { blobs: this.#blobs, folders: this.#folders, next: this.#next }
  }

  #open({ name, attributes }: SaxesTagPlain): void {
    this.#path.push(name)
    this.#text = ''
    this.#isEncoded = attributes['Encoded'] === 'true'
    this.#isNested = this.#path.length > VALUE
    if (this.#path.length !== BLOB) return
    this.#name = undefined
    this.#properties = Object.create(null) as Fields
    this.#metadata = Object.create(null) as Fields
  }

  #close(): void {
    const depth = this.#path.length
    const name = this.#path.pop() ?? ''
    const parent = this.#path.at(-1)
    if (depth === VALUE && parent === 'Properties') this.#properties[name] = this.#text
    else if (depth === VALUE && parent === 'Metadata') this.#metadata[name] = this.#isNested ? undefined : this.#text
    else if (depth === FIELD && name === 'Name') this.#name = decoded(this.#text, this.#isEncoded)
    else if (depth === BLOB) this.#closeEntry(name)
    else if (name === 'NextMarker' && depth === 2) this.#next = this.#text || undefined
    else if (depth === 1) this.#sawRoot = name === 'EnumerationResults'
    this.#text = ''
  }

  #closeEntry(kind: string): void {
    if (kind === 'BlobPrefix' && this.#name !== undefined) this.#folders.push(this.#name)
    if (kind === 'Blob') this.#blobs.push(parseBlob(rawBlob(this.#name, this.#properties, this.#metadata)))
  }
}

const rawBlob = (name: string | undefined, p: Fields, metadata: Fields): RawBlob => ({
  name,
  properties: {
    contentLength: p['Content-Length'],
    lastModified: p['Last-Modified'],
    contentType: p['Content-Type'],
    contentEncoding: p['Content-Encoding'],
    contentMD5: Buffer.from(p['Content-MD5'] ?? '', 'base64'),
    etag: p['Etag'],
    accessTier: p['AccessTier'],
    archiveStatus: p['ArchiveStatus'],
    resourceType: p['ResourceType'],
  },
  metadata,
})

/** Names outside XML come percent-encoded; undefined: nothing can name it. */
function decoded(text: string, isEncoded: boolean): string | undefined {
  if (!isEncoded) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
