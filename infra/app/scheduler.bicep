// The Durable Task Scheduler: keeps the instances of Durable Functions. Roles are given on the hub, so a second hub stays closed.
param location string
param tags object
param token string
@description('Consumption is billed by action, keeps history for 30 days at most and takes 500 actions a second; Dedicated 90 days and 2,000')
param sku string
param ipAllowlist string[]
param retentionDays int
param retentionDaysFailed int

var longestDays = sku == 'Consumption' ? 30 : 90

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: 'dts-${token}'
  location: location
  tags: tags
  properties: {
    sku: sku == 'Consumption' ? { name: sku } : { name: sku, capacity: 1 }
    // An empty list denies everybody, so it is never left out.
    ipAllowlist: ipAllowlist
  }

  resource hub 'taskHubs' = {
    name: 'lamplighter'
  }

  // Its history is for looking into instances: what a job did stays in Postgres for as long as the settings say.
  resource retention 'retentionPolicies' = {
    name: 'default'
    properties: {
      retentionPolicies: [
        { retentionPeriodInDays: min(retentionDaysFailed, longestDays) }
        { orchestrationState: 'Completed', retentionPeriodInDays: min(retentionDays, longestDays) }
      ]
    }
  }
}

output name string = scheduler.name
output endpoint string = scheduler.properties.endpoint
output taskHubName string = scheduler::hub.name
