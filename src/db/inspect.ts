// What the server, the connection and the schema are like: for health and doctor. Reads only, and what any role may read.
import type { Database } from './pool.ts'

export interface ServerFacts {
  /** As the server says it, e.g. `17.5`. */
  readonly version: string
  /** 170005 for 17.5. */
  readonly version_num: number
  readonly role: string
  readonly database: string
  readonly is_superuser: boolean
  /** May it make and drop tables in the schema? The role of the app should not. */
  readonly has_ddl: boolean
  /** Port of the server itself; null over a socket. Another one than that which was dialled: a pooler stands between. */
  readonly port: number | null
  /** Of the connection to the server, which behind a pooler is the pooler's. */
  readonly is_tls: boolean
  /** What ordinary roles may open. */
  readonly max_connections: number
  /** Of all clients, now. */
  readonly connections: number
  readonly bytes: number
  readonly now: Date
}

export async function readServerFacts(db: Database): Promise<ServerFacts> {
  const rows = await db.query<ServerFacts>(`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS version_num,
      current_user AS role, current_database() AS database,
      (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
      coalesce(has_schema_privilege(to_regnamespace('app'), 'CREATE'), false) AS has_ddl, inet_server_port() AS port,
      coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS is_tls,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS max_connections,
      (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
      pg_database_size(current_database())::float8 AS bytes, clock_timestamp() AS now`)
  return rows[0] as ServerFacts
}

/** Names of the migrations that were applied, in order; none where there is no schema. */
export async function readMigrations(db: Database): Promise<string[]> {
  const [found] = await db.query<{ there: boolean }>(`SELECT to_regclass('app.migrations') IS NOT NULL AS there`)
  if (!found?.there) return []
  return (await db.query<{ name: string }>('SELECT name FROM app.migrations ORDER BY id')).map((m) => m.name)
}

export interface Signature {
  /** With the prefix `p_`, in order, to their SQL types. */
  readonly args: Readonly<Record<string, string>>
  /** Result columns; a function that answers with one value has one column of its own name. */
  readonly returns: Readonly<Record<string, string>>
}

/** Signatures of every routine of the schema, by name. */
export async function readSignatures(db: Database): Promise<Map<string, Signature>> {
  const rows = await db.query<{ routine: string; mode: string; name: string | null; type: string }>(`
    SELECT p.proname AS routine, coalesce(m.mode::text, 'i') AS mode, m.name, format_type(m.type, NULL) AS type
    FROM pg_proc p, unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes, p.proargnames)
      WITH ORDINALITY AS m(type, mode, name, at) WHERE p.pronamespace = to_regnamespace('app')
    UNION ALL SELECT p.proname, 't', p.proname, format_type(p.prorettype, NULL) FROM pg_proc p
    WHERE p.pronamespace = to_regnamespace('app') AND p.proallargtypes IS NULL`)
  const found = new Map<string, { args: Record<string, string>; returns: Record<string, string> }>()
  for (const { routine, mode, name, type } of rows) {
    const signature = found.get(routine) ?? { args: {}, returns: {} }
    found.set(routine, signature)
    signature[mode === 'i' ? 'args' : 'returns'][name ?? ''] = type
  }
  return found
}
