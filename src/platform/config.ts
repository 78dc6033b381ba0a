// Every setting of the app, read once. All missing or wrong names are reported together.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import { settingConflicts } from './setting-conflicts.ts'

const containers = z.string().transform((text) =>
  text
    .split(',')
    .map((n) => n.trim())
    .filter(Boolean),
)

const azureId = z
  .string()
  .regex(/^\/subscriptions\/[\w-]+(\/[\w.()-]+)+$/, 'is no resource id: it begins with /subscriptions/')
  .optional()

export const Config = z.object({
  ENVIRONMENT: z
    .enum(['development', 'production'])
    .default('development')
    .describe('`production` refuses passwords and account keys in settings, and rebuilding the schema'),
  DATABASE_URL: z.string().optional().describe('Postgres connection URL of the application role; or PGHOST and its neighbours'),
  PGHOST: z
    .string()
    .optional()
    .describe('Postgres server, reached with a token of the identity as password and TLS that is verified'),
  PGPORT: z.coerce.number().int().min(1).max(65_535).default(5432).describe('port of PGHOST; 6432 is the pooler of Azure'),
  PGDATABASE: z.string().default('lamplighter').describe('database on PGHOST'),
  PGUSER: z.string().optional().describe('role on PGHOST: the name of the identity'),
  AZURE_CLIENT_ID: z.string().optional().describe('client id of the identity that runs the app, where the machine has several'),
  MIGRATE_CLIENT_ID: z
    .string()
    .optional()
    .describe('client id of the identity that owns the schema; needed to migrate from inside'),
  MIGRATE_PGUSER: z
    .string()
    .optional()
    .describe('role that migrates on PGHOST: the name of the identity of MIGRATE_CLIENT_ID; default PGUSER'),
  KEY_VAULT_URL: z.url().optional().describe('vault that secrets are read from, e.g. https://NAME.vault.azure.net'),
  SECRETS_SOURCE: z.enum(['env', 'keyvault']).default('env').describe('where secrets of third parties come from'),
  PG_POOL_MAX: z.coerce.number().int().min(1).max(500).default(20).describe('connections of one process'),
  DATA_STORAGE: z.string().optional().describe('connection string of the data account (laptop); default AzureWebJobsStorage'),
  DATA_STORAGE_URL: z.url().optional().describe('blob endpoint of the data account, reached with the identity'),
  AzureWebJobsStorage: z.string().optional().describe('storage of the Functions host; fallback for the data account'),
  BRONZE_CONTAINER: z.string().default('bronze').describe('raw input, read-only'),
  SILVER_CONTAINER: z.string().default('silver').describe('converted output'),
  GOLD_CONTAINER: z.string().default('gold').describe('published output'),
  ALLOWED_CONTAINERS: containers
    .optional()
    .describe('comma list of containers that may be named from outside; default the three tiers'),
  AUTH_MODE: z
    .enum(['key', 'easyauth', 'jwt'])
    .default('key')
    .describe(
      'who checks callers: the host by its keys (each counts as operator), App Service authentication with roles, or the app by tokens',
    ),
  JWT_ISSUER: z
    .url()
    .optional()
    .describe('issuer of the tokens of AUTH_MODE jwt, e.g. https://login.microsoftonline.com/TENANT/v2.0'),
  JWT_AUDIENCE: z.string().optional().describe('audience that tokens must be meant for, e.g. api://APP'),
  JWT_JWKS_URL: z.url().optional().describe('keys of the issuer; default: what its OpenID configuration names'),
  WEBSITE_AUTH_ENABLED: z
    .string()
    .optional()
    .describe('set by the platform; without True the header of App Service authentication is not trusted'),
  BREAKER_FAILURES: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('failures in a row after which a dependency counts as down'),
  BREAKER_COOLDOWN_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .describe('how long tasks of a dependency that is down wait before one of them probes it'),
  MAX_JOBS_PER_CALLER: z.coerce
    .number()
    .int()
    .min(1)
    .default(100)
    .describe('jobs of one caller that have not ended; more are refused with 429 (all holders of keys are one caller)'),
  MAX_TASKS_PER_CALLER: z.coerce
    .number()
    .int()
    .min(1)
    .default(1_000_000)
    .describe(
      'tasks of one caller that wait for a worker; a submission beyond is refused with 429, a plan fails with QUOTA_EXCEEDED',
    ),
  LEASE_SECONDS: z.coerce.number().int().min(3).max(3600).default(60).describe('how long a claim lives without a heartbeat'),
  RETENTION_DAYS: z.coerce
    .number()
    .min(0)
    .max(36_500)
    .default(30)
    .describe('how long completed and cancelled jobs are kept; 0 keeps them for ever'),
  RETENTION_DAYS_FAILED: z.coerce
    .number()
    .min(0)
    .max(36_500)
    .default(90)
    .describe('how long failed jobs, and those completed with errors, are kept; 0 keeps them for ever'),
  PUBLIC_BASE_URL: z
    .url()
    .optional()
    .describe('address that links of the catalogue begin with, e.g. behind a gateway; default: that of the request'),
  TRUST_PROXY: z
    .enum(['true', 'false'])
    .default('false')
    .describe('takes the address of links from X-Forwarded-Host and -Proto; only behind a proxy that sets them'),
  STAC_PUBLIC_READ: z
    .enum(['true', 'false'])
    .default('false')
    .describe('anybody may read the catalogue, without a key; files and pictures keep asking for one'),
  STAC_ASSET_HREF: z
    .enum(['redirect', 'blob'])
    .default('redirect')
    .describe('assets lead through a redirect with a signature, or straight to the blob where containers are public'),
  CORS_ORIGINS: containers
    .optional()
    .describe('comma list of origins whose pages may read the catalogue, such as https://radiantearth.github.io; * for all'),
  WEBHOOK_HOSTS: containers
    .optional()
    .describe(
      'comma list of hosts that webhooks may be on, such as hooks.example.org or *.example.org; without it there are none',
    ),
  WEBHOOK_PRIVATE_ADDRESSES: z
    .enum(['true', 'false'])
    .default('false')
    .describe('lets webhooks be on http and in private networks: for laptops, refused in production'),
  MONITOR_SITE_ID: azureId.describe('Azure resource id of this function app: the monitor page links to it in the portal'),
  MONITOR_INSIGHTS_ID: azureId.describe(
    'Azure resource id of its Application Insights: the monitor page links to what is logged of a job',
  ),
  MONITOR_SCHEDULER_URL: z
    .url({ protocol: /^https$/ })
    .optional()
    .describe('dashboard of the Durable Task Scheduler: the monitor page links to it'),
  TELEMETRY: z
    .enum(['none', 'appinsights', 'otlp'])
    .default('none')
    .describe('where traces and metrics go; both targets need a package that is not installed by default'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('least level that is logged'),
  LOG_FORMAT: z.enum(['json', 'text']).default('json').describe('`text` is for people at a terminal'),
})
export type Config = z.infer<typeof Config>

type Env = Readonly<Record<string, string | undefined>>

/** @throws AppError `CONFIG_INVALID` naming every variable that is missing or wrong, and what to set */
export function readConfig(env: Env): Config {
  const known = Object.fromEntries(Object.keys(Config.shape).flatMap((k) => (env[k] ? [[k, env[k]]] : [])))
  const parsed = Config.safeParse(known)
  const wrong = [...(parsed.error?.issues ?? []).map(settingProblem), ...settingConflicts(known)]
  if (parsed.success && wrong.length === 0) return parsed.data
  throw new AppError('CONFIG_INVALID', `Settings are missing or wrong: ${wrong.join('; ')}.`)
}

/** The name, what is wrong with its value, and what it is for. */
function settingProblem({ path, message }: z.core.$ZodIssue): string {
  const name = path.join('.')
  return `${name} (${message}; it is: ${Config.shape[name as keyof typeof Config.shape]?.description ?? 'unknown'})`
}
/** Where the database is: as given, or the server of the settings with TLS that is verified. It holds a password only as it was given. */
export function databaseUrl({
  DATABASE_URL,
  PGHOST,
  PGPORT,
  PGDATABASE,
  PGUSER = '',
}: Pick<Config, 'DATABASE_URL' | 'PGHOST' | 'PGPORT' | 'PGDATABASE' | 'PGUSER'>): string {
  if (DATABASE_URL) return DATABASE_URL
  return `postgres://${encodeURIComponent(PGUSER)}@${PGHOST}:${PGPORT}/${encodeURIComponent(PGDATABASE)}?sslmode=verify-full`
}

/** Containers that operations may name: the allow-list, or the three tiers. */
export function allowedContainers(config: Config): ReadonlySet<string> {
  return new Set(config.ALLOWED_CONTAINERS ?? [config.BRONZE_CONTAINER, config.SILVER_CONTAINER, config.GOLD_CONTAINER])
}

/** How the host guards functions: by keys only where nobody else checks the caller. Read before the settings are known to be right. */
export const authLevelOf = (
  env: Readonly<Record<string, string | undefined>>,
  admin: boolean,
): 'anonymous' | 'function' | 'admin' => {
  if ((env['AUTH_MODE'] || 'key') !== 'key') return 'anonymous'
  return admin ? 'admin' : 'function'
}

/** Whether anybody may read the catalogue; read before the settings are known to be right. */
export const isCatalogueOpen = (env: Readonly<Record<string, string | undefined>>): boolean => env['STAC_PUBLIC_READ'] === 'true'

/** Origins whose pages may read the catalogue; also where no other setting is right. */
export const corsOrigins = (env: Readonly<Record<string, string | undefined>>): readonly string[] | undefined =>
  env['CORS_ORIGINS'] ? Config.shape.CORS_ORIGINS.parse(env['CORS_ORIGINS']) : undefined
