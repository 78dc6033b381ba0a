// The app: a Flex Consumption plan, the site, its settings. Settings are those of src/platform/config.ts, of the host and of the SDKs.
import { Database, Durable, Identity } from 'types.bicep'

param location string
param tags object
param token string
@description('Empty where the network is public')
param subnetId string
param run Identity
param migrate Identity
param hostAccountName string
param dataBlobEndpoint string
param vaultUrl string
param insightsName string
param database Database
param durable Durable
param instanceMemoryMB int
param maximumInstanceCount int
param poolMax int
param appEnvironment string
param jwtIssuer string
param jwtAudience string
param telemetry string
param logLevel string
param retentionDays int
param retentionDaysFailed int
param workspaceId string

var hasTokens = !empty(jwtIssuer) && !empty(jwtAudience)
// A raster task takes up to 250 MB, host and worker themselves 400.
var activities = min(10, (instanceMemoryMB - 400) / 300)
var hostJson = 'AzureFunctionsJobHost__extensions__durableTask'

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostAccountName
}
resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${run.id}': {}, '${migrate.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: run.id
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2', ftpsState: 'Disabled', http20Enabled: true }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostAccount.properties.primaryEndpoints.blob}packages'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: run.id }
        }
      }
      runtime: { name: 'node', version: '24' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // Without one, the first turn of a job waits for a cold start.
        alwaysReady: [{ name: 'durable', instanceCount: 1 }]
      }
    }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(
      {
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: run.clientId
        AzureWebJobsStorage__blobServiceUri: hostAccount.properties.primaryEndpoints.blob
        APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${run.clientId};Authorization=AAD'
        // Only the managed identity is asked; other sources of tokens are not probed.
        AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
        AZURE_CLIENT_ID: run.clientId
        MIGRATE_CLIENT_ID: migrate.clientId
        ENVIRONMENT: appEnvironment
        PGHOST: database.host
        PGPORT: string(database.port)
        PGDATABASE: database.name
        PGUSER: run.name
        MIGRATE_PGUSER: migrate.name
        PG_POOL_MAX: string(poolMax)
        DATA_STORAGE_URL: dataBlobEndpoint
        BRONZE_CONTAINER: 'bronze'
        SILVER_CONTAINER: 'silver'
        GOLD_CONTAINER: 'gold'
        ALLOWED_CONTAINERS: 'bronze,silver,gold'
        KEY_VAULT_URL: vaultUrl
        SECRETS_SOURCE: 'keyvault'
        AUTH_MODE: hasTokens ? 'jwt' : 'key'
        TELEMETRY: telemetry
        LOG_LEVEL: logLevel
        MONITOR_SITE_ID: site.id
        MONITOR_INSIGHTS_ID: insights.id
        RETENTION_DAYS: string(retentionDays)
        RETENTION_DAYS_FAILED: string(retentionDaysFailed)
        // Node takes headers of 16 KB, the host of 32: between the two nobody answers. Pages of listings live for a moment.
        languageWorkers__node__arguments: '--max-http-header-size=65536 --max-semi-space-size=16 --heap-growing-percent=20'
        TASKHUB_NAME: durable.taskHub
        '${hostJson}__maxConcurrentActivityFunctions': string(activities)
      },
      hasTokens ? { JWT_ISSUER: jwtIssuer, JWT_AUDIENCE: jwtAudience } : {},
      durable.isManaged
        ? {
            '${hostJson}__storageProvider__type': 'azureManaged'
            '${hostJson}__storageProvider__connectionStringName': 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
            MONITOR_SCHEDULER_URL: 'https://dashboard.durabletask.io/?endpoint=${uriComponent(durable.schedulerEndpoint)}&taskhub=${durable.taskHub}'
            DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${durable.schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${run.clientId}'
          }
        : {
            AzureWebJobsStorage__queueServiceUri: hostAccount.properties.primaryEndpoints.queue
            AzureWebJobsStorage__tableServiceUri: hostAccount.properties.primaryEndpoints.table
          }
    )
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: site
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = site.name
output hostName string = site.properties.defaultHostName
