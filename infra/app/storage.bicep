// Two accounts: a data role that leaks never reaches the package and the task hub.
param location string
param tags object
param token string
param isPrivate bool
param dataRedundancy string
@description('Days after which result files of jobs are deleted')
param retentionDays int
param workspaceId string

var access = {
  allowSharedKeyAccess: false
  allowBlobPublicAccess: false
  allowCrossTenantReplication: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  supportsHttpsTrafficOnly: true
  publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  networkAcls: { bypass: 'None', defaultAction: isPrivate ? 'Deny' : 'Allow' }
}

@description('Package of the app, leases of the host, task hub of the azureStorage backend')
resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: 'lamphost${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: access

  resource blobs 'blobServices' = {
    name: 'default'

    resource packages 'containers' = {
      name: 'packages'
    }
  }
}

@description('What jobs read and write')
resource dataAccount 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: 'lampdata${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: dataRedundancy }
  properties: access

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource containers 'containers' = [
      for name in ['bronze', 'silver', 'gold', 'lamplighter']: {
        name: name
      }
    ]
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'files-of-jobs'
            enabled: true
            type: 'Lifecycle'
            definition: {
              // The app deletes rows; what it wrote for itself goes here. Rasters in the tiers are never touched.
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['lamplighter/results/', 'lamplighter/lists/'] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: retentionDays } } }
            }
          }
        ]
      }
    }
  }
}

// Reads are not logged: each task reads, and the lines would cost more than the storage.
var logs = [{ category: 'StorageWrite', enabled: true }, { category: 'StorageDelete', enabled: true }]
var metrics = [{ category: 'Transaction', enabled: true }]

resource hostDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: hostAccount::blobs
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, logs: [{ category: 'StorageDelete', enabled: true }], metrics: metrics }
}

resource dataDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: dataAccount::blobs
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, logs: logs, metrics: metrics }
}

output hostAccountId string = hostAccount.id
output hostAccountName string = hostAccount.name
output dataAccountId string = dataAccount.id
output dataAccountName string = dataAccount.name
output dataBlobEndpoint string = dataAccount.properties.primaryEndpoints.blob
