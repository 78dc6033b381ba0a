// What filters can ask: columns of the records, and properties of the documents by their JSON type.
import { bareName, type Expression, type Property } from '../cql2/ast.ts'
import type { Queryable } from '../cql2/sql.ts'
import { registrationSql } from './sort.ts'

const property = (name: string): Queryable => ({
  type: 'any',
  sql: `(i.content -> 'properties' -> '${name}')`,
  json: { column: `(i.content -> 'properties')`, path: [name] },
})

const COLUMNS: Readonly<Record<string, Queryable>> = {
  id: { type: 'string', sql: 'i.item_id' },
  collection: { type: 'string', sql: 'i.collection_id' },
  geometry: { type: 'geometry', sql: 'i.xr' },
  datetime: { type: 'timestamp', sql: 'i.sort_at', interval: { start: 'i.start_at', end: 'i.end_at' } },
  start_datetime: { type: 'timestamp', sql: 'i.start_at' },
  end_datetime: { type: 'timestamp', sql: 'i.end_at' },
  created: { type: 'timestamp', sql: registrationSql('created') },
  updated: { type: 'timestamp', sql: registrationSql('updated') },
  'lamplighter:missing_since': { type: 'timestamp', sql: 'i.missing_since' },
}

/** Properties that items of ours have, and common ones of others. */
const PROPERTIES: Readonly<Record<string, { readonly title: string; readonly type: string }>> = {
  title: { title: 'title', type: 'string' },
  gsd: { title: 'pixel size in metres', type: 'number' },
  platform: { title: 'platform', type: 'string' },
  constellation: { title: 'constellation', type: 'string' },
  mission: { title: 'mission', type: 'string' },
  license: { title: 'license', type: 'string' },
  'proj:code': { title: 'CRS, e.g. EPSG:32633', type: 'string' },
  'eo:cloud_cover': { title: 'cloud cover in percent', type: 'number' },
  'lamplighter:container': { title: 'container of the file', type: 'string' },
  'lamplighter:blob': { title: 'name of the file', type: 'string' },
  'lamplighter:georeference': { title: 'affine, gcps, none, unsupported', type: 'string' },
  'lamplighter:datetime_source': { title: 'where the time comes from', type: 'string' },
  'lamplighter:job_id': { title: 'job that made it', type: 'string' },
  'lamplighter:output_tier': { title: 'tier of an output', type: 'string' },
  'lamplighter:compression': { title: 'compression of an output', type: 'string' },
}

/** A name of an extension: other catalogues' items have members that nobody here knows. Quotes are not in it. */
const OF_AN_EXTENSION = /^[a-z][a-z0-9_]{0,30}:[A-Za-z0-9_]{1,60}$/

/** The map for one filter: what is known, and the names of extensions that it asks for. */
export function queryablesFor(filter: Expression): ReadonlyMap<string, Queryable> {
  const asked = namesOf(filter).filter((name) => OF_AN_EXTENSION.test(name) && !Object.hasOwn(COLUMNS, name))
  return new Map([
    ...Object.entries(COLUMNS),
    ...[...new Set([...Object.keys(PROPERTIES), ...asked])].map((name): [string, Queryable] => [name, property(name)]),
  ])
}

/** Every property that a filter names, without `properties.`. */
function namesOf(node: unknown, found: string[] = []): string[] {
  if (typeof node !== 'object' || node === null) return found
  if ((node as { kind?: unknown }).kind === 'property') found.push(bareName((node as Property).name))
  else for (const part of Object.values(node)) namesOf(part, found)
  return found
}

/** A JSON Schema of the queryables (OGC API Features 3, 6.2). */
export function queryablesDocument(id: string, title: string): Record<string, unknown> {
  const time = (about: string) => ({ title: about, type: 'string', format: 'date-time' })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: id,
    title,
    type: 'object',
    properties: {
      id: { title: 'id of the item', type: 'string' },
      collection: { title: 'id of the collection', type: 'string' },
      geometry: { title: 'place', $ref: 'https://geojson.org/schema/Geometry.json' },
      datetime: time('time, or start of the interval'),
      start_datetime: time('start'),
      end_datetime: time('end'),
      created: time('first registration'),
      updated: time('last change'),
      'lamplighter:missing_since': time('since when the file was not found'),
      ...PROPERTIES,
    },
    additionalProperties: true,
  }
}
