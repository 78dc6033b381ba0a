// Judging STAC documents that are sent: the report, and on request the document put right. Nothing is stored, nothing is fetched.
import * as z from 'zod'
import { MAX_DOCUMENT_BYTES, parseDocument } from '../stac/document-file.ts'
import { loadFormulas } from '../stac/footprint-formulas.ts'
import { repairDocument, validateDocument } from '../stac/validate.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'

const ValidateQuery = z.strictObject({ repair: z.enum(['true', 'false']).default('false') })
type ValidateQuery = z.infer<typeof ValidateQuery>

/** 200 for every JSON: what is wrong with the document is the answer. @throws AppError `INVALID_JSON`, `BODY_TOO_LARGE` */
async function validate({ upload, query }: Pick<Call<unknown, ValidateQuery, undefined>, 'upload' | 'query'>): Promise<Answer> {
  const document = parseDocument(await upload())
  const options = { now: new Date(), formulaOf: await loadFormulas(document) }
  const report = validateDocument(document, options)
  // Too large to be judged is too large to be repaired, and to be sent back: 800,000 members take a second each way.
  const isBeyond = 'issues' in report && report.issues.some(({ code }) => code === 'TOO_LARGE' || code === 'TOO_DEEP')
  const isWanted = query.repair === 'true' && !isBeyond
  return { body: isWanted ? { ...report, repair: repairDocument(document, options) } : report }
}

export const stacValidateRoutes: readonly HttpRow[] = [
  route({
    name: 'validateStac',
    method: 'POST',
    summary: 'judges a STAC Catalog, Collection, Item or FeatureCollection of at most 10 MiB; `repair=true` also puts it right',
    path: 'stac/validate',
    role: 'reader',
    query: ValidateQuery,
    uploadBytes: MAX_DOCUMENT_BYTES,
    handle: validate,
  }),
]
