// Every role assignment of the template. The identity `migrate` has none: it opens the database alone, by its role there.
param runPrincipalId string
param deployerId string
param deployerType string
param hostAccountName string
param dataAccountName string
param vaultName string
param insightsName string
param schedulerName string
param taskHubName string
param isManaged bool

var roles = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  // Keys for signatures; the data roles of single containers do not contain it.
  storageBlobDelegator: 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  monitoringReader: '43d0d8ad-25c7-4714-9337-8ba259a9fe05'
  durableTaskDataContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
}

// The table. `run` is the app, `deployer` the person or pipeline that deploys.
var run = { id: runPrincipalId, type: 'ServicePrincipal' }
var deployers = empty(deployerId) ? [] : [{ id: deployerId, type: deployerType }]
var onHost = concat(
  [{ who: run, role: roles.storageBlobDataOwner }],
  isManaged
    ? []
    : [{ who: run, role: roles.storageQueueDataContributor }, { who: run, role: roles.storageTableDataContributor }]
)
var onData = [{ who: run, role: roles.storageBlobDelegator }]
var onContainers = [
  { container: 'bronze', who: run, role: roles.storageBlobDataReader }
  { container: 'silver', who: run, role: roles.storageBlobDataContributor }
  { container: 'gold', who: run, role: roles.storageBlobDataContributor }
  { container: 'lamplighter', who: run, role: roles.storageBlobDataContributor }
]
var onVault = [{ who: run, role: roles.keyVaultSecretsUser }]
var onInsights = concat(
  [{ who: run, role: roles.monitoringMetricsPublisher }],
  map(deployers, d => { who: d, role: roles.monitoringReader })
)
var onHub = isManaged ? map(concat([run], deployers), p => { who: p, role: roles.durableTaskDataContributor }) : []

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostAccountName
}
resource dataAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource containers 'containers' existing = [
      for row in onContainers: {
        name: row.container
      }
    ]
  }
}
resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}
resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}
resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' existing = if (isManaged) {
  name: '${schedulerName}/${taskHubName}'
}

resource hostRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in onHost: {
    scope: hostAccount
    name: guid(hostAccount.id, row.who.id, row.role)
    properties: {
      principalId: row.who.id
      principalType: row.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.role)
    }
  }
]
resource dataRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in onData: {
    scope: dataAccount
    name: guid(dataAccount.id, row.who.id, row.role)
    properties: {
      principalId: row.who.id
      principalType: row.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.role)
    }
  }
]
resource containerRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (row, i) in onContainers: {
    scope: dataAccount::blobs::containers[i]
    name: guid(dataAccount::blobs::containers[i].id, row.who.id, row.role)
    properties: {
      principalId: row.who.id
      principalType: row.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.role)
    }
  }
]
resource vaultRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in onVault: {
    scope: vault
    name: guid(vault.id, row.who.id, row.role)
    properties: {
      principalId: row.who.id
      principalType: row.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.role)
    }
  }
]
resource insightsRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in onInsights: {
    scope: insights
    name: guid(insights.id, row.who.id, row.role)
    properties: {
      principalId: row.who.id
      principalType: row.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.role)
    }
  }
]
resource hubRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in onHub: {
    scope: hub
    name: guid(hub.id, row.who.id, row.role)
    properties: {
      principalId: row.who.id
      principalType: row.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.role)
    }
  }
]
