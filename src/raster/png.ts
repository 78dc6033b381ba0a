// PNG (ISO/IEC 15948) of 8-bit samples: one picture, no filters but Up, zlib level 3. Sharp is optional, pictures are not.
import { crc32, deflateSync } from 'node:zlib'

/** By bands: grey, grey and alpha, RGB, RGBA. */
const COLOR_TYPES: Readonly<Record<number, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 }
const UP = 2

/** @param data `width * height * bands` samples, the bands of a pixel side by side */
export function encodePng(data: Uint8Array, width: number, height: number, bands: 1 | 2 | 3 | 4): Uint8Array {
  const row = width * bands
  const filtered = new Uint8Array((row + 1) * height)
  for (let y = 0; y < height; y++) {
    const to = y * (row + 1)
    filtered[to] = UP
    for (let i = 0; i < row; i++)
      filtered[to + 1 + i] = (data[y * row + i] as number) - (y === 0 ? 0 : (data[(y - 1) * row + i] as number))
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, COLOR_TYPES[bands] as number, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(filtered, { level: 3 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + body.length)
  bytes.writeUInt32BE(body.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(body, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + body.length)), 8 + body.length)
  return bytes
}
