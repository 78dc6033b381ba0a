// Items are judged as they would be served, before they are written: what the catalogue says of a file is never against STAC.
import type { DocumentReport } from '../models/stac-report.ts'
import type { NewItem } from '../models/stac-record.ts'
import { AppError } from '../rules/errors.ts'
import { itemDocument } from './documents.ts'
import { validateDocument } from './validate.ts'

/** No host of this name can exist (RFC 6761, 6.4): links need one, and the verdict does not depend on it. */
export const NOWHERE_API = 'https://catalogue.invalid/api'

/** About 100 µs for an item with a few assets. */
export function judgeItem(item: NewItem, now: Date): DocumentReport {
  const record = {
    ...item,
    version: 1,
    created_at: now,
    updated_at: now,
    missing_since: null,
    source_state: item.source_item === null ? null : ('same' as const),
  }
  return validateDocument(itemDocument(record, { api: NOWHERE_API }), { now }) as DocumentReport
}

/** Texts that are made of names of blobs, which may look like anything. Documents of others have no such names. */
const NAMES = /^\/(?:properties\/(?:lamplighter:(?:blob|container)|processing:lineage)|assets\/[^/]+\/title)$/
const isOwnName = ({ kind }: NewItem, path: string): boolean => kind !== 'foreign' && NAMES.test(path)

/**
 * @returns codes of the warnings
 * @throws AppError `STAC_INVALID` with code and place of the first issue
 */
export function assertItem(item: NewItem, now: Date): string[] {
  const { issues, warnings } = judgeItem(item, now)
  const first = issues.find((issue) => !(issue.code === 'ASSET_HREF_SECRET' && isOwnName(item, issue.path)))
  if (first)
    throw new AppError(
      'STAC_INVALID',
      // Not the name of the file: it may be what holds a secret.
      `The item ${item.item_id} would break STAC: ${first.code} at ${first.path || 'the top'}: ${first.message}.`,
    )
  return warnings.map((w) => w.code)
}
