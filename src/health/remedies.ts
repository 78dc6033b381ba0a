// What to do about a refusal of Azure: which identity lacks which role where, and the command that gives it.
import type { Config } from '../platform/config.ts'

/** Settings that the platform gives, from which scopes are written; read from the environment, since they are no settings of the app. */
type Env = Readonly<Record<string, string | undefined>>

/** `https://NAME.blob.…` → NAME; a placeholder where only a connection string is known. */
function accountOf({ DATA_STORAGE_URL }: Pick<Config, 'DATA_STORAGE_URL'>): string {
  return DATA_STORAGE_URL ? (new URL(DATA_STORAGE_URL).hostname.split('.')[0] ?? '') : '<account>'
}

/** Scope of a storage account, or of one container of it, as `az role assignment` takes it. */
export function storageScope(config: Pick<Config, 'DATA_STORAGE_URL'>, env: Env, container?: string): string {
  // `<subscription>+<group>-<region>webspace…`
  const subscription = env['WEBSITE_OWNER_NAME']?.split('+')[0] || '<subscription>'
  const group = env['WEBSITE_RESOURCE_GROUP'] || '<resource group>'
  const account = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Storage/storageAccounts/${accountOf(config)}`
  return container === undefined ? account : `${account}/blobServices/default/containers/${container}`
}

/** One sentence with the command. @param role its name, e.g. `Storage Blob Data Reader` */
export function giveRole(config: Pick<Config, 'AZURE_CLIENT_ID'>, role: string, scope: string): string {
  const principal = config.AZURE_CLIENT_ID ?? '<client id of the identity>'
  return `Give the identity ${principal} the role "${role}" on ${scope}: az role assignment create --assignee ${principal} --role "${role}" --scope "${scope}". It takes up to ten minutes to count.`
}
