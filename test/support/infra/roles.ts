// Who may do what: the table of role assignments, as it must be.
import type { Policy, Resource, Template } from './template.ts'

/** Who, where, role. `deployer` is a parameter. */
type Row = readonly [who: 'run' | 'deployer', scope: string, role: string]

const ALWAYS: readonly Row[] = [
  ['run', 'lamphost', 'Storage Blob Data Owner'],
  ['run', 'lampdata', 'Storage Blob Delegator'],
  ['run', 'lampdata/bronze', 'Storage Blob Data Reader'],
  ['run', 'lampdata/silver', 'Storage Blob Data Contributor'],
  ['run', 'lampdata/gold', 'Storage Blob Data Contributor'],
  ['run', 'lampdata/lamplighter', 'Storage Blob Data Contributor'],
  ['run', 'kv-', 'Key Vault Secrets User'],
  ['run', 'appi-', 'Monitoring Metrics Publisher'],
]
const MANAGED: readonly Row[] = [['run', 'dts-/lamplighter', 'Durable Task Data Contributor']]
const STORAGE: readonly Row[] = [
  ['run', 'lamphost', 'Storage Queue Data Contributor'],
  ['run', 'lamphost', 'Storage Table Data Contributor'],
]
const DEPLOYER: readonly Row[] = [
  ['deployer', 'appi-', 'Monitoring Reader'],
  ['deployer', 'dts-/lamplighter', 'Durable Task Data Contributor'],
]

/** Ids of built-in roles, as the documentation of Azure lists them. */
const NAMES: Readonly<Record<string, string>> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1': 'Storage Blob Data Reader',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  'db58b8e5-c6ad-4a2a-8342-4190687cbf4a': 'Storage Blob Delegator',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
  '0ad04412-c4d5-4796-b79c-f76d14c8d402': 'Durable Task Data Contributor',
  '43d0d8ad-25c7-4714-9337-8ba259a9fe05': 'Monitoring Reader',
}

/** The name of what the role is given on, without the part that differs by environment. */
function scopeOf({ id }: Resource): string {
  // Where the principal is known only later, the id is an expression that begins with the scope.
  const scope = /^\[extensionResourceId\('([^']+)'/.exec(id)?.[1] ?? id.split('/providers/Microsoft.Authorization/')[0] ?? id
  const parts = scope.split('/providers/')[1]?.split('/')
  if (!parts) return `everything in ${scope}`
  const names = parts
    .slice(1)
    .filter((_, i) => i % 2 === 1)
    .filter((name) => name !== 'default')
  const bare = names.map((name) => name.replace(/^(lamphost|lampdata|kv-|appi-|dts-).*/, '$1'))
  return bare.join('/')
}

function rowOf(r: Resource): string {
  const { principalId, roleDefinitionId, principalType } = r.properties as Record<string, string>
  const isRun = /userAssignedIdentities\/id-run-/.test(principalId ?? '')
  const who =
    isRun && principalType === 'ServicePrincipal' ? 'run' : principalId?.startsWith('[') ? `unknown ${principalId}` : 'deployer'
  const id = roleDefinitionId?.split('/').at(-1) ?? ''
  return `${who} on ${scopeOf(r)}: ${NAMES[id] ?? id}`
}

/** Exactly the table: what is missing and what is too much, by name. */
export const rolePolicy = (hasDeployer: boolean): Policy => ({
  name: 'roles are exactly those of the table',
  check: (t: Template) => {
    const rows = [
      ...ALWAYS,
      ...(t.isManaged ? MANAGED : STORAGE),
      ...(hasDeployer ? DEPLOYER.filter(([, s]) => t.isManaged || !s.startsWith('dts')) : []),
    ]
    const wanted = rows.map(([who, scope, role]) => `${who} on ${scope}: ${role}`)
    const found = t.of('Microsoft.Authorization/roleAssignments').map(rowOf)
    return [
      ...wanted.filter((row) => !found.includes(row)).map((row) => `missing: ${row}`),
      ...found.filter((row, i) => !wanted.includes(row) || found.indexOf(row) !== i).map((row) => `too much: ${row}`),
    ]
  },
})
