// FileFilter: every field narrows, all of them together (AND).
import * as z from 'zod'
import { Instant } from './names.ts'

export const FileFilter = z
  .strictObject({
    prefix: z.string().max(1024).optional().describe('start of the full name, case-sensitive'),
    extension: z.string().min(1).max(17).optional().describe('with or without dot, any case'),
    pattern: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('glob over the full name: * in a segment, ** across, ?, [a-z], {tif,tiff}'),
    min_size: z.int().min(0).optional().describe('bytes, inclusive'),
    max_size: z.int().min(0).optional().describe('bytes, inclusive'),
    modified_after: Instant.optional().describe('exclusive'),
    modified_before: Instant.optional().describe('exclusive'),
    metadata_match: z
      .record(z.string().max(256), z.string().max(256))
      .refine((fields) => Object.keys(fields).length <= 64, 'has more than 64 entries')
      .optional()
      .describe('every key present (any case) and equal; 64 at most, of 256 characters'),
  })
  .superRefine((f, ctx) => {
    if (f.min_size !== undefined && f.max_size !== undefined && f.min_size > f.max_size) {
      ctx.addIssue({ code: 'custom', path: ['min_size'], message: 'is larger than max_size' })
    }
    if (f.modified_after && f.modified_before && Date.parse(f.modified_after) >= Date.parse(f.modified_before)) {
      ctx.addIssue({ code: 'custom', path: ['modified_after'], message: 'is not before modified_before' })
    }
  })
export type FileFilter = z.infer<typeof FileFilter>
