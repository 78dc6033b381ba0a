// What the catalogue claims; each only while its tests pass.
const STAC = 'https://api.stacspec.org/v1.0.0'
const FEATURES = 'http://www.opengis.net/spec/ogcapi-features-1/1.0/conf'
const FILTER = 'http://www.opengis.net/spec/ogcapi-features-3/1.0/conf'
const CQL2 = 'http://www.opengis.net/spec/cql2/1.0/conf'

export const CONFORMANCE: readonly string[] = [
  ...['core', 'collections', 'ogcapi-features', 'item-search'].map((name) => `${STAC}/${name}`),
  ...['core', 'geojson', 'oas30'].map((name) => `${FEATURES}/${name}`),
  ...['sort', 'fields'].flatMap((name) => [`${STAC}/item-search#${name}`, `${STAC}/ogcapi-features#${name}`]),
  `${STAC}/item-search#filter`,
  ...['filter', 'features-filter'].map((name) => `${FILTER}/${name}`),
  ...['basic-cql2', 'cql2-text', 'cql2-json'].map((name) => `${CQL2}/${name}`),
]
