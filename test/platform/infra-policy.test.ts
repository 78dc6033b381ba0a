// The template, as its committed snapshots tell it: what must hold of every set of parameters, and faults that each break one of it.
import { describe, expect, test } from 'vitest'
import { changedFiles, SETS, STALE } from '../../scripts/infra.ts'
import { alertPolicy } from '../support/infra/alerts.ts'
import { POLICIES } from '../support/infra/policies.ts'
import { rolePolicy } from '../support/infra/roles.ts'
import { type Policy, readSnapshot, type Resource, type Snapshot, Template } from '../support/infra/template.ts'

const policiesOf = (set: string): readonly Policy[] => [...POLICIES, rolePolicy(set !== 'storage'), alertPolicy]

test('the snapshots belong to the template', () => {
  expect(changedFiles(), STALE).toEqual([])
})

describe.each(SETS)('%s', (set) => {
  const template = new Template(readSnapshot(set))
  test.each(policiesOf(set).map((p) => [p.name, p] as const))('%s', (_name, policy) => {
    expect(policy.check(template)).toEqual([])
  })
})

/** The resource whose id ends so, free to be changed. */
const at = (snapshot: Snapshot, end: string): any => {
  const found = snapshot.predictedResources.find((r) => r.id.includes(end))
  if (!found) throw new Error(`nothing is called ${end}`)
  return found
}
const settings = (s: Snapshot): Record<string, string> => at(s, '/config/appsettings').properties
const drop = (s: Snapshot, end: string): void => void s.predictedResources.splice(s.predictedResources.indexOf(at(s, end)), 1)
const scale = (s: Snapshot): any =>
  s.predictedResources.find((r) => r.type === 'Microsoft.Web/sites')?.properties.functionAppConfig.scaleAndConcurrency
const copyTo = (s: Snapshot, id: string): void =>
  void s.predictedResources.push({ ...(s.predictedResources.find((r) => r.type.endsWith('/roleAssignments')) as Resource), id })

const FAULTS: readonly (readonly [fault: string, policy: string, plant: (s: Snapshot) => void])[] = [
  ['a shared key', 'no shared key', (s) => (at(s, '/storageAccounts/lampdata').properties.allowSharedKeyAccess = true)],
  ['public blobs', 'no public blob', (s) => (at(s, '/storageAccounts/lamphost').properties.allowBlobPublicAccess = true)],
  ['a public container', 'no public blob', (s) => (at(s, '/containers/gold').properties = { publicAccess: 'Blob' })],
  ['TLS 1.0', 'TLS 1.2 at least', (s) => (at(s, '/storageAccounts/lampdata').properties.minimumTlsVersion = 'TLS1_0')],
  ['a database without TLS', 'TLS 1.2 at least', (s) => (at(s, '/configurations/require_secure').properties.value = 'off')],
  ['http', 'https only', (s) => (at(s, '/sites/func-').properties.httpsOnly = false)],
  ['telemetry by key', 'telemetry takes tokens only', (s) => (at(s, '/components/appi-').properties.DisableLocalAuth = false)],
  [
    'passwords',
    'no password at Postgres',
    (s) => (at(s, '/flexibleServers/psql-').properties.authConfig.passwordAuth = 'Enabled'),
  ],
  [
    'a vault that can be purged',
    'the vault keeps what is deleted',
    (s) => (at(s, '/vaults/kv-').properties.enablePurgeProtection = false),
  ],
  ['publishing by ftp', 'no publishing credentials', (s) => (at(s, 'PublishingCredentialsPolicies/ftp').properties.allow = true)],
  ['nothing ready', 'an instance is always ready for orchestrations', (s) => (scale(s).alwaysReady[0].instanceCount = 0)],
  ['50 connections each', 'connections fit the database', (s) => (settings(s)['PG_POOL_MAX'] = '50')],
  ['200 instances', 'connections fit the database', (s) => (scale(s).maximumInstanceCount = 200)],
  ['a misspelt setting', 'settings are those of the app', (s) => (settings(s)['LOGLEVEL'] = 'info')],
  ['a forgotten setting', 'settings are those of the app', (s) => delete settings(s)['PGHOST']],
  ['a value that no app takes', 'settings are those of the app', (s) => (settings(s)['AUTH_MODE'] = 'none')],
  ['a key in a setting', 'nothing looks like a secret', (s) => (settings(s)['TASKHUB_NAME'] = 'x;AccountKey=abc')],
  [
    'a silent vault',
    'everything that holds data sends its log',
    (s) => drop(s, '/vaults/kv-fdasppiuxfabo/providers/Microsoft.Insights'),
  ],
  [
    'a rule that deletes rasters',
    'only files of the app itself are deleted by a rule',
    (s) => at(s, '/managementPolicies/').properties.policy.rules[0].definition.filters.prefixMatch.push('silver/'),
  ],
  ['7 MB of memory', 'plan, memory and runtime', (s) => (scale(s).instanceMemoryMB = 7)],
  [
    'sessions behind the pooler',
    'pooler and port belong together',
    (s) => (at(s, 'pgbouncer.pool_mode').properties.value = 'session'),
  ],
  [
    'a scheduler for nobody',
    'backend and its settings belong together',
    (s) => (at(s, '/schedulers/dts-').properties.ipAllowlist = []),
  ],
  [
    'history of 90 days where 30 is the most',
    'backend and its settings belong together',
    (s) => (at(s, '/retentionPolicies/').properties.retentionPolicies[0].retentionPeriodInDays = 90),
  ],
  [
    'a database that is open to the world',
    'the network is closed, or open where that was asked for',
    (s) => (at(s, '/flexibleServers/psql-').properties.network.publicNetworkAccess = 'Enabled'),
  ],
  [
    'a role on the subscription',
    'roles are exactly those of the table',
    (s) => copyTo(s, '/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleAssignments/x'),
  ],
  [
    'a larger role on bronze',
    'roles are exactly those of the table',
    (s) => {
      const role = s.predictedResources.find((r) =>
        r.properties?.roleDefinitionId?.endsWith('2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'),
      )
      role!.properties.roleDefinitionId = role!.properties.roleDefinitionId.replace(
        '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
        'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
      )
    },
  ],
  [
    'an alert for nobody',
    'alerts have severity, receiver and runbook',
    (s) => (at(s, '/stuck-jobs').properties.actions.actionGroups = []),
  ],
  [
    'an alert without a runbook',
    'alerts have severity, receiver and runbook',
    (s) => (at(s, '/not-ready').properties.description = 'oh no'),
  ],
]

