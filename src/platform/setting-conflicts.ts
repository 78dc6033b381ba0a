// What no single setting shows: those that need another one, and those that a production app refuses.

/** Settings as they stand in the environment; an empty one is not there. */
type Given = Readonly<Record<string, string | undefined>>

/** Each names the settings and what to set. None tells a value. */
const RULES: readonly ((given: Given) => string | false)[] = [
  ({ DATABASE_URL, PGHOST }) =>
    !DATABASE_URL && !PGHOST && 'DATABASE_URL (missing: set it, or PGHOST with PGUSER where the identity opens the database)',
  ({ DATABASE_URL, PGHOST, PGUSER }) =>
    !DATABASE_URL &&
    PGHOST !== undefined &&
    !PGUSER &&
    'PGUSER (missing: set the name of the identity, which is its role in Postgres)',
  ({ AUTH_MODE, JWT_ISSUER }) =>
    AUTH_MODE === 'jwt' && !JWT_ISSUER && 'JWT_ISSUER (missing: AUTH_MODE jwt needs the issuer of its tokens)',
  ({ AUTH_MODE, JWT_AUDIENCE }) =>
    AUTH_MODE === 'jwt' && !JWT_AUDIENCE && 'JWT_AUDIENCE (missing: AUTH_MODE jwt needs the audience that tokens are meant for)',
  ...['JWT_ISSUER', 'JWT_JWKS_URL'].map((name) => (given: Given) => {
    const isPlain = given['ENVIRONMENT'] === 'production' && /^http:/i.test(given[name] ?? '')
    return isPlain && `${name} (is http, so that anybody on the way could hand out keys: set an https address)`
  }),
  ({ ENVIRONMENT, WEBHOOK_PRIVATE_ADDRESSES }) =>
    ENVIRONMENT === 'production' &&
    WEBHOOK_PRIVATE_ADDRESSES === 'true' &&
    'WEBHOOK_PRIVATE_ADDRESSES (lets messages reach the inside of the network, which production refuses: leave it out)',
  ({ SECRETS_SOURCE, KEY_VAULT_URL }) =>
    SECRETS_SOURCE === 'keyvault' &&
    !KEY_VAULT_URL &&
    'KEY_VAULT_URL (missing: SECRETS_SOURCE keyvault needs the address of the vault)',
  ({ ENVIRONMENT, DATABASE_URL }) =>
    ENVIRONMENT === 'production' &&
    DATABASE_URL !== undefined &&
    hasPassword(DATABASE_URL) &&
    'DATABASE_URL (holds a password, which production refuses: set PGHOST and PGUSER, the identity opens the database)',
  ...['DATA_STORAGE', 'AzureWebJobsStorage'].map((name) => (given: Given) => {
    const isKey = given['ENVIRONMENT'] === 'production' && /AccountKey=|SharedAccessSignature=/i.test(given[name] ?? '')
    return isKey && `${name} (holds a key, which production refuses: set ${REMEDIES[name]}, the identity opens the account)`
  }),
]
const REMEDIES: Readonly<Record<string, string>> = {
  DATA_STORAGE: 'DATA_STORAGE_URL',
  AzureWebJobsStorage: 'AzureWebJobsStorage__blobServiceUri and AzureWebJobsStorage__credential',
}

/** Whether a connection string brings its password itself. */
export const hasPassword = (url: string): boolean =>
  !URL.canParse(url) || new URL(url).password !== '' || /[?&]password=/i.test(url)

/** What is wrong with settings taken together; empty: nothing. */
export const settingConflicts = (given: Given): string[] => RULES.flatMap((rule) => rule(given) || [])
