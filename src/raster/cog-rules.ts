// Is it a Cloud-Optimized GeoTIFF? The rules of GDAL's validate_cloud_optimized_geotiff on directories alone, and OGC 21-026, which
// wants tiles whatever the size (GDAL lets small images be striped).
import type { Pyramid, TiffImage } from './image.ts'
import { TAG } from './tags.ts'

export interface CogIssue {
  readonly code: string
  readonly message: string
}

const GHOST = /^GDAL_STRUCTURAL_METADATA_SIZE=(\d{6}) bytes\n/
/** Larger images want overviews (a recommendation, no rule). */
const NEEDS_OVERVIEWS = 512

/** What keeps it from being one, and what is only recommended. */
export async function cogIssues(pyramid: Pyramid): Promise<{ errors: CogIssue[]; warnings: CogIssue[] }> {
  const { main, overviews } = pyramid
  const errors: CogIssue[] = []
  const warnings: CogIssue[] = []
  const levels = [main, ...overviews.map((o) => o.image)]
  for (const [i, level] of levels.entries())
    if (!level.isTiled) errors.push({ code: 'NOT_TILED', message: `${nameOf(i)} is not tiled` })
  if (overviews.length === 0 && (main.width > NEEDS_OVERVIEWS || main.height > NEEDS_OVERVIEWS))
    warnings.push({ code: 'NO_OVERVIEWS', message: `${main.width} x ${main.height} pixels and no overviews` })
  errors.push(...ghostIssues(pyramid), ...levelIssues(levels), ...(await dataIssues(levels)))
  return { errors, warnings }
}

const nameOf = (level: number): string => (level === 0 ? 'the image' : `overview ${level}`)

function ghostIssues({ file, main }: Pyramid): CogIssue[] {
  const base = file.encoding.big ? 16 : 8
  const text = Buffer.from(file.preamble).toString('latin1')
  const size = Number(GHOST.exec(text)?.[1] ?? 0)
  const ghost = size > 0 ? 43 + size : 0
  const issues: CogIssue[] = []
  if (text.slice(43, ghost).includes('KNOWN_INCOMPATIBLE_EDITION=YES'))
    issues.push({ code: 'EDITED', message: 'it was changed by a program that did not keep the layout' })
  const expected = base + ghost + ((base + ghost) % 2)
  const at = main.directory.offset
  if (at !== expected)
    issues.push({ code: 'IFD_NOT_FIRST', message: `the image's directory stands at ${at} instead of ${expected}` })
  return issues
}

function levelIssues(levels: readonly TiffImage[]): CogIssue[] {
  return levels.slice(1).flatMap((level, i) => {
    const before = levels[i] as TiffImage
    const issues: CogIssue[] = []
    if (
      level.width > before.width ||
      level.height > before.height ||
      (level.width === before.width && level.height === before.height)
    )
      issues.push({
        code: 'LEVEL_SIZES',
        message: `${nameOf(i + 1)} has ${level.width} x ${level.height} pixels, the level before ${before.width} x ${before.height}`,
      })
    if (level.directory.offset < before.directory.offset)
      issues.push({ code: 'IFD_ORDER', message: `the directory of ${nameOf(i + 1)} stands before that of ${nameOf(i)}` })
    return issues
  })
}

/** The first tile of each level: behind all directories, smaller levels first. */
async function dataIssues(levels: readonly TiffImage[]): Promise<CogIssue[]> {
  const starts: number[] = []
  for (const level of levels) starts.push(await firstData(level))
  const issues: CogIssue[] = []
  const last = levels.length - 1
  if ((starts[last] ?? 0) !== 0 && (starts[last] as number) < (levels[last] as TiffImage).directory.offset)
    issues.push({ code: 'DATA_BEFORE_IFD', message: `the data of ${nameOf(last)} stands before its directory` })
  for (let i = last; i > 0; i--) {
    const [small, large] = [starts[i] as number, starts[i - 1] as number]
    if (small !== 0 && large !== 0 && large < small)
      issues.push({ code: 'DATA_ORDER', message: `the data of ${nameOf(i - 1)} stands before that of ${nameOf(i)}` })
  }
  return issues
}

/** Offset of the first tile that is there; 0 where all are left out. */
async function firstData(image: TiffImage): Promise<number> {
  const { directory } = image
  return directory.firstNonZero(directory.has(TAG.tileOffsets) ? TAG.tileOffsets : TAG.stripOffsets)
}
