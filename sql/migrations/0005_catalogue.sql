-- The catalogue: collections and items of STAC, searched by place, time and properties without PostGIS.
CREATE TABLE app.stac_collections (
  collection_id text COLLATE "C" NOT NULL,
    CONSTRAINT stac_collections_collection_id_pattern CHECK (collection_id ~ '^[a-z0-9][a-z0-9_-]{0,127}$'),
  kind text NOT NULL,
    CONSTRAINT stac_collections_kind_enum CHECK (kind IN ('bronze', 'silver', 'foreign')),
  container text,
    CONSTRAINT stac_collections_container_min_length CHECK (char_length(container) >= 3),
    CONSTRAINT stac_collections_container_max_length CHECK (char_length(container) <= 63),
  prefix text NOT NULL DEFAULT '',
    CONSTRAINT stac_collections_prefix_max_length CHECK (char_length(prefix) <= 1024),
  content jsonb,
  west double precision,
  south double precision,
  east double precision,
  north double precision,
  start_at timestamptz,
  end_at timestamptz,
  version integer NOT NULL DEFAULT 1,
    CONSTRAINT stac_collections_version_min CHECK (version >= 1),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT stac_collections_pkey PRIMARY KEY (collection_id)
);
COMMENT ON TABLE app.stac_collections IS 'Collections of the catalogue: one per container or catalogued prefix.';
COMMENT ON COLUMN app.stac_collections.container IS 'whose files its items describe; null: of others';
COMMENT ON COLUMN app.stac_collections.prefix IS 'only names that begin with this';
COMMENT ON COLUMN app.stac_collections.content IS 'title, description, license, keywords, providers, summaries';
COMMENT ON COLUMN app.stac_collections.west IS 'of the extent; null: no item has a place';
COMMENT ON COLUMN app.stac_collections.created_at IS 'first registration';
COMMENT ON COLUMN app.stac_collections.updated_at IS 'last change';

