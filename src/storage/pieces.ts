// The body of an answer, piece by piece. The SDK's limits end with the head of an answer that is streamed: a body that stalls would be waited for
// without end.
import type { Readable } from 'node:stream'

/** So long none may come while one is waited for; a reader that takes its time does not count. */
const IDLE_MS = 60_000

/** @throws whatever the stream does; Error `ETIMEDOUT` when nothing comes for a minute. Left early, the stream is destroyed */
export async function* piecesOf<T>(stream: Readable): AsyncGenerator<T, undefined> {
  const pieces = (stream as AsyncIterable<T>)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const timer = setTimeout(() => stream.destroy(stalled()), IDLE_MS)
      const { done, value } = await pieces.next().finally(() => clearTimeout(timer))
      if (done) return
      yield value
    }
  } finally {
    stream.destroy()
  }
}

const stalled = (): Error =>
  Object.assign(new Error(`The storage account sent nothing for ${IDLE_MS / 1000} s in the middle of an answer.`), {
    code: 'ETIMEDOUT',
  })
