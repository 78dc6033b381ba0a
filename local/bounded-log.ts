// A log file that cannot fill a disk: beyond its bound it becomes `<name>.1`, and a new one begins.
import { appendFileSync, renameSync, statSync } from 'node:fs'

const MAX_BYTES = 1024 * 1024

/** A function that appends text. What cannot be written is dropped: a log must not stop what it tells of. */
export function boundedLog(path: string, maxBytes = MAX_BYTES): (text: string | Uint8Array) => void {
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return (text) => {
    try {
      if (size > 0 && size + text.length > maxBytes) {
        renameSync(path, `${path}.1`)
        size = 0
      }
      appendFileSync(path, text, { mode: 0o600 })
      size += text.length
    } catch {
      // Nothing to do about it.
    }
  }
}
