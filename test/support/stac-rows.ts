// One altered copy of an example for every semantic code: what shows it, where, and whether it can be repaired.
import type { SemanticCode } from '../../src/stac/validation/codes.ts'
import type { Loose } from './stac.ts'

export interface Row {
  readonly code: SemanticCode
  readonly path: string
  readonly from?: 'item' | 'collection' | 'catalog' | 'item-1-0'
  readonly alter: (document: Loose) => void
  /** The document itself says what is right. */
  readonly isRepaired?: boolean
}

export const ring = (document: Loose): number[][] => document.geometry.coordinates[0]
export const box = (w: number, s: number, e: number, n: number): number[][][] => [
  [
    [w, s],
    [e, s],
    [e, n],
    [w, n],
    [w, s],
  ],
]
export const crossing = { type: 'MultiPolygon', coordinates: [box(178, 10, 180, 12), box(-180, 10, -177, 12)] }
const place = (document: Loose, geometry: object, bbox: number[]): void =>
  Object.assign(document, structuredClone({ geometry, bbox }))
export const RING = '/geometry/coordinates/0'
const MD5 = `d50110${'ab'.repeat(16)}`

export const rows: Row[] = [
  { code: 'RING_NOT_CLOSED', path: RING, isRepaired: true, alter: (d) => ring(d).pop() },
  { code: 'RING_NOT_CLOSED', path: RING, isRepaired: true, alter: (d) => ring(d).splice(3) },
  { code: 'RING_TOO_SHORT', path: RING, alter: (d) => ring(d).splice(2) },
  { code: 'RING_TOO_SHORT', path: RING, alter: (d) => ring(d).splice(2, 2) },
  { code: 'RING_ORIENTATION', path: RING, isRepaired: true, alter: (d) => ring(d).reverse() },
  {
    code: 'RING_ORIENTATION',
    path: '/geometry/coordinates/1',
    isRepaired: true,
    alter: (d) => d.geometry.coordinates.push(box(10.05, 46.92, 10.1, 46.95)[0]),
  },
  {
    code: 'RING_SELF_INTERSECTION',
    path: RING,
    alter: (d) =>
      place(
        d,
        {
          type: 'Polygon',
          coordinates: [
            [
              [10, 46.9],
              [10.2, 47],
              [10.2, 46.9],
              [10, 46.98],
              [10, 46.9],
            ],
          ],
        },
        d.bbox,
      ),
  },
  { code: 'COORDINATE_RANGE', path: `${RING}/2`, alter: (d) => (ring(d)[2] = [10.2, 95]) },
  {
    code: 'COORDINATE_RANGE',
    path: '/geometry/coordinates',
    alter: (d) => place(d, { type: 'Point', coordinates: [181, 0] }, [181, 0, 181, 0]),
  },
  {
    code: 'GEOMETRY_UNSPLIT',
    path: `${RING}/0`,
    alter: (d) => place(d, { type: 'Polygon', coordinates: box(179, 46.9, -179, 47) }, [179, 46.9, -179, 47]),
  },
  { code: 'BBOX_ORDER', path: '/bbox', isRepaired: true, alter: (d) => (d.bbox = [10, 47, 10.2, 46.9]) },
  { code: 'BBOX_ORDER', path: '/bbox', isRepaired: true, alter: (d) => (d.bbox = [10.2, 46.9, 10, 47]) },
  { code: 'BBOX_ORDER', path: '/bbox', isRepaired: true, alter: (d) => (d.bbox = [10, 46.9, 90, 10.2, 47, 5]) },
  { code: 'BBOX_RANGE', path: '/bbox', alter: (d) => (d.bbox = [-190, 46.9, 10.2, 47]) },
  { code: 'BBOX_ANTIMERIDIAN', path: '/bbox', isRepaired: true, alter: (d) => place(d, crossing, [-180, 10, 180, 12]) },
  { code: 'BBOX_MISMATCH', path: '/bbox', isRepaired: true, alter: (d) => (d.bbox = [10, 46.9, 10.1, 47]) },
  { code: 'BBOX_MISMATCH', path: '/bbox', isRepaired: true, alter: (d) => place(d, crossing, [179, 10, -177, 12]) },
  { code: 'BBOX_WITHOUT_GEOMETRY', path: '/bbox', isRepaired: true, alter: (d) => (d.geometry = null) },
  {
    code: 'DATETIME_ORDER',
    path: '/properties/start_datetime',
    alter: (d) =>
      Object.assign(d.properties, {
        datetime: null,
        start_datetime: '2024-02-01T00:00:00Z',
        end_datetime: '2024-01-01T00:00:00Z',
      }),
  },
  {
    code: 'DATETIME_OUTSIDE_INTERVAL',
    path: '/properties/datetime',
    alter: (d) => Object.assign(d.properties, { start_datetime: '2024-01-01T00:00:00Z', end_datetime: '2024-02-01T00:00:00Z' }),
  },
  { code: 'DATETIME_MISSING', path: '/properties/datetime', isRepaired: true, alter: (d) => delete d.properties.datetime },
  {
    code: 'DATETIME_MISSING',
    path: '/properties/datetime',
    isRepaired: true,
    alter: (d) => {
      delete d.properties.datetime
      Object.assign(d.properties, { start_datetime: '2024-01-01T00:00:00Z', end_datetime: '2024-02-01T00:00:00Z' })
    },
  },
  {
    code: 'DATETIME_FORMAT',
    path: '/properties/datetime',
    isRepaired: true,
    alter: (d) => (d.properties.datetime = '2024-05-01t10:00:00z'),
  },
  {
    code: 'DATETIME_FORMAT',
    path: '/properties/updated',
    isRepaired: true,
    alter: (d) => (d.properties.updated = '2024-05-01T10:00:00+02:00'),
  },
  { code: 'DATETIME_FORMAT', path: '/properties/created', alter: (d) => (d.properties.created = '2024-05-01') },
  {
    code: 'DATETIME_FORMAT',
    path: '/extent/temporal/interval/0/0',
    from: 'collection',
    isRepaired: true,
    alter: (d) => (d.extent.temporal.interval[0][0] = '2024-01-01T01:00:00+01:00'),
  },
  { code: 'DATETIME_FUTURE', path: '/properties/datetime', alter: (d) => (d.properties.datetime = '2999-01-01T00:00:00Z') },
  { code: 'ID_CHARACTERS', path: '/id', alter: (d) => (d.id = 'a/b c') },
  { code: 'COLLECTION_LINK', path: '/links', isRepaired: true, alter: (d) => d.links.pop() },
  { code: 'COLLECTION_LINK', path: '/collection', isRepaired: true, alter: (d) => delete d.collection },
  { code: 'LINK_SELF_RELATIVE', path: '/links/0/href', alter: (d) => (d.links[0].href = './item.json') },
  { code: 'LINK_MISSING', path: '/links', alter: (d) => d.links.splice(1, 1) },
  { code: 'LINK_DUPLICATE', path: '/links/4', isRepaired: true, alter: (d) => d.links.push({ ...d.links[1] }) },
  { code: 'ASSET_HREF_EMPTY', path: '/assets/data/href', alter: (d) => (d.assets.data.href = '') },
  { code: 'ASSET_HREF_SCHEME', path: '/assets/data/href', alter: (d) => (d.assets.data.href = 's3://bucket/dem.tif') },
  {
    code: 'ASSET_HREF_SECRET',
    path: '/assets/data/href',
    isRepaired: true,
    alter: (d) => (d.assets.data.href = 'https://a.example.org/c/dem.tif?sv=2024&sig=abc%2Bd&se=1'),
  },
  {
    code: 'ASSET_HREF_SECRET',
    path: '/properties/note~1~0/0',
    isRepaired: true,
    alter: (d) => (d.properties['note/~'] = ['AccountKey=abc==;x=1']),
  },
  { code: 'ASSET_TYPE_MISSING', path: '/assets/thumbnail/type', isRepaired: true, alter: (d) => delete d.assets.thumbnail.type },
  { code: 'ASSET_TYPE_MISSING', path: '/assets/data/type', alter: (d) => delete d.assets.data.type },
  { code: 'ASSET_WITHOUT_DATA_ROLE', path: '/assets', alter: (d) => (d.assets.data.roles = ['visual']) },
  {
    code: 'PROJ_SHAPE_TRANSFORM_BBOX',
    path: '/assets/data/proj:bbox',
    isRepaired: true,
    alter: (d) => (d.assets.data['proj:bbox'] = [10, 46.898, 10.2, 47]),
  },
  {
    code: 'PROJ_SINGULAR',
    path: '/assets/data/proj:transform',
    alter: (d) => (d.assets.data['proj:transform'] = [0, 0, 10, 0, 0, 47]),
  },
  { code: 'PROJ_CODE', path: '/properties/proj:code', alter: (d) => (d.properties['proj:code'] = '4326') },
  {
    code: 'PROJ_FOOTPRINT',
    path: '/geometry',
    alter: (d) => place(d, { type: 'Polygon', coordinates: box(10, 46.9, 10.3, 47) }, [10, 46.9, 10.3, 47]),
  },
  { code: 'BANDS_EMPTY', path: '/assets/thumbnail/bands', isRepaired: true, alter: (d) => (d.assets.thumbnail.bands = []) },
  {
    code: 'STATISTICS_ORDER',
    path: '/assets/data/bands/0/statistics',
    alter: (d) => (d.assets.data.bands[0].statistics.minimum = 5000),
  },
  {
    code: 'STATISTICS_ORDER',
    path: '/assets/data/bands/0/statistics',
    alter: (d) => (d.assets.data.bands[0].statistics.mean = 1),
  },
  {
    code: 'STATISTICS_ORDER',
    path: '/assets/data/bands/0/statistics',
    alter: (d) => (d.assets.data.bands[0].statistics.stddev = -1),
  },
  {
    code: 'CHECKSUM_FORMAT',
    path: '/assets/data/file:checksum',
    alter: (d) => (d.assets.data['file:checksum'] = MD5.toUpperCase()),
  },
  {
    code: 'CHECKSUM_FORMAT',
    path: '/assets/data/file:checksum',
    alter: (d) => (d.assets.data['file:checksum'] = MD5.slice(0, -2)),
  },
  { code: 'EXTENSION_UNDECLARED', path: '/properties/proj:code', isRepaired: true, alter: (d) => d.stac_extensions.shift() },
  {
    code: 'EXTENSION_UNUSED',
    path: '/stac_extensions/1',
    from: 'collection',
    isRepaired: true,
    alter: (d) => d.stac_extensions.push('https://stac-extensions.github.io/raster/v2.0.0/schema.json'),
  },
  {
    code: 'EXTENSION_UNUSED',
    path: '/stac_extensions/3',
    alter: (d) => d.stac_extensions.push('https://stac-extensions.github.io/processing/v1.2.0/schema.json'),
  },
  {
    code: 'EXTENSION_UNKNOWN',
    path: '/stac_extensions/3',
    alter: (d) => d.stac_extensions.push('http://169.254.169.254/schema.json'),
  },
  { code: 'STAC_VERSION_OLD', path: '/stac_version', from: 'item-1-0', isRepaired: true, alter: () => {} },
  { code: 'STAC_VERSION_UNKNOWN', path: '/stac_version', alter: (d) => (d.stac_version = '0.9.0') },
  {
    code: 'EXTENT_ORDER',
    path: '/extent/spatial/bbox/0',
    from: 'collection',
    isRepaired: true,
    alter: (d) => (d.extent.spatial.bbox[0] = [10, 48, 12, 46]),
  },
  {
    code: 'EXTENT_ORDER',
    path: '/extent/temporal/interval/0',
    from: 'collection',
    isRepaired: true,
    alter: (d) => (d.extent.temporal.interval[0] = ['2024-02-01T00:00:00Z', '2024-01-01T00:00:00Z']),
  },
  {
    code: 'EXTENT_NOT_COVERING',
    path: '/extent/spatial/bbox/2',
    from: 'collection',
    alter: (d) => d.extent.spatial.bbox.push([10, 46, 11, 47], [10, 46, 13, 47]),
  },
  {
    code: 'EXTENT_NOT_COVERING',
    path: '/extent/temporal/interval/1',
    from: 'collection',
    alter: (d) => d.extent.temporal.interval.push([null, '2024-02-01T00:00:00Z']),
  },
  {
    code: 'LICENSE_DEPRECATED',
    path: '/license',
    from: 'collection',
    isRepaired: true,
    alter: (d) => (d.license = 'proprietary'),
  },
  { code: 'DESCRIPTION_EMPTY', path: '/description', from: 'catalog', alter: (d) => (d.description = ' ') },
  { code: 'UNKNOWN_DOCUMENT_TYPE', path: '/type', alter: (d) => (d.type = 'Thing') },
]
