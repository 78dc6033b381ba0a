// Plan, database, backend and network: values that belong together.
import { POSTGRES, serverSetting, SITE, STORAGE, type Template, unless, VAULT } from './template.ts'

/** Connections that the documented defaults of each size leave to users. */
const USER_CONNECTIONS: Readonly<Record<string, number>> = {
  Standard_B2s: 414,
  Standard_D2ds_v5: 844,
  Standard_D4ds_v5: 1703,
  Standard_D8ds_v5: 3422,
  Standard_E4ds_v5: 3422,
}
const usable = (t: Template): number => Math.floor(0.8 * (USER_CONNECTIONS[t.one(POSTGRES).sku.name] ?? 0))

export function budgetProblems(t: Template): string[] {
  const needed = t.scale.maximumInstanceCount * Number(t.settings['PG_POOL_MAX'])
  return unless(
    needed <= usable(t),
    `${needed} connections are more than the ${usable(t)} that ${t.one(POSTGRES).sku.name} has for them`,
  )
}

export function poolerProblems(t: Template): string[] {
  const burstable = t.one(POSTGRES).sku.tier === 'Burstable'
  const [enabled, mode, port] = [
    serverSetting(t, 'pgbouncer.enabled'),
    serverSetting(t, 'pgbouncer.pool_mode'),
    t.settings['PGPORT'],
  ]
  return burstable
    ? unless(enabled === undefined && port === '5432', 'a burstable server has no pooler')
    : unless(enabled === 'true' && mode === 'transaction' && port === '6432', `pooler ${enabled}, ${mode}, port ${port}`)
}

export function backendProblems(t: Template): string[] {
  const has = (name: string): boolean => t.settings[name] !== undefined
  const type = t.settings['AzureFunctionsJobHost__extensions__durableTask__storageProvider__type']
  if (!t.isManaged)
    return unless(
      type === undefined && has('AzureWebJobsStorage__queueServiceUri') && has('AzureWebJobsStorage__tableServiceUri'),
      'queues and tables hold the instances, and their addresses are not set',
    )
  const connection = t.settings['DURABLE_TASK_SCHEDULER_CONNECTION_STRING'] ?? ''
  const retention = t.one('Microsoft.DurableTask/schedulers/retentionPolicies').properties.retentionPolicies as any[]
  const { ipAllowlist: allowed, sku } = t.one('Microsoft.DurableTask/schedulers').properties
  const longest = sku.name === 'Consumption' ? 30 : 90
  return [
    ...unless(type === 'azureManaged', `storage provider ${type} with a scheduler`),
    ...unless(connection.includes('Authentication=ManagedIdentity;ClientID='), 'the scheduler is not opened by the identity'),
    ...unless((allowed?.length ?? 0) > 0, 'the scheduler lets nobody in'),
    ...unless(retention.length === 2, 'instances are kept for ever'),
    ...retention.flatMap((r) =>
      unless(
        r.retentionPeriodInDays > 0 && r.retentionPeriodInDays <= longest,
        `history of ${r.retentionPeriodInDays} days, the scheduler keeps ${longest}`,
      ),
    ),
  ]
}

export function scaleProblems(t: Template): string[] {
  const { instanceMemoryMB } = t.scale
  const plan = t.one('Microsoft.Web/serverfarms')
  const activities = String(Math.min(10, Math.floor((instanceMemoryMB - 400) / 300)))
  const { runtime, deployment } = t.one(SITE).properties.functionAppConfig
  return [
    ...unless(plan.sku.name === 'FC1' && plan.sku.tier === 'FlexConsumption', `plan ${plan.sku.name}`),
    ...unless([512, 2048, 4096].includes(instanceMemoryMB), `instances of ${instanceMemoryMB} MB do not exist`),
    ...unless(
      t.settings['AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions'] === activities,
      `not ${activities} activities at once in ${instanceMemoryMB} MB`,
    ),
    ...unless(runtime.name === 'node' && runtime.version === '24', `runtime ${runtime.name} ${runtime.version}`),
    ...unless(deployment.storage.authentication.type === 'UserAssignedIdentity', 'the package is not read with the identity'),
    ...unless(
      /max-http-header-size=65536/.test(t.settings['languageWorkers__node__arguments'] ?? ''),
      'headers above 16 KB hang',
    ),
  ]
}

export function networkProblems(t: Template): string[] {
  const stores = [...t.of(STORAGE), ...t.of(VAULT)].map((r) => [r.name, r.properties.publicNetworkAccess] as const)
  const database = t.one(POSTGRES)
  const open = [...stores, [database.name, database.properties.network.publicNetworkAccess] as const].filter(
    ([, access]) => access !== (t.isPrivate ? 'Disabled' : 'Enabled'),
  )
  const rules = t.of(`${POSTGRES}/firewallRules`).map((r) => `${r.properties.startIpAddress}-${r.properties.endIpAddress}`)
  const targets = t
    .of('Microsoft.Network/privateEndpoints')
    .flatMap((e) => e.properties.privateLinkServiceConnections as any[])
    .map((c) => `${c.properties.privateLinkServiceId.split('/').at(-1)} ${c.properties.groupIds[0]}`)
  const wanted = [
    ...(t.isManaged ? ['blob'] : ['blob', 'queue', 'table']).map((s) => `lamphost ${s}`),
    'lampdata blob',
    'kv- vault',
    'psql- postgresqlServer',
  ]
  const missing = wanted.filter(
    (w) => !targets.some((found) => found.startsWith(w.split(' ')[0] ?? '') && found.endsWith(w.split(' ')[1] ?? '')),
  )
  return [
    ...open.map(([name, access]) => `${name}: public network ${access}`),
    ...unless(rules.join() === (t.isPrivate ? '' : '0.0.0.0-0.0.0.0'), `firewall rules ${rules.join() || 'none'}`),
    ...(t.isPrivate ? missing.map((w) => `no private endpoint for ${w}`) : unless(targets.length === 0, 'private endpoints')),
    ...unless(
      ((t.one(SITE).properties.virtualNetworkSubnetId ?? null) !== null) === t.isPrivate,
      'the site is in the wrong network',
    ),
  ]
}