test.each(FAULTS)('planted: %s', (_fault, policy, plant) => {
  const snapshot = structuredClone(readSnapshot('scheduler'))
  plant(snapshot)
  const template = new Template(snapshot)
  expect(
    policiesOf('scheduler')
      .filter((p) => p.check(template).length > 0)
      .map((p) => p.name),
  ).toEqual([policy])
})

test('without a private network nothing else changes', () => {
  const [closed, open] = (['scheduler', 'public'] as const).map(
    (set) => new Map(readSnapshot(set).predictedResources.map((r) => [r.id, r])),
  )
  const only = (a: Map<string, Resource> | undefined, b: Map<string, Resource> | undefined): string[] => [
    ...new Set([...(a ?? [])].filter(([id]) => !b?.has(id)).map(([, r]) => r.type.split('/').slice(0, 2).join('/'))),
  ]
  expect(only(closed, open)).toEqual([
    'Microsoft.Network/virtualNetworks',
    'Microsoft.Network/privateDnsZones',
    'Microsoft.Network/privateEndpoints',
  ])
  expect(only(open, closed)).toEqual(['Microsoft.DBforPostgreSQL/flexibleServers'])
  const differing = [...(open ?? [])].flatMap(([id, r]) => {
    const other = closed?.get(id)
    return other ? paths(r, other).map((path) => `${r.type} ${path}`) : []
  })
  expect([...new Set(differing)].sort()).toEqual([
    'Microsoft.DBforPostgreSQL/flexibleServers properties.network.publicNetworkAccess',
    'Microsoft.KeyVault/vaults properties.networkAcls.defaultAction',
    'Microsoft.KeyVault/vaults properties.publicNetworkAccess',
    'Microsoft.Storage/storageAccounts properties.networkAcls.defaultAction',
    'Microsoft.Storage/storageAccounts properties.publicNetworkAccess',
    'Microsoft.Web/sites properties.virtualNetworkSubnetId',
  ])
})

/** Where two values differ. */
function paths(a: any, b: any, path = ''): string[] {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b ? [] : [path]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((k) => paths(a[k], b[k], path ? `${path}.${k}` : k))
}
