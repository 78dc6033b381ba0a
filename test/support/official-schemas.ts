// The official JSON schemas of STAC, which are no part of this repository: ORACLES names a folder that holds stac-schemas/.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { STAC_EXTENSIONS } from '../../src/models/stac.ts'

const folder = join(process.env.ORACLES ?? '', 'stac-schemas')
export const hasOfficial = process.env.ORACLES !== undefined && existsSync(folder)
if (!hasOfficial) console.log('skipped: the official STAC schemas. Set ORACLES to a folder that holds stac-schemas/.')

const SPEC = 'https://schemas.stacspec.org/v1.1.0'
const COMMON = ['bands', 'basics', 'common', 'data-values', 'datetime', 'instrument', 'item', 'licensing', 'provider']
const FILES: Record<string, string> = {
  ...Object.fromEntries(COMMON.map((name) => [`${SPEC}/item-spec/json-schema/${name}.json`, `v1.1.0/${name}.json`])),
  [`${SPEC}/collection-spec/json-schema/collection.json`]: 'v1.1.0/collection.json',
  [`${SPEC}/catalog-spec/json-schema/catalog.json`]: 'v1.1.0/catalog.json',
  'https://geojson.org/schema/Feature.json': 'geojson/Feature.json',
  'https://geojson.org/schema/Geometry.json': 'geojson/Geometry.json',
  'https://proj.org/schemas/v0.7/projjson.schema.json': 'extensions/projjson.v0.7.json',
  [STAC_EXTENSIONS.projection]: 'extensions/projection.json',
  [STAC_EXTENSIONS.raster]: 'extensions/raster.json',
  [STAC_EXTENSIONS.file]: 'extensions/file.json',
}

/** Keyed by the URL they are referred to by: `$id` of common.json is broken, those of raster and file end with `#`. */
export function compileOfficial(): (url: string) => ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: false })
  formats.default(ajv)
  ajv.addFormat('iri', (text) => URL.canParse(text) && !/[\s<>"{}|\\^`]/.test(text))
  ajv.addFormat('iri-reference', (text) => !/[\s<>"{}|\\^`]/.test(text))
  for (const [url, file] of Object.entries(FILES)) {
    const schema = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    delete schema.$id
    ajv.addSchema(schema, url)
  }
  return (url) => ajv.getSchema(url) as ValidateFunction
}

const KIND: Readonly<Record<string, string>> = { Feature: 'item', Collection: 'collection', Catalog: 'catalog' }

/** Why the official schemas refuse a document: its own kind's and those of the extensions that it names. */
export function officialJudge(): (document: { readonly type: string; readonly stac_extensions?: readonly string[] }) => string[] {
  const schemaOf = compileOfficial()
  return (document) => {
    const kind = KIND[document.type] ?? ''
    const own = kind === 'item' ? `${SPEC}/item-spec/json-schema/item.json` : `${SPEC}/${kind}-spec/json-schema/${kind}.json`
    return [own, ...(document.stac_extensions ?? []).filter((url) => url in FILES)].flatMap((url) => {
      const judge = schemaOf(url)
      return judge(document) ? [] : (judge.errors ?? []).map((e) => `${url} ${e.instancePath} ${e.message}`)
    })
  }
}
