// Error codes of the catalogue.
import { type ErrorFacts, facts } from './error-facts.ts'

export const STAC_ERROR_CODES = {
  COLLECTION_NOT_FOUND: facts(404, false, 'The catalogue has no collection of this id.', 'GET /api/stac/collections lists them.'),
  ITEM_NOT_FOUND: facts(404, false, 'The collection has no item of this id.', 'Search for it: GET /api/stac/search?ids=….'),
  ASSET_NOT_FOUND: facts(404, false, 'The item has no asset of this key.', 'Take a key of its assets.'),
  ASSET_GONE: facts(410, false, 'The file that the item describes is not there any more.', 'Catalogue the container again.'),
  NO_PREVIEW: facts(404, false, 'No picture can be made of this item.', 'Only rasters with overviews, or small ones, have one.'),
  ITEM_CHANGED: facts(409, false, 'The item was changed since it was read.', 'Read it again, then decide.'),
  COLLECTION_NOT_EMPTY: facts(409, false, 'The collection has items.', 'Delete its items first.'),
  STAC_ID_COLLISION: facts(
    409,
    false,
    'Two files would have one item id; nothing was written.',
    'Report it with both names; put one of them into another collection.',
    'LL020',
  ),
  STAC_INVALID: facts(
    500,
    false,
    'A described file would become an item that breaks STAC; nothing was written.',
    'Report it: the message names the place.',
  ),
  COLLECTION_OF_OTHER_KIND: facts(
    409,
    false,
    'The collection holds items of another origin: files of ours and documents of others are kept apart.',
    'Give another collection_id.',
  ),
  EXPORT_TOO_LARGE: facts(
    400,
    false,
    'A collection has more items than one collection.json can lead to.',
    'Name other collections, or split it by prefixes.',
  ),
  INVALID_SEARCH: facts(
    400,
    false,
    'A search parameter is out of its range; the message names it.',
    'Correct the named parameter.',
  ),
  INVALID_TOKEN: facts(400, false, 'The page token belongs to another search or is damaged.', 'Search again without token.'),
} as const satisfies Record<string, ErrorFacts>
