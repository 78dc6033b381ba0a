// Settings of the site against the app's own model of them, in both directions.
import { Config } from '../../../src/platform/config.ts'
import type { Template } from './template.ts'

const words = (...lines: string[]): string[] => lines.flatMap((line) => line.split(' '))

/** Settings of the app that the template leaves at their defaults, and why. */
const LEFT_TO_DEFAULTS = new Set(
  words(
    // A laptop's ways to database and storage.
    'DATABASE_URL DATA_STORAGE AzureWebJobsStorage LOG_FORMAT',
    // Set by the platform.
    'WEBSITE_AUTH_ENABLED',
    // Read from the issuer.
    'JWT_JWKS_URL',
    // Measured defaults.
    'BREAKER_FAILURES BREAKER_COOLDOWN_SECONDS LEASE_SECONDS MAX_JOBS_PER_CALLER MAX_TASKS_PER_CALLER',
    // Choices of whoever publishes the catalogue.
    'WEBHOOK_HOSTS WEBHOOK_PRIVATE_ADDRESSES PUBLIC_BASE_URL TRUST_PROXY STAC_PUBLIC_READ STAC_ASSET_HREF CORS_ORIGINS',
  ),
)
/** Settings of the host, the SDKs and the platform. */
const NOT_OURS =
  /^(AzureWebJobsStorage__(credential|clientId|(blob|queue|table)ServiceUri)|AZURE_TOKEN_CREDENTIALS|APPLICATIONINSIGHTS_(CONNECTION|AUTHENTICATION)_STRING|AzureFunctionsJobHost__extensions__durableTask__(maxConcurrentActivityFunctions|storageProvider__(type|connectionStringName))|languageWorkers__node__arguments|TASKHUB_NAME|DURABLE_TASK_SCHEDULER_CONNECTION_STRING)$/

/** Both directions: nothing unknown is set, nothing known is forgotten. */
export function settingsProblems(t: Template): string[] {
  const given = new Set(Object.keys(t.settings))
  const known = Object.keys(Config.shape)
  const hasTokens = t.settings['AUTH_MODE'] === 'jwt'
  const hasScheduler = given.has('DURABLE_TASK_SCHEDULER_CONNECTION_STRING')
  const unknown = [...given].filter((name) => !known.includes(name) && !NOT_OURS.test(name))
  const forgotten = known.filter(
    (name) =>
      !given.has(name) &&
      !LEFT_TO_DEFAULTS.has(name) &&
      (hasTokens || !name.startsWith('JWT_')) &&
      (hasScheduler || name !== 'MONITOR_SCHEDULER_URL'),
  )
  const parsed = Config.safeParse(
    Object.fromEntries(known.flatMap((k) => (given.has(k) ? [[k, valueOf(t.settings[k] ?? '')]] : []))),
  )
  return [
    ...unknown.map((name) => `${name} is no setting of the app, of the host or of an SDK`),
    ...forgotten.map((name) => `${name} is not set`),
    ...[...given].filter((name) => LEFT_TO_DEFAULTS.has(name)).map((name) => `${name} should keep its default`),
    ...(parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  ]
}

/** Addresses are known when Azure has made them. */
const valueOf = (text: string): string => (/^\[(reference\(|format\('https:)/.test(text) ? 'https://example.test' : text)
