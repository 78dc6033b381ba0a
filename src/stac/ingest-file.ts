// One file of documents becomes items: valid ones are written, each other one is a problem with its reason.
import { setImmediate as others } from 'node:timers/promises'
import * as z from 'zod'
import type { BlobStore } from '../models/blob-store.ts'
import type { CatalogueRecords, NewItem } from '../models/stac-record.ts'
import type { DocumentReport } from '../models/stac-report.ts'
import { AppError } from '../rules/errors.ts'
import { cleanText, storableJson } from '../rules/storable.ts'
import { CollectionFacts, factsOf, isCollectionLike } from './collection-facts.ts'
import { readDocument } from './document-file.ts'
import { foreignItem, type ForeignOptions, type Problem } from './foreign-item.ts'
import { isObject, type JsonObject, textOf } from './validation/json.ts'
import { validateDocument } from './validate.ts'

/** Features of a file: 10 MiB hold three million empty ones. */
const MAX_FEATURES = 20_000
/** Features between which others of the process get their turn; each takes 100 µs. */
const BREATH = 100
/** Problems of a file that are named; all are counted. */
const MAX_NAMED = 1000

const Counts = z.record(z.string(), z.int())

export const IngestedFile = z.object({
  created: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  gone: z.boolean().describe('deleted since the listing'),
  counts: Counts.describe('problems by code'),
  warnings: Counts.describe('by code'),
  problems: z
    .array(z.object({ code: z.string(), path: z.string(), message: z.string(), id: z.string().optional() }))
    .describe(`the first ${MAX_NAMED}; pointers are those of the file`),
  document_type: z.enum(['Catalog', 'Collection']).optional(),
  facts: CollectionFacts.optional().describe('of a catalogue or collection'),
})
export type IngestedFile = z.infer<typeof IngestedFile>

export interface IngestContext {
  readonly jobId: string
  readonly attempt: number
  readonly blobs: BlobStore
  readonly catalogue: CatalogueRecords
  readonly signal: AbortSignal
  readonly now: () => Date
}

interface Target {
  readonly collectionId: string
  readonly container: string
}

type Mutable = { -readonly [K in keyof IngestedFile]: IngestedFile[K] }

const add = (into: Record<string, number>, code: string): void => void (into[code] = (into[code] ?? 0) + 1)

function addProblem(done: Mutable, problem: Problem, id?: unknown): void {
  add(done.counts, problem.code)
  if (done.problems.length >= MAX_NAMED) return
  done.problems.push({
    code: problem.code,
    path: cleanText(problem.path),
    message: cleanText(problem.message),
    ...(typeof id === 'string' ? { id: cleanText(id.slice(0, 256)) } : {}),
  })
}

/** Can be repeated: what is written already is unchanged. @throws AppError what storage and database answer */
export async function ingestFile(ctx: IngestContext, name: string, { collectionId, container }: Target): Promise<IngestedFile> {
  const done: Mutable = { created: 0, updated: 0, unchanged: 0, gone: false, counts: {}, warnings: {}, problems: [] }
  const read = await readDocument(ctx.blobs, { container, name }, ctx.signal)
  if (read.kind === 'gone') return { ...done, gone: true }
  if (read.kind === 'finding') {
    addProblem(done, read.finding)
    return done
  }
  const { document, etag } = read
  const now = ctx.now()
  if (isCollectionLike(document)) collectionFile(done, document, now)
  else {
    const features = featuresOf(document)
    if (!features) addProblem(done, refused(document, now), isObject(document) ? document['id'] : undefined)
    const count = features?.length ?? 0
    const options = { collectionId, container, name, etag, features: count, jobId: ctx.jobId, plan: ctx.attempt, now }
    await itemsFile(ctx, done, features ?? [], { ...options, isMany: document !== features?.[0] })
  }
  return done
}

/** Undefined: no items at all, or too many. */
function featuresOf(document: unknown): readonly unknown[] | undefined {
  if (!isObject(document)) return undefined
  if (document['type'] === 'Feature') return [document]
  const { type, features } = document
  return type === 'FeatureCollection' && Array.isArray(features) && features.length <= MAX_FEATURES ? features : undefined
}

function refused(document: unknown, now: Date): Problem {
  if (isObject(document) && document['type'] === 'FeatureCollection' && Array.isArray(document['features']))
    return {
      code: 'TOO_MANY_ITEMS',
      path: '/features',
      message: `${document['features'].length} features; at most ${MAX_FEATURES} are read`,
    }
  const [issue] = (validateDocument(document, { now }) as DocumentReport).issues
  return issue ?? { code: 'UNKNOWN_DOCUMENT_TYPE', path: '', message: 'no item' }
}

function collectionFile(done: Mutable, document: JsonObject & { type: 'Catalog' | 'Collection' }, now: Date): void {
  const { issues, warnings } = validateDocument(document, { now }) as DocumentReport
  for (const { code } of warnings) add(done.warnings, code)
  const issue = issues.find((i) => i.code === 'ASSET_HREF_SECRET') ?? issues[0]
  if (issue) return addProblem(done, issue, document['id'])
  const facts = factsOf(document)
  try {
    storableJson(facts)
  } catch (error) {
    if (error instanceof AppError) return addProblem(done, { code: error.code, path: '', message: error.message }, document['id'])
    throw error
  }
  done.document_type = document.type
  done.facts = facts
}

async function itemsFile(
  ctx: IngestContext,
  done: Mutable,
  features: readonly unknown[],
  options: ForeignOptions & { readonly isMany: boolean },
): Promise<void> {
  const seen = new Set<string>()
  for (const [i, feature] of features.entries()) {
    if (i % BREATH === BREATH - 1) await others()
    ctx.signal.throwIfAborted()
    const at = options.isMany ? `/features/${i}` : ''
    const made = foreignItem(feature, options)
    for (const code of made.warnings) add(done.warnings, code)
    const id = isObject(feature) ? textOf(feature['id']) : undefined
    const problem = 'problem' in made ? made.problem : await put(ctx.catalogue, done, made.item, seen)
    if (problem) addProblem(done, { ...problem, path: at + problem.path }, id)
  }
}

async function put(catalogue: CatalogueRecords, done: Mutable, item: NewItem, seen: Set<string>): Promise<Problem | undefined> {
  const collision = (message: string): Problem => ({ code: 'STAC_ID_COLLISION', path: '/id', message })
  if (seen.has(item.item_id)) return collision('the file has another item of this id')
  seen.add(item.item_id)
  try {
    done[await catalogue.putItem(item)]++
    return undefined
  } catch (error) {
    if (error instanceof AppError && error.code === 'STAC_ID_COLLISION') return collision('another file has an item of this id')
    throw error
  }
}
