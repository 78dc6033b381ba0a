// Example documents of our own, and reports of one document.
import { readFileSync } from 'node:fs'
import type { DocumentReport, ItemCollectionReport } from '../../src/models/stac-report.ts'
import { validateDocument } from '../../src/stac/validate.ts'

/** A document that a test may change at any path. */
export type Loose = any

export const NOW = { now: new Date('2025-01-01T00:00:00Z') }

export const example = (name: 'item' | 'collection' | 'catalog' | 'item-1-0'): Loose =>
  JSON.parse(readFileSync(new URL(`../fixtures/stac/${name}.json`, import.meta.url), 'utf8'))

export function report(document: unknown): DocumentReport {
  const found = validateDocument(document, NOW)
  if ('results' in found) throw new Error('a FeatureCollection')
  return found
}

export function reports(document: unknown): ItemCollectionReport {
  const found = validateDocument(document, NOW)
  if (!('results' in found)) throw new Error('no FeatureCollection')
  return found
}
