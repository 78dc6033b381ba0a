// Jobs and tasks. No password opens it: identities bring tokens. The pooler is the server's own.
param location string
param tags object
param token string
param isPrivate bool
param sku string
param hasPooler bool
param highAvailability string
param administratorId string
param administratorName string
param administratorType string
param workspaceId string

var tier = startsWith(sku, 'Standard_B')
  ? 'Burstable'
  : startsWith(sku, 'Standard_E') ? 'MemoryOptimized' : 'GeneralPurpose'

// Dynamic settings first: each is one operation, and the server takes one at a time.
var settings = concat(
  [
    { name: 'require_secure_transport', value: 'on' }
    { name: 'log_min_duration_statement', value: '1000' }
  ],
  hasPooler
    ? [
        { name: 'pgbouncer.enabled', value: 'true' }
        { name: 'pgbouncer.pool_mode', value: 'transaction' }
        { name: 'pgbouncer.default_pool_size', value: '50' }
      ]
    : []
)

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: 'psql-${token}'
  location: location
  tags: tags
  sku: { name: sku, tier: tier }
  properties: {
    version: '17'
    authConfig: { activeDirectoryAuth: 'Enabled', passwordAuth: 'Disabled', tenantId: tenant().tenantId }
    storage: { storageSizeGB: 64, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: 14, geoRedundantBackup: 'Disabled' }
    highAvailability: { mode: highAvailability }
    network: { publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled' }
  }

  resource database 'databases' = {
    name: 'lamplighter'
    properties: { charset: 'UTF8', collation: 'en_US.utf8' }
  }

  // Reached from inside Azure, of any customer: with a token of a known identity only. Never where the network is private.
  resource azure 'firewallRules' = if (!isPrivate) {
    name: 'azure-services'
    properties: { startIpAddress: '0.0.0.0', endIpAddress: '0.0.0.0' }
    dependsOn: [database]
  }

  resource administrator 'administrators' = {
    name: administratorId
    properties: {
      principalName: administratorName
      principalType: administratorType
      tenantId: tenant().tenantId
    }
    dependsOn: [azure]
  }

  @batchSize(1)
  resource configurations 'configurations' = [
    for setting in settings: {
      name: setting.name
      properties: { value: setting.value, source: 'user-override' }
      dependsOn: [administrator]
    }
  ]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: server
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'PostgreSQLLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = server.id
output host string = server.properties.fullyQualifiedDomainName
output databaseName string = server::database.name
