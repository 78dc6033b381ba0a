// Everything of one Lamplighter: a resource group and what is in it. `azd provision` runs it; docs/deployment.md tells each parameter.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the environment; part of the name of the resource group and of a hash in all other names')
param environmentName string

@minLength(1)
@description('Region of everything')
param location string

@description('Object id of whoever deploys: may look into the task hub and Application Insights. Empty: nobody may')
param principalId string = ''

@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string = 'User'

@description('Object id of the Entra administrator of Postgres, a group or a person: makes the roles of the database. Empty: principalId')
param databaseAdministratorId string = ''

@minLength(1)
@description('Name of that administrator: of a person the user principal name, of a group its display name')
param databaseAdministratorName string

@allowed(['User', 'ServicePrincipal', 'Group'])
param databaseAdministratorType string = 'User'

@allowed(['azureManaged', 'azureStorage'])
@description('Who keeps the instances of Durable Functions: the Durable Task Scheduler, or queues and tables of the host account')
param durableBackend string = 'azureManaged'

@description('Storage, vault and database have private addresses only; false is for cheap development')
param privateNetworking bool = true

@allowed(['development', 'production'])
@description('production refuses passwords and keys in settings, and rebuilding the schema')
param appEnvironment string = 'production'

@allowed([2048, 4096])
@description('Memory of one instance in MB')
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(1000)
@description('Instances at most; with poolMax it must fit the connections of the database')
param maximumInstanceCount int = 40

@minValue(1)
@maxValue(500)
@description('Connections of one instance at most')
param poolMax int = 10

@allowed(['Standard_B2s', 'Standard_D2ds_v5', 'Standard_D4ds_v5', 'Standard_D8ds_v5', 'Standard_E4ds_v5'])
@description('Size of the database server. Burstable ones have no pooler: their port is 5432')
param databaseSku string = 'Standard_D2ds_v5'

@allowed(['Disabled', 'SameZone', 'ZoneRedundant'])
@description('A second database server that takes over; burstable sizes have none')
param databaseHighAvailability string = 'Disabled'

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Copies of the data; regions without zones refuse the two with a Z')
param dataRedundancy string = 'Standard_ZRS'

@description('Issuer of the tokens of callers, e.g. https://login.microsoftonline.com/TENANT/v2.0; with jwtAudience callers need tokens, else keys')
param jwtIssuer string = ''

@description('Audience that tokens must be meant for, e.g. api://APP')
param jwtAudience string = ''

@allowed(['none', 'appinsights', 'otlp'])
@description('Where the app sends traces and metrics of its own; the host sends its own to Application Insights in any case')
param telemetry string = 'appinsights'

@allowed(['debug', 'info', 'warn', 'error'])
param logLevel string = 'info'

@minValue(1)
@description('Days that completed jobs, their files and their instances are kept')
param retentionDays int = 30

@minValue(1)
@description('Days that failed jobs, their files and their instances are kept')
param retentionDaysFailed int = 90

@description('Address that alerts are sent to; empty: they show in the portal only')
param alertEmail string = ''

@allowed(['Consumption', 'Dedicated'])
@description('How the scheduler is billed: by action, or by the month for 2,000 actions a second and history of 90 days')
param schedulerSku string = 'Consumption'

@description('Address ranges that may reach the scheduler, besides needing a role. An empty list lets nobody in; the app leaves Azure from changing addresses')
param schedulerIpAllowlist string[] = ['0.0.0.0/0']

var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName, app: 'lamplighter' }
var isManaged = durableBackend == 'azureManaged'
var hasPooler = !startsWith(databaseSku, 'Standard_B')
// What the defaults of the server leave to users; maximumInstanceCount × poolMax must stay below 80 % of it.
var userConnections = {
  Standard_B2s: 414
  Standard_D2ds_v5: 844
  Standard_D4ds_v5: 1703
  Standard_D8ds_v5: 3422
  Standard_E4ds_v5: 3422
}

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  scope: group
  name: 'identity'
  params: { location: location, tags: tags, token: token }
}

module monitoring 'monitoring/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: { location: location, tags: tags, token: token, alertEmail: alertEmail }
}

module storage 'app/storage.bicep' = {
  scope: group
  name: 'storage'
  params: {
    location: location
    tags: tags
    token: token
    isPrivate: privateNetworking
    dataRedundancy: dataRedundancy
    // The longer of the two: results of failed jobs are looked at for longer.
    retentionDays: max(retentionDays, retentionDaysFailed)
    workspaceId: monitoring.outputs.workspaceId
  }
}

