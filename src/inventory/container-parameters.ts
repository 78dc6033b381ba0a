// Parameters that all container jobs share, and what a submission checks before there is a job row.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import type { BlobStore } from '../models/blob-store.ts'
import { FileFilter } from '../models/file-filter.ts'
import type { NameRange } from '../models/inventory.ts'
import { blobMatcher } from './file-filter.ts'
import { Listing } from './listing.ts'
import { BlobPrefix, ContainerName } from '../storage/names.ts'

export const containerParams = {
  container_name: ContainerName.describe('container to look at (alias: container)'),
  prefix: BlobPrefix.default('').describe('only names that start with this'),
  filter: z.string().min(1).max(256).optional().describe('case-insensitive part of the full name'),
  file_filter: FileFilter.optional().describe('fields that narrow the listing, all together'),
  aggregate_gdb: z.boolean().default(true).describe('count a .gdb folder as one item'),
}

/** `container` is an alias of `container_name`; both given must agree. */
export function withContainerAlias<S extends z.ZodType>(schema: S): z.ZodType<z.output<S>> {
  return z.preprocess((value, ctx) => {
    if (typeof value !== 'object' || value === null || !('container' in value)) return value
    const { container, ...rest } = value as Record<string, unknown>
    if ('container_name' in rest && rest['container_name'] !== container) {
      ctx.addIssue({ code: 'custom', path: ['container'], message: 'differs from container_name' })
    }
    return { container_name: container, ...rest }
  }, schema) as unknown as z.ZodType<z.output<S>>
}

/** @throws AppError `CONTAINER_NOT_ALLOWED`, `CONTAINER_NOT_FOUND`, or `INVALID_PARAMETERS` for a pattern that cannot be compiled */
export async function acceptContainer(
  parameters: { container_name: string; file_filter?: FileFilter | undefined },
  { blobs }: { blobs: BlobStore },
): Promise<void> {
  try {
    blobMatcher(undefined, parameters.file_filter)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'not a glob'
    throw new AppError('INVALID_PARAMETERS', `Invalid input: file_filter.pattern: ${message}`, {
      issues: [{ path: 'file_filter.pattern', message }],
    })
  }
  await blobs.checkContainer(parameters.container_name)
}

export interface ListingContext {
  readonly blobs: BlobStore
  readonly signal: AbortSignal
  readonly parameters: {
    readonly container_name: string
    readonly prefix: string
    readonly filter?: string | undefined
    readonly file_filter?: FileFilter | undefined
    readonly aggregate_gdb: boolean
  }
  progress(fraction: number, note: string): void
}

/** The listing that a container job's parameters ask for, or one range of it; tells progress per page. */
export function listingOf({ blobs, signal, parameters, progress }: ListingContext, range?: NameRange): Listing {
  return new Listing(blobs, {
    container: parameters.container_name,
    prefix: parameters.prefix,
    filter: parameters.filter,
    fileFilter: parameters.file_filter,
    aggregateGdb: parameters.aggregate_gdb,
    signal,
    range,
    // The total is unknown until the end, so the fraction only says that it moves.
    onPage: (passed) => progress(1 - 1 / (1 + passed / 50_000), `${passed} names passed`),
  })
}

/** Every file of the container below the prefix, whatever the filters: what is gone is told from what was not asked for. */
export function wholeListingOf(context: ListingContext): Listing {
  const { container_name, prefix, aggregate_gdb } = context.parameters
  return listingOf({ ...context, parameters: { container_name, prefix, aggregate_gdb } })
}
