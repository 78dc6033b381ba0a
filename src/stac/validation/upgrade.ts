// STAC 1.0 to 1.1: what the changelog of 1.1.0 renamed. Every value is kept; what does not fit the new shape stays under its old name.
import { STAC_EXTENSIONS, STAC_VERSION } from '../../models/stac.ts'
import { isObject, type JsonObject, objectsIn } from './json.ts'

const OLD = /^1\.0\.\d+$/

export const isOld = (document: JsonObject): boolean =>
  typeof document.stac_version === 'string' && OLD.test(document.stac_version)

const EXTENSIONS = 'https://stac-extensions.github.io/'
const RENAMED_EXTENSIONS: readonly (readonly [RegExp, string])[] = [
  [/^https:\/\/stac-extensions\.github\.io\/projection\/v1\.\d+\.\d+\/schema\.json$/, STAC_EXTENSIONS.projection],
  [/^https:\/\/stac-extensions\.github\.io\/raster\/v1\.\d+\.\d+\/schema\.json$/, STAC_EXTENSIONS.raster],
  [/^https:\/\/stac-extensions\.github\.io\/eo\/v1\.\d+\.\d+\/schema\.json$/, `${EXTENSIONS}eo/v2.0.0/schema.json`],
]

/** Members of `raster:bands[]` and `eo:bands[]` that got a prefix; the others are common metadata now. */
const RASTER_FIELDS = ['bits_per_sample', 'sampling', 'scale', 'offset', 'spatial_resolution', 'histogram']
const EO_FIELDS = ['common_name', 'center_wavelength', 'full_width_half_max', 'solar_illumination']

/** Changes a copy of a 1.0 document in place. */
export function upgrade(document: JsonObject): void {
  document.stac_version = STAC_VERSION
  if (Array.isArray(document.stac_extensions)) {
    const urls = document.stac_extensions.map(
      (url: unknown) => RENAMED_EXTENSIONS.find(([old]) => old.test(String(url)))?.[1] ?? url,
    )
    document.stac_extensions = [...new Set(urls)]
  }
  const groups = ['assets', 'item_assets'].flatMap((group) => objectsIn(document[group]).map(([, asset]) => asset))
  for (const asset of groups) {
    renameCode(asset)
    renameBands(asset)
  }
  const { properties, summaries } = document
  if (isObject(properties)) {
    renameCode(properties)
    // Bands of the properties are legal only beside bands of an asset; alone they stay what they are.
    if (groups.some((asset) => 'bands' in asset)) renameBands(properties)
  }
  if (isObject(summaries)) {
    renameCodes(summaries)
    renameBands(summaries)
  }
  if (document.type === 'Collection') renameBands(document)
}

const codeOf = (epsg: unknown): string | null | undefined =>
  epsg === null ? null : Number.isInteger(epsg) ? `EPSG:${epsg as number}` : undefined

function renameCode(holder: JsonObject): void {
  const code = codeOf(holder['proj:epsg'])
  if (code === undefined || 'proj:code' in holder) return
  holder['proj:code'] = code
  delete holder['proj:epsg']
}

function renameCodes(summaries: JsonObject): void {
  const codes = summaries['proj:epsg']
  if (!Array.isArray(codes) || 'proj:code' in summaries || codes.some((c) => codeOf(c) === undefined)) return
  summaries['proj:code'] = codes.map(codeOf)
  delete summaries['proj:epsg']
}

function renameBands(holder: JsonObject): void {
  const [raster, eo] = [holder['raster:bands'], holder['eo:bands']]
  const lists = [eo, raster].filter((list) => list !== undefined)
  if (lists.length === 0 || 'bands' in holder || !lists.every((list) => Array.isArray(list) && list.every(isObject))) return
  const [eoBands, rasterBands] = [(eo ?? []) as JsonObject[], (raster ?? []) as JsonObject[]]
  holder.bands = Array.from({ length: Math.max(eoBands.length, rasterBands.length) }, (_, i) =>
    Object.fromEntries([
      ...renamed(eoBands[i] ?? {}, EO_FIELDS, 'eo:'),
      ...renamed(rasterBands[i] ?? {}, RASTER_FIELDS, 'raster:'),
    ]),
  )
  delete holder['raster:bands']
  delete holder['eo:bands']
}

const renamed = (band: JsonObject, fields: readonly string[], prefix: string): [string, unknown][] =>
  Object.entries(band).map(([key, value]) => [fields.includes(key) ? prefix + key : key, value])
