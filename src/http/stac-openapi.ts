// The catalogue as OpenAPI 3.0: what OGC API Features asks of a service-desc.

const text = { type: 'string' } as const
const query = (name: string, description: string, schema: object = text) => ({ name, in: 'query', description, schema })

const PARAMETERS = {
  limit: query('limit', 'items of a page', { type: 'integer', minimum: 1, maximum: 1000, default: 10 }),
  bbox: {
    ...query('bbox', 'west,south,east,north; west > east crosses the antimeridian', {
      type: 'array',
      items: { type: 'number' },
      minItems: 4,
      maxItems: 6,
    }),
    style: 'form',
    explode: false,
  },
  datetime: query('datetime', 'RFC 3339 time, or interval start/end with .. for an open end'),
  ids: query('ids', 'ids with commas between'),
  collections: query('collections', 'ids of collections with commas between'),
  intersects: query('intersects', 'GeoJSON geometry'),
  filter: query('filter', 'CQL2'),
  filterLang: query('filter-lang', 'language of filter', {
    type: 'string',
    enum: ['cql2-text', 'cql2-json'],
    default: 'cql2-text',
  }),
  sortby: query('sortby', 'fields with commas between, - before descending ones'),
  fields: query('fields', 'members to send, - before those to leave out'),
  token: query('token', 'where the page before ended'),
} as const

const OF_ITEMS = ['limit', 'bbox', 'datetime', 'ids', 'filter', 'filterLang', 'sortby', 'fields', 'token'] as const
const refs = (names: readonly string[]) => names.map((name) => ({ $ref: `#/components/parameters/${name}` }))
const path = (name: string) => ({ name, in: 'path', required: true, schema: text })

const answers = (type: string, description: string) => ({
  '200': { description, content: { [type]: { schema: { type: 'object' } } } },
  default: { description: 'a problem (RFC 9457)', content: { 'application/problem+json': { schema: { type: 'object' } } } },
})
const get = (operationId: string, summary: string, type: string, parameters: readonly object[] = []) => ({
  get: { operationId, summary, tags: ['STAC'], parameters, responses: answers(type, summary) },
})

const JSON_TYPE = 'application/json'
const GEOJSON = 'application/geo+json'
const SCHEMA = 'application/schema+json'

/** @param server address of the catalogue */
export function stacOpenApi(server: string): Record<string, unknown> {
  const [collection, item] = [path('collectionId'), path('itemId')]
  const search = get('getStacSearch', 'search', GEOJSON, refs([...OF_ITEMS, 'collections', 'intersects']))
  return {
    openapi: '3.0.3',
    info: { title: 'Lamplighter catalogue', version: '1.0.0', description: 'STAC API 1.0.0 over OGC API Features 1.0' },
    servers: [{ url: server }],
    paths: {
      '/': get('getStacLanding', 'landing page', JSON_TYPE),
      '/conformance': get('getStacConformance', 'what it conforms to', JSON_TYPE),
      '/queryables': get('getStacQueryables', 'what filters can ask', SCHEMA),
      '/sortables': get('getStacSortables', 'what items can be sorted by', SCHEMA),
      '/collections': get('getStacCollections', 'collections', JSON_TYPE, refs(['limit', 'token'])),
      '/collections/{collectionId}': get('getStacCollection', 'one collection', JSON_TYPE, [collection]),
      '/collections/{collectionId}/queryables': get('getStacCollectionQueryables', 'what filters can ask', SCHEMA, [collection]),
      '/collections/{collectionId}/items': get('getStacItems', 'items of a collection', GEOJSON, [collection, ...refs(OF_ITEMS)]),
      '/collections/{collectionId}/items/{itemId}': get('getStacItem', 'one item', GEOJSON, [collection, item]),
      '/search': {
        ...search,
        post: {
          operationId: 'postStacSearch',
          summary: 'search',
          tags: ['STAC'],
          requestBody: { content: { [JSON_TYPE]: { schema: { type: 'object' } } } },
          responses: answers(GEOJSON, 'search'),
        },
      },
    },
    components: { parameters: PARAMETERS },
  }
}
