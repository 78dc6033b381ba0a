// Assets: where they are, what they are.
import { type JsonObject, objectsIn, shown } from './json.ts'
import type { Findings, Path } from './findings.ts'
import type { Rule } from './subject.ts'

const SCHEME = /^([a-z][a-z0-9+.-]*):/i

/** What an ending says for certain; `.tif` is no more than a TIFF. */
const TYPES = new Map([
  ['tif', 'image/tiff'],
  ['tiff', 'image/tiff'],
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['jp2', 'image/jp2'],
  ['webp', 'image/webp'],
  ['json', 'application/json'],
  ['geojson', 'application/geo+json'],
  ['xml', 'application/xml'],
  ['html', 'text/html'],
  ['txt', 'text/plain'],
  ['csv', 'text/csv'],
  ['pdf', 'application/pdf'],
  ['zip', 'application/zip'],
  ['gpkg', 'application/geopackage+sqlite3'],
  ['nc', 'application/netcdf'],
  ['parquet', 'application/vnd.apache.parquet'],
])

export const assetsRule: Rule = ({ document, kind }, findings) => {
  const assets = objectsIn(document.assets)
  for (const [key, asset] of assets) {
    place(asset, ['assets', key], findings)
    if (asset.type === undefined) missingType(asset, ['assets', key], findings)
  }
  if (kind !== 'Item' || assets.length === 0) return
  if (!assets.some(([, { roles }]) => Array.isArray(roles) && roles.includes('data')))
    findings.semantic('ASSET_WITHOUT_DATA_ROLE', ['assets'], 'no asset has the role data')
}

function place({ href }: JsonObject, at: Path, findings: Findings): void {
  if (typeof href !== 'string') return
  if (href.trim() === '') findings.semantic('ASSET_HREF_EMPTY', [...at, 'href'], 'an asset needs a place')
  const scheme = SCHEME.exec(href)?.[1]?.toLowerCase()
  if (scheme && scheme !== 'http' && scheme !== 'https')
    findings.semantic('ASSET_HREF_SCHEME', [...at, 'href'], `${shown(`${scheme}:`)} is neither http, https nor relative`)
}

function missingType(asset: JsonObject, at: Path, findings: Findings): void {
  const ending = typeof asset.href === 'string' ? /\.([a-z0-9]{1,8})(?:[?#]|$)/i.exec(asset.href.slice(-2048))?.[1] : undefined
  const type = TYPES.get(ending?.toLowerCase() ?? '')
  const fix = (): string => {
    asset.type = type
    return `${type}, by the ending of the href`
  }
  findings.semantic('ASSET_TYPE_MISSING', [...at, 'type'], 'no media type', { fix: type ? fix : undefined })
}
