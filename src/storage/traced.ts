// Spans around the operations of a store: `blob <operation>`.
import { type Attributes, SpanKind } from '@opentelemetry/api'
import type { BlobStore } from '../models/blob-store.ts'
import { inSpan, isTracing } from '../telemetry/spans.ts'

/** Operations that ask the service once or a few times; downloadMany is made of readStream. */
const CALLS = [
  'checkContainer',
  'listFolders',
  'containerModified',
  'properties',
  'tags',
  'read',
  'readRange',
  'readStream',
  'exists',
  'blockList',
  'write',
  'delete',
  'setMetadata',
  'setTags',
  'stageBlock',
  'commitBlocks',
  'createSas',
  'createContainerSas',
  'copy',
] as const satisfies readonly (keyof BlobStore)[]
/** Operations that answer bit by bit: a span for each page or piece, since whoever reads them may take hours. */
const ITERATIONS = ['list', 'findByTags', 'readChunks'] as const satisfies readonly (keyof BlobStore)[]

type Call = (...args: unknown[]) => Promise<unknown>
type Iteration = (...args: unknown[]) => AsyncIterable<unknown>

/** The same store, with a span for each of its operations while an SDK is registered. */
export function traced(store: BlobStore): BlobStore {
  const operations = store as unknown as Record<string, Call & Iteration>
  const wrapped: Record<string, Call | Iteration> = {}
  for (const name of CALLS) {
    const call = operations[name] as Call
    wrapped[name] = (...args) =>
      isTracing() ? inSpan(`blob ${name}`, attributesOf(args), () => call(...args), SpanKind.CLIENT) : call(...args)
  }
  for (const name of ITERATIONS) {
    const iterate = operations[name] as Iteration
    wrapped[name] = (...args) => (isTracing() ? pieces(`blob ${name}`, attributesOf(args), iterate(...args)) : iterate(...args))
  }
  return { ...store, ...(wrapped as Partial<BlobStore>) }
}

async function* pieces(name: string, attributes: Attributes, source: AsyncIterable<unknown>): AsyncGenerator {
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await inSpan(name, attributes, () => iterator.next(), SpanKind.CLIENT)
      if (done) return
      yield value
    }
  } finally {
    await iterator.return?.()
  }
}

/** The first argument names a container, or a container and a blob in it; of `copy` they are the source. */
function attributesOf([first, second]: readonly unknown[]): Attributes {
  if (typeof first === 'string')
    return { 'lamplighter.container': first, ...(typeof second === 'string' ? { 'lamplighter.blob': second } : {}) }
  const { container = '', blob = '' } = (first ?? {}) as { container?: string; blob?: string }
  return { 'lamplighter.container': container, 'lamplighter.blob': blob }
}
