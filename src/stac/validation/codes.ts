// Every semantic code: an issue makes a document invalid, a warning does not; what can be repaired without inventing facts.

export interface CodeFacts {
  readonly severity: 'issue' | 'warning'
  /** Where the document itself says what is right; elsewhere it stays a finding. */
  readonly repairable: boolean
  readonly title: string
}

const issue = (title: string): CodeFacts => ({ severity: 'issue', repairable: false, title })
const repairableIssue = (title: string): CodeFacts => ({ severity: 'issue', repairable: true, title })
const warning = (title: string): CodeFacts => ({ severity: 'warning', repairable: false, title })
const repairableWarning = (title: string): CodeFacts => ({ severity: 'warning', repairable: true, title })

export const SEMANTIC_CODES = {
  UNKNOWN_DOCUMENT_TYPE: issue('neither Catalog, Collection, Feature nor FeatureCollection'),
  TOO_DEEP: issue('nested deeper than anything in STAC'),
  TOO_LARGE: issue('more values, or longer names, than are judged'),
  TOO_MANY_ITEMS: issue('more features than are judged at once'),
  MORE_ISSUES: issue('further issues are left out'),
  MORE_WARNINGS: warning('further warnings are left out'),

  RING_NOT_CLOSED: repairableIssue('first and last position of a ring differ'),
  RING_TOO_SHORT: issue('a ring of fewer than 4 positions'),
  RING_ORIENTATION: repairableWarning('exterior not counter-clockwise, or hole not clockwise (RFC 7946, 3.1.6)'),
  RING_SELF_INTERSECTION: warning('a ring crosses or touches itself'),
  RING_UNCHECKED: warning('a ring too intricate to look for crossings to the end'),
  COORDINATE_RANGE: issue('longitude beyond 180 or latitude beyond 90 degrees'),
  GEOMETRY_UNSPLIT: warning('an edge over 180 degrees of longitude: not cut at the antimeridian (RFC 7946, 3.1.9)'),

  BBOX_ORDER: repairableIssue('south above north, low above high, or west beyond east without crossing the antimeridian'),
  BBOX_RANGE: issue('box beyond 180 or 90 degrees'),
  BBOX_ANTIMERIDIAN: repairableIssue('geometry is cut at the antimeridian, its box goes round the world'),
  BBOX_MISMATCH: repairableIssue('geometry lies outside of its box'),
  BBOX_WITHOUT_GEOMETRY: repairableIssue('box beside a null geometry'),

  DATETIME_ORDER: issue('start after end'),
  DATETIME_OUTSIDE_INTERVAL: warning('datetime outside of start and end'),
  DATETIME_MISSING: repairableIssue('neither datetime nor both ends of an interval'),
  DATETIME_FORMAT: repairableIssue('no RFC 3339 time in UTC with Z or +00:00'),
  DATETIME_FUTURE: warning('a time that is yet to come'),

  ID_CHARACTERS: warning('an id that URLs must escape'),
  COLLECTION_LINK: repairableIssue('collection without a link to it, or the reverse'),
  LINK_SELF_RELATIVE: issue('self is no absolute URL'),
  LINK_MISSING: warning('a link that readers rely on is missing'),
  LINK_DUPLICATE: repairableWarning('the same link twice'),

  ASSET_HREF_EMPTY: issue('an asset without place'),
  ASSET_HREF_SCHEME: issue('neither http, https nor relative'),
  ASSET_HREF_SECRET: repairableIssue('a signature, key or user-info in a text'),
  ASSET_TYPE_MISSING: repairableWarning('an asset without media type'),
  ASSET_WITHOUT_DATA_ROLE: warning('no asset has the role data'),

  PROJ_SHAPE_TRANSFORM_BBOX: repairableIssue('proj:bbox is not what shape and transform say'),
  PROJ_SINGULAR: issue('a transform that cannot be inverted'),
  PROJ_CODE: warning('no authority:code'),
  PROJ_FOOTPRINT: warning('geometry differs from the outline of the raster by more than 1 %'),
  BANDS_EMPTY: repairableWarning('an empty list of bands'),
  STATISTICS_ORDER: issue('statistics that contradict one another'),
  CHECKSUM_FORMAT: issue('no multihash in lower-case hex'),

  EXTENSION_UNDECLARED: repairableWarning('fields of an extension that is not declared'),
  EXTENSION_UNUSED: repairableWarning('a declared extension without a field (an issue for raster)'),
  EXTENSION_UNKNOWN: warning('an extension that is not known here; nothing is fetched'),
  STAC_VERSION_OLD: repairableWarning('STAC 1.0: judged as the upgraded document'),
  STAC_VERSION_UNKNOWN: issue('neither STAC 1.1.0 nor 1.0'),

  EXTENT_ORDER: repairableIssue('an extent with reversed ends'),
  EXTENT_NOT_COVERING: warning('the first extent does not cover the others'),
  LICENSE_DEPRECATED: repairableWarning('a word that STAC 1.1 gave up for other'),
  DESCRIPTION_EMPTY: issue('an empty description'),
} as const satisfies Record<string, CodeFacts>
export type SemanticCode = keyof typeof SEMANTIC_CODES