CREATE TABLE app.stac_items (
  collection_id text COLLATE "C" NOT NULL,
    CONSTRAINT stac_items_collection_id_pattern CHECK (collection_id ~ '^[a-z0-9][a-z0-9_-]{0,127}$'),
  item_id text COLLATE "C" NOT NULL,
    CONSTRAINT stac_items_item_id_min_length CHECK (char_length(item_id) >= 1),
    CONSTRAINT stac_items_item_id_max_length CHECK (char_length(item_id) <= 256),
  kind text NOT NULL,
    CONSTRAINT stac_items_kind_enum CHECK (kind IN ('bronze', 'silver', 'foreign')),
  container text,
    CONSTRAINT stac_items_container_min_length CHECK (char_length(container) >= 3),
    CONSTRAINT stac_items_container_max_length CHECK (char_length(container) <= 63),
  name text NOT NULL,
    CONSTRAINT stac_items_name_min_length CHECK (char_length(name) >= 1),
    CONSTRAINT stac_items_name_max_length CHECK (char_length(name) <= 1024),
  blob text,
    CONSTRAINT stac_items_blob_min_length CHECK (char_length(blob) >= 1),
    CONSTRAINT stac_items_blob_max_length CHECK (char_length(blob) <= 1024),
  etag text,
    CONSTRAINT stac_items_etag_max_length CHECK (char_length(etag) <= 200),
  mode text NOT NULL,
    CONSTRAINT stac_items_mode_enum CHECK (mode IN ('quick', 'header', 'full')),
  xr numrange,
  yr numrange,
  west double precision,
  south double precision,
  east double precision,
  north double precision,
  crosses boolean NOT NULL DEFAULT false,
  is_box boolean NOT NULL DEFAULT false,
  start_at timestamptz NOT NULL,
  end_at timestamptz NOT NULL,
  sort_at timestamptz NOT NULL,
  source_collection text COLLATE "C",
    CONSTRAINT stac_items_source_collection_pattern CHECK (source_collection ~ '^[a-z0-9][a-z0-9_-]{0,127}$'),
  source_item text COLLATE "C",
    CONSTRAINT stac_items_source_item_min_length CHECK (char_length(source_item) >= 1),
    CONSTRAINT stac_items_source_item_max_length CHECK (char_length(source_item) <= 256),
  source_etag text,
    CONSTRAINT stac_items_source_etag_max_length CHECK (char_length(source_etag) <= 200),
  job_id text,
    CONSTRAINT stac_items_job_id_pattern CHECK (job_id ~ '^[0-9a-f]{64}$'),
  plan integer,
    CONSTRAINT stac_items_plan_min CHECK (plan >= 1),
  missing_since timestamptz,
  content jsonb,
  version integer NOT NULL DEFAULT 1,
    CONSTRAINT stac_items_version_min CHECK (version >= 1),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT stac_items_pkey PRIMARY KEY (collection_id, item_id),
  CONSTRAINT stac_items_place CHECK ((xr IS NULL) = (yr IS NULL) AND (xr IS NULL) = (west IS NULL)),
  CONSTRAINT stac_items_time CHECK (start_at <= end_at AND sort_at BETWEEN start_at AND end_at)
);
CREATE INDEX stac_items_place_index ON app.stac_items USING gist (xr, yr) INCLUDE (sort_at, collection_id, item_id, crosses, west, east);
COMMENT ON INDEX app.stac_items_place_index IS 'search by box, newest first, without reading the items that are not shown';
CREATE INDEX stac_items_time_index ON app.stac_items (sort_at DESC, collection_id, item_id);
COMMENT ON INDEX app.stac_items_time_index IS 'newest first, over all collections';
CREATE INDEX stac_items_collection ON app.stac_items (collection_id, sort_at DESC, item_id);
COMMENT ON INDEX app.stac_items_collection IS 'newest first of one collection';
CREATE INDEX stac_items_id ON app.stac_items (item_id);
COMMENT ON INDEX app.stac_items_id IS 'search by ids in all collections';
CREATE INDEX stac_items_interval ON app.stac_items (end_at, start_at) WHERE start_at < end_at;
COMMENT ON INDEX app.stac_items_interval IS 'items that last, which have no one time to be found by';
CREATE INDEX stac_items_source ON app.stac_items (source_collection, source_item) WHERE source_item IS NOT NULL;
COMMENT ON INDEX app.stac_items_source IS 'what was made from an item';
CREATE INDEX stac_items_missing ON app.stac_items (collection_id) WHERE missing_since IS NOT NULL;
COMMENT ON INDEX app.stac_items_missing IS 'files that are gone';
CREATE INDEX stac_items_properties ON app.stac_items USING gin ((content -> 'properties') jsonb_path_ops);
COMMENT ON INDEX app.stac_items_properties IS 'equality of any property';
COMMENT ON TABLE app.stac_items IS 'Items of the catalogue: one per described file. Found by place, time, id and properties.';
COMMENT ON COLUMN app.stac_items.name IS 'what the id is made of: the file, or the logical name of an output';
COMMENT ON COLUMN app.stac_items.blob IS 'where the bytes are now; null: elsewhere';
COMMENT ON COLUMN app.stac_items.etag IS 'of the described bytes';
COMMENT ON COLUMN app.stac_items.xr IS 'longitudes, widened by 1e-9 degrees; a cover where it crosses';
COMMENT ON COLUMN app.stac_items.yr IS 'latitudes, widened by 1e-9 degrees';
COMMENT ON COLUMN app.stac_items.east IS 'below west where it crosses the antimeridian';
COMMENT ON COLUMN app.stac_items.crosses IS 'the antimeridian';
COMMENT ON COLUMN app.stac_items.is_box IS 'its geometry is its box';
COMMENT ON COLUMN app.stac_items.sort_at IS 'datetime, or the start of the interval';
COMMENT ON COLUMN app.stac_items.source_collection IS 'of the item that this one was made from';
COMMENT ON COLUMN app.stac_items.source_etag IS 'of the source when it was read';
COMMENT ON COLUMN app.stac_items.job_id IS 'that wrote it last';
COMMENT ON COLUMN app.stac_items.plan IS 'attempt of the job';
COMMENT ON COLUMN app.stac_items.missing_since IS 'the file was not found by a complete listing';
COMMENT ON COLUMN app.stac_items.content IS 'the item without links; hrefs are blob:container/path or absolute';
COMMENT ON COLUMN app.stac_items.created_at IS 'first registration';
COMMENT ON COLUMN app.stac_items.updated_at IS 'last change';
