// Container and blob names: the first of two locks against leaving a container. Rules of the Blob service, plus path segments.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'

/** Lower case letters, digits and single hyphens, 3-63 characters, after trimming and lower-casing. `$logs` and the like never pass. */
export const ContainerName = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'must be 3-63 lower case letters, digits and single hyphens')

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** What is wrong with a blob name, or undefined. Percent signs, spaces, `?`, `#` and every Unicode form are legal and kept byte for byte. */
export function blobNameProblem(name: string): string | undefined {
  if (name.length < 1 || name.length > 1024) return 'must be 1-1,024 UTF-16 units long'
  if (!name.isWellFormed()) return 'holds a lone surrogate'
  if (CONTROL.test(name)) return 'holds a control character'
  if (name.includes('\\')) return 'holds a backslash, which the service turns into a slash'
  if (name.startsWith('/')) return 'starts with a slash'
  const segments = name.split('/')
  if (segments.length > 254) return 'has more than 254 path segments'
  // The SDK does not encode blob names: `../other/x` would read container `other`.
  if (segments.includes('.') || segments.includes('..')) return 'has a path segment . or ..'
  return undefined
}

/** Names for writing: also no empty segment, no segment that ends in a dot, no trailing slash. */
export function writableNameProblem(name: string): string | undefined {
  const segments = name.split('/')
  return (
    blobNameProblem(name) ??
    (segments.includes('')
      ? 'has an empty path segment'
      : segments.some((s) => s.endsWith('.'))
        ? 'has a segment that ends in a dot'
        : undefined)
  )
}

/** A blob that is read. */
export const BlobName = z.string().superRefine((text, ctx) => {
  const problem = blobNameProblem(text)
  if (problem) ctx.addIssue({ code: 'custom', message: problem })
})

/** A blob that is written. */
export const WritableBlobName = z.string().superRefine((text, ctx) => {
  const problem = writableNameProblem(text)
  if (problem) ctx.addIssue({ code: 'custom', message: problem })
})

/** A prefix: a blob name that may be empty or end in a slash. */
export const BlobPrefix = z
  .string()
  .max(1024)
  .superRefine((text, ctx) => {
    const problem = text === '' ? undefined : blobNameProblem(text)
    if (problem) ctx.addIssue({ code: 'custom', message: problem })
  })

/** @throws AppError `INVALID_NAME` */
export function assertName(problem: string | undefined, name: string): void {
  if (problem)
    throw new AppError('INVALID_NAME', `The blob name ${JSON.stringify(name.slice(0, 100))} ${problem}.`, {
      issues: [{ path: 'blob', message: problem }],
    })
}
