// Bounds that are checked before anything is decoded.

/** Sizes are bytes unless said. */
export const LIMITS = {
  directories: 1024,
  tagsPerDirectory: 4096,
  tagValueBytes: 64 * 1024 * 1024,
  headerBytes: 128 * 1024 * 1024,
  /** Pixels of one side. */
  side: 200_000,
  decodedBytes: 128 * 1024 ** 3,
  blockBytes: 64 * 1024 * 1024,
  bytesPerPixel: 384,
  /** Source bytes that all tasks read, over the bytes of the source. */
  readAmplification: 8,
  /** Pixels of one slab that a task holds. */
  slabBytes: 48 * 1024 * 1024,
  metadataXmlBytes: 1024 * 1024,
} as const
