// Is what a compression needs installed here? Asked at submission and again in the first stage, which may run elsewhere.
import { AppError } from '../../rules/errors.ts'
import { hasSharp } from './sharp.ts'
import { assertZstd } from './zlib.ts'

/** @throws AppError `CODEC_UNAVAILABLE` */
export async function assertCompression(compression: string): Promise<void> {
  if (compression === 'zstd') assertZstd()
  if ((compression === 'jpeg' || compression === 'webp') && !(await hasSharp()))
    throw new AppError(
      'CODEC_UNAVAILABLE',
      `${compression} needs the optional package sharp. Run npm install sharp, or use compression deflate or zstd.`,
    )
}
