// What must hold of every set of parameters.
import { diagnosticsProblems, lifecycleProblems, secretsIn } from './data.ts'
import { backendProblems, budgetProblems, networkProblems, poolerProblems, scaleProblems } from './platform.ts'
import { settingsProblems } from './settings.ts'
import { type Policy, POSTGRES, serverSetting, SITE, STORAGE, type Template, unless, VAULT } from './template.ts'

const accounts = (t: Template, what: string, holds: (properties: any) => boolean): string[] =>
  t.of(STORAGE).flatMap((a) => unless(holds(a.properties), `${a.name}: ${what}`))

/** Those of roles and alerts have files of their own. */
export const POLICIES: readonly Policy[] = [
  {
    name: 'no shared key',
    check: (t) =>
      accounts(t, 'opens to a key', (p) => p.allowSharedKeyAccess === false && p.defaultToOAuthAuthentication === true),
  },
  {
    name: 'no public blob',
    check: (t) => [
      ...accounts(t, 'blobs may be public', (p) => p.allowBlobPublicAccess === false),
      ...t
        .of(`${STORAGE}/blobServices/containers`)
        .flatMap((c) => unless((c.properties?.publicAccess ?? 'None') === 'None', `${c.name} is public`)),
    ],
  },
  {
    name: 'TLS 1.2 at least',
    check: (t) => [
      ...accounts(t, 'old TLS', (p) => /^TLS1_[23]$/.test(p.minimumTlsVersion)),
      ...['minTlsVersion', 'scmMinTlsVersion'].flatMap((n) =>
        unless(/^1\.[23]$/.test(t.one(SITE).properties.siteConfig[n]), `site: ${n}`),
      ),
      ...unless(serverSetting(t, 'require_secure_transport') === 'on', 'Postgres without TLS'),
    ],
  },
  {
    name: 'https only',
    check: (t) => [
      ...accounts(t, 'http', (p) => p.supportsHttpsTrafficOnly === true),
      ...unless(t.one(SITE).properties.httpsOnly === true, 'site: http'),
      ...unless(t.one(SITE).properties.siteConfig.ftpsState === 'Disabled', 'site: ftp'),
    ],
  },
  {
    name: 'telemetry takes tokens only',
    check: (t) => [
      ...unless(
        t.one('Microsoft.Insights/components').properties.DisableLocalAuth === true,
        'Application Insights takes its key',
      ),
      ...unless(
        t.one('Microsoft.OperationalInsights/workspaces').properties.features.disableLocalAuth === true,
        'the workspace takes its key',
      ),
    ],
  },
  {
    name: 'no password at Postgres',
    check: (t) => {
      const { passwordAuth, activeDirectoryAuth } = t.one(POSTGRES).properties.authConfig
      return unless(passwordAuth === 'Disabled' && activeDirectoryAuth === 'Enabled', `passwords ${passwordAuth}`)
    },
  },
  {
    name: 'the vault keeps what is deleted',
    check: (t) => {
      const { enablePurgeProtection, enableSoftDelete, softDeleteRetentionInDays, enableRbacAuthorization } =
        t.one(VAULT).properties
      return unless(
        enablePurgeProtection === true &&
          enableSoftDelete === true &&
          softDeleteRetentionInDays === 90 &&
          enableRbacAuthorization === true,
        'purge protection, soft delete of 90 days, roles',
      )
    },
  },
  {
    name: 'no publishing credentials',
    check: (t) =>
      ['scm', 'ftp'].flatMap((name) =>
        unless(
          t.of(`${SITE}/basicPublishingCredentialsPolicies`).find((p) => p.name.endsWith(`/${name}`))?.properties.allow === false,
          name,
        ),
      ),
  },
  {
    name: 'an instance is always ready for orchestrations',
    check: (t) => unless((t.scale.alwaysReady.find((a) => a.name === 'durable')?.instanceCount ?? 0) >= 1, 'none'),
  },
  { name: 'connections fit the database', check: budgetProblems },
  { name: 'settings are those of the app', check: settingsProblems },
  {
    name: 'nothing looks like a secret',
    check: secretsIn,
  },
  { name: 'everything that holds data sends its log', check: diagnosticsProblems },
  { name: 'only files of the app itself are deleted by a rule', check: lifecycleProblems },
  { name: 'plan, memory and runtime', check: scaleProblems },
  { name: 'pooler and port belong together', check: poolerProblems },
  { name: 'backend and its settings belong together', check: backendProblems },
  { name: 'the network is closed, or open where that was asked for', check: networkProblems },
]
