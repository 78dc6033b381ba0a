// Which storage provider host.json names: settings of the site override it; where they do not, DURABLE_BACKEND writes it into the package.

/** The scheduler's connection string, as the template sets it. */
const SCHEDULER = { type: 'azureManaged', connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING' }

/**
 * The text of host.json with the provider of `azureManaged`; as it is for `azureStorage` and nothing.
 * @throws Error naming the two backends
 */
export function hostJsonFor(text: string, backend: string | undefined): string {
  if (!backend || backend === 'azureStorage') return text
  if (backend !== 'azureManaged') throw new Error(`DURABLE_BACKEND is ${backend}; it is azureManaged or azureStorage.`)
  const json = JSON.parse(text) as { extensions: { durableTask: { storageProvider: object } } }
  // Nothing of the other provider stays: its queues and partitions mean nothing here.
  json.extensions.durableTask.storageProvider = SCHEDULER
  return `${JSON.stringify(json, null, 2)}\n`
}
