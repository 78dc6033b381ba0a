// The defaults: scheduler, private network, callers with tokens.
using '../main.bicep'

param environmentName = 'scheduler'
param location = 'westeurope'
param principalId = '00000000-0000-0000-0000-00000000000d'
param databaseAdministratorName = 'operators@example.com'
param jwtIssuer = 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001/v2.0'
param jwtAudience = 'api://lamplighter'
param alertEmail = 'operators@example.com'