module postgres 'app/postgres.bicep' = {
  scope: group
  name: 'postgres'
  params: {
    location: location
    tags: tags
    token: token
    isPrivate: privateNetworking
    sku: databaseSku
    hasPooler: hasPooler
    highAvailability: databaseHighAvailability
    administratorId: empty(databaseAdministratorId) ? principalId : databaseAdministratorId
    administratorName: databaseAdministratorName
    administratorType: databaseAdministratorType
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'app/vault.bicep' = {
  scope: group
  name: 'vault'
  params: {
    location: location
    tags: tags
    token: token
    isPrivate: privateNetworking
    workspaceId: monitoring.outputs.workspaceId
  }
}

module scheduler 'app/scheduler.bicep' = if (isManaged) {
  scope: group
  name: 'scheduler'
  params: {
    location: location
    tags: tags
    token: token
    sku: schedulerSku
    ipAllowlist: schedulerIpAllowlist
    retentionDays: retentionDays
    retentionDaysFailed: retentionDaysFailed
  }
}

module network 'app/network.bicep' = if (privateNetworking) {
  scope: group
  name: 'network'
  params: {
    location: location
    tags: tags
    token: token
    hostAccountId: storage.outputs.hostAccountId
    // Queues and tables are used by that backend alone.
    hostServices: isManaged ? ['blob'] : ['blob', 'queue', 'table']
    dataAccountId: storage.outputs.dataAccountId
    vaultId: vault.outputs.id
    postgresId: postgres.outputs.id
  }
}

module roles 'app/roles.bicep' = {
  scope: group
  name: 'roles'
  params: {
    runPrincipalId: identity.outputs.run.principalId
    deployerId: principalId
    deployerType: principalType
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.insightsName
    schedulerName: scheduler.?outputs.name ?? ''
    taskHubName: scheduler.?outputs.taskHubName ?? ''
    isManaged: isManaged
  }
}

module site 'app/function.bicep' = {
  scope: group
  name: 'function'
  params: {
    location: location
    tags: tags
    token: token
    subnetId: network.?outputs.appSubnetId ?? ''
    run: identity.outputs.run
    migrate: identity.outputs.migrate
    hostAccountName: storage.outputs.hostAccountName
    dataBlobEndpoint: storage.outputs.dataBlobEndpoint
    vaultUrl: vault.outputs.url
    insightsName: monitoring.outputs.insightsName
    database: { host: postgres.outputs.host, port: hasPooler ? 6432 : 5432, name: postgres.outputs.databaseName }
    durable: {
      isManaged: isManaged
      schedulerEndpoint: scheduler.?outputs.endpoint ?? ''
      // The hub of the scheduler, or a hub of the account's: letters and digits, its own for each app.
      taskHub: scheduler.?outputs.taskHubName ?? 'lamplighter${token}'
    }
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    poolMax: poolMax
    appEnvironment: appEnvironment
    jwtIssuer: jwtIssuer
    jwtAudience: jwtAudience
    telemetry: telemetry
    logLevel: logLevel
    retentionDays: retentionDays
    retentionDaysFailed: retentionDaysFailed
    workspaceId: monitoring.outputs.workspaceId
  }
  // The first start reads its package and the hub with these roles.
  dependsOn: [roles]
}

module alerts 'monitoring/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    actionGroupId: monitoring.outputs.actionGroupId
    postgresId: postgres.outputs.id
    userConnections: userConnections[databaseSku]
    readyUrl: 'https://${site.outputs.hostName}/api/health/ready'
  }
}

module workbook 'monitoring/workbook.bicep' = {
  scope: group
  name: 'workbook'
  params: { location: location, tags: tags, insightsId: monitoring.outputs.insightsId }
}

output AZURE_RESOURCE_GROUP string = group.name
output API_URL string = 'https://${site.outputs.hostName}'
output FUNCTION_APP_NAME string = site.outputs.name
output DURABLE_BACKEND string = durableBackend
output DATA_STORAGE_URL string = storage.outputs.dataBlobEndpoint
// What `npm run migrate` reads; azd hands them to its hooks.
output PGHOST string = postgres.outputs.host
output PGDATABASE string = postgres.outputs.databaseName
output PGUSER string = identity.outputs.run.name
output PGUSER_OBJECT_ID string = identity.outputs.run.principalId
output MIGRATE_PGUSER string = identity.outputs.migrate.name
output MIGRATE_PGUSER_OBJECT_ID string = identity.outputs.migrate.principalId
output MIGRATE_CLIENT_ID string = identity.outputs.migrate.clientId
