// Judges the STAC documents of a container: what each file is, what is wrong with it; nothing is changed.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'
import { acceptContainer, containerParams, listingOf, withContainerAlias } from '../inventory/container-parameters.ts'
import { readList, writeList } from '../inventory/list-file.ts'
import { ListRef } from '../models/blob.ts'
import { type DocumentFile, documentFiles, readDocument } from '../stac/document-file.ts'
import { FileVerdict, judgeFile } from '../stac/judge-file.ts'
import { addVerdict, emptySummary, ValidationSummary } from '../stac/validation-summary.ts'

const { aggregate_gdb: _, ...selection } = containerParams

const parameters = withContainerAlias(z.strictObject(selection))
const common = { parameters, dependsOn: ['storage'], onTaskFailure: 'continue' } as const
const TWENTY_MINUTES_MS = 1_200_000

const list = defineStage({
  name: 'list_documents',
  ...common,
  weight: 'heavy',
  onTaskFailure: 'fail',
  timeoutMs: TWENTY_MINUTES_MS,
  result: z.object({ files: ListRef, skipped_names: z.int() }),
  *plan() {
    yield { key: 'list', parameters: {} }
  },
  async run(_task, ctx) {
    const listing = listingOf({ ...ctx, parameters: { ...ctx.parameters, aggregate_gdb: false } })
    const path = `lists/${ctx.jobId}/a${ctx.attempt}/documents-${ctx.claim}`
    const files = await writeList(ctx.blobs, path, documentFiles(listing.files()))
    return { files, skipped_names: listing.skipped.count }
  },
})

const validate = defineStage({
  name: 'validate_documents',
  ...common,
  // A document of 10 MiB takes ten times that while it is judged.
  taskConcurrency: 2,
  result: FileVerdict,
  async *plan({ previous, blobs, signal }) {
    for await (const { result } of previous(list))
      for await (const file of readList(blobs, result.files, signal)) yield { key: (file as DocumentFile).name }
  },
  async run(task, ctx) {
    const read = await readDocument(ctx.blobs, { container: ctx.parameters.container_name, name: task.key }, ctx.signal)
    return judgeFile(read, ctx.now())
  },
})

const report = defineStage({
  name: 'write_report',
  ...common,
  weight: 'heavy',
  onTaskFailure: 'fail',
  timeoutMs: TWENTY_MINUTES_MS,
  result: ValidationSummary.extend({ report: ListRef.describe('every file with its issues, as JSON lines') }),
  *plan() {
    yield { key: 'report', parameters: {} }
  },
  async run(_task, ctx) {
    const summary = emptySummary()
    const lines = async function* () {
      for await (const { key: file, result: verdict } of ctx.previous(validate)) {
        addVerdict(summary, file, verdict)
        yield { file, ...verdict }
      }
    }
    const written = await writeList(ctx.blobs, `lists/${ctx.jobId}/a${ctx.attempt}/validation-${ctx.claim}`, lines())
    return { ...summary, report: written }
  },
})

export default defineJob({
  name: 'validate_stac',
  description: 'Judges the STAC documents of a container: counts by type and code, a report of every file.',
  parameters,
  stages: [list, validate, report],
  accept: acceptContainer,
  async result({ parameters: p, previous, failed }) {
    const failures: Record<string, number> = {}
    for await (const { code } of failed(validate)) failures[code] = (failures[code] ?? 0) + 1
    let skipped_names = 0
    for await (const { result } of previous(list)) skipped_names = result.skipped_names
    for await (const { result } of previous(report))
      return {
        container: p.container_name,
        prefix: p.prefix,
        ...result,
        failures,
        skipped_names,
        ...(result.files === 0 ? { warning: 'no documents matched' } : {}),
      }
    return null
  },
})
