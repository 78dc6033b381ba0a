// Request bodies: read only when they are wanted, within bounds of size and time; what nobody wants is dropped before the answer leaves.
import { AppError } from '../rules/errors.ts'

const MAX_JSON_BYTES = 1_000_000
const MAX_DEPTH = 32
/** The host itself takes no body larger than this. */
const MAX_DROPPED_BYTES = 104_857_600
const MAX_MS = 30_000

/** Of a request: what is read of it. */
interface Source {
  readonly headers: Pick<Headers, 'get'>
  /** A stream of bytes; the types of the host's and of the global ones are not each other's. */
  readonly body: Pick<ReadableStream<unknown>, 'getReader'> | null | undefined
}

export class RequestBody {
  readonly #source: Source
  readonly #deadline: number
  readonly #clock: () => number
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #ended = false

  /** @param ms how long the whole body may take from now on */
  constructor(source: Source, ms = MAX_MS, clock: () => number = Date.now) {
    this.#source = source
    this.#clock = clock
    this.#deadline = clock() + ms
  }

  /** @throws AppError `BODY_TOO_LARGE` before the first byte when its length is declared, `BODY_TOO_SLOW` */
  async bytes(most: number): Promise<Uint8Array> {
    const tooLarge = (): AppError => new AppError('BODY_TOO_LARGE', `The body is larger than ${most} bytes.`)
    if (Number(this.#source.headers.get('content-length') ?? 0) > most) throw tooLarge()
    const chunks: Uint8Array[] = []
    let size = 0
    for (let chunk = await this.#next(); chunk; chunk = await this.#next()) {
      size += chunk.length
      if (size > most) throw tooLarge()
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  /**
   * The body as a JSON object; an empty one counts as {}. The media type is demanded in any case: a form or a text is what a page of
   * another origin can send without asking.
   * @throws AppError `UNSUPPORTED_MEDIA_TYPE`, `INVALID_JSON`, `INVALID_PARAMETERS`, `BODY_TOO_LARGE`, `BODY_TOO_SLOW`
   */
  async json(): Promise<object> {
    const type = this.#source.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
    if (type !== 'application/json')
      throw new AppError(
        'UNSUPPORTED_MEDIA_TYPE',
        `The body is ${type || 'of no declared type'}; send content-type: application/json, also with an empty body.`,
      )
    const body = await this.bytes(MAX_JSON_BYTES)
    if (body.length === 0) return {}
    let value: unknown
    try {
      // fatal: bytes that are not UTF-8 would otherwise become replacement characters, silently.
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    } catch (error) {
      throw new AppError('INVALID_JSON', `The body is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`)
    }
    assertDepth(value, 0)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
    throw new AppError('INVALID_PARAMETERS', 'The body must be a JSON object.', {
      issues: [{ path: '', message: 'must be a JSON object' }],
    })
  }

  /**
   * Reads and drops what is left. An answer that leaves before the body was read makes the proxy inside the host fail: the caller gets a
   * 500 after 8 s, or nothing.
   */
  async drop(): Promise<void> {
    try {
      let size = 0
      for (let chunk = await this.#next(); chunk && size <= MAX_DROPPED_BYTES; chunk = await this.#next()) size += chunk.length
    } catch {
      // Too slow or broken off: there is nobody to tell but the answer that follows.
    }
    await this.#reader?.cancel().catch(() => undefined)
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#ended || !this.#source.body) return undefined
    this.#reader ??= (this.#source.body as ReadableStream<Uint8Array>).getReader()
    let timer: NodeJS.Timeout | undefined
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new AppError('BODY_TOO_SLOW', 'The body did not arrive within 30 s.')),
          Math.max(0, this.#deadline - this.#clock()),
        )
      })
      const { done, value } = await Promise.race([this.#reader.read(), late])
      this.#ended = done
      return value
    } catch (error) {
      this.#ended = true
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}

function assertDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth >= MAX_DEPTH) throw new AppError('INVALID_JSON', `The body is nested more than ${MAX_DEPTH} levels deep.`)
  for (const member of Object.values(value)) assertDepth(member, depth + 1)
}
