// Instances in queues and tables of the host account; private network, callers with keys, nobody deploys by hand.
using '../main.bicep'

param environmentName = 'storage'
param location = 'westeurope'
param databaseAdministratorId = '00000000-0000-0000-0000-00000000000a'
param databaseAdministratorName = 'database-administrators'
param databaseAdministratorType = 'Group'
param durableBackend = 'azureStorage'
