// Who the app is: one identity runs it, another owns the schema. Both are attached to the site, so that a private database can be migrated from inside.
import { Identity } from 'types.bicep'

param location string
param tags object
param token string

resource run 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-run-${token}'
  location: location
  tags: tags
}

resource migrate 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-migrate-${token}'
  location: location
  tags: tags
}

output run Identity = {
  id: run.id
  name: run.name
  clientId: run.properties.clientId
  principalId: run.properties.principalId
}
output migrate Identity = {
  id: migrate.id
  name: migrate.name
  clientId: migrate.properties.clientId
  principalId: migrate.properties.principalId
}
