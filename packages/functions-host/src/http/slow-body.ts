// Bodies that hardly come: cut, so that nobody holds a place with a byte now and then.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendReply } from './exchange.ts'

/** The real host's own least rate. */
const BYTES_PER_SECOND = 240

/** Cuts a request whose body brings less than 240 bytes a second in a whole window, unless it is the app that does not read. */
export function cutSlowBody(request: IncomingMessage, response: ServerResponse, windowMs: number): void {
  if (request.complete) return
  const { socket } = request
  let before = socket.bytesRead
  const timer = setInterval(() => {
    if (request.complete) return clearInterval(timer)
    const brought = socket.bytesRead - before
    before = socket.bytesRead
    const unread = request.readableLength >= request.readableHighWaterMark
    if (unread || brought >= (BYTES_PER_SECOND * windowMs) / 1000) return
    clearInterval(timer)
    sendReply(response, { status: 408, headers: { connection: 'close' } })
    // An answer that had begun cannot be taken back.
    if (response.writableFinished) socket.destroySoon()
    else response.once('finish', () => socket.destroySoon())
    if (!response.writableEnded) socket.destroy()
  }, windowMs)
  response.once('close', () => clearInterval(timer))
}
