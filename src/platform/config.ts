// Every setting of the app, read once. All missing or wrong names are reported together.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'

const containers = z.string().transform((text) =>
  text
    .split(',')
    .map((n) => n.trim())
    .filter(Boolean),
)

export const Config = z.object({
  DATABASE_URL: z.string().min(1).describe('Postgres connection URL of the application role'),
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
    .enum(['key', 'easyauth'])
    .default('key')
    .describe('who checks callers: the host by its keys (each counts as operator), or App Service authentication with roles'),
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
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('least level that is logged'),
  LOG_FORMAT: z.enum(['json', 'text']).default('json').describe('`text` is for people at a terminal'),
})
export type Config = z.infer<typeof Config>

/** @throws AppError `CONFIG_INVALID` naming every variable that is missing or wrong */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const known = Object.fromEntries(Object.keys(Config.shape).flatMap((k) => (env[k] ? [[k, env[k]]] : [])))
  const parsed = Config.safeParse(known)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map((i) => `${i.path.join('.')} (${i.message})`)
  throw new AppError('CONFIG_INVALID', `Settings are missing or wrong: ${wrong.join('; ')}.`)
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
