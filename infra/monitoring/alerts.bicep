// Who is woken, when, and what to do then: each alert names its runbook in docs/operations.md.
param location string
param tags object
param insightsId string
param actionGroupId string
param postgresId string
@description('Connections that the size of the server leaves to users')
param userConnections int
param readyUrl string
@description('Where the runbooks stand; a link to your own copy makes it one click')
param runbooks string = 'docs/operations.md'

// Severity 1 wakes somebody, 2 is for the working day. A row of the query is the alert.
var logAlerts = [
  {
    name: 'failed-jobs'
    severity: 2
    every: 'PT15M'
    window: 'PT1H'
    runbook: 'alert-jobs-fail'
    query: loadTextContent('queries/failed-jobs.kql')
  }
  {
    name: 'stuck-jobs'
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
    runbook: 'alert-a-job-stands-still'
    query: loadTextContent('queries/stuck-jobs.kql')
  }
  {
    name: 'open-breakers'
    severity: 1
    every: 'PT5M'
    window: 'PT1H'
    runbook: 'alert-a-dependency-is-down'
    query: loadTextContent('queries/open-breakers.kql')
  }
  {
    name: 'event-loop-lag'
    severity: 2
    every: 'PT5M'
    window: 'PT15M'
    runbook: 'alert-an-instance-is-late'
    query: loadTextContent('queries/event-loop-lag.kql')
  }
  {
    name: 'poisoned-tasks'
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    runbook: 'alert-poisoned-tasks'
    query: loadTextContent('queries/poisoned-tasks.kql')
  }
  {
    name: 'orchestration-load'
    severity: 2
    every: 'PT30M'
    window: 'P2D'
    runbook: 'alert-more-orchestration-than-usual'
    query: loadTextContent('queries/orchestration-load.kql')
  }
]

var databaseAlerts = [
  {
    name: 'database-connections'
    severity: 1
    metric: 'active_connections'
    threshold: userConnections * 8 / 10
    runbook: 'alert-the-database-runs-out-of-connections'
  }
  // At 95 % the server turns read-only.
  {
    name: 'database-storage'
    severity: 1
    metric: 'storage_percent'
    threshold: 80
    runbook: 'alert-the-database-runs-out-of-storage'
  }
]

resource logRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in logAlerts: {
    name: alert.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: 'What to do: ${runbooks}#${alert.runbook}'
      severity: alert.severity
      enabled: true
      scopes: [insightsId]
      evaluationFrequency: alert.every
      windowSize: alert.window
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      actions: { actionGroups: [actionGroupId], customProperties: { runbook: '${runbooks}#${alert.runbook}' } }
    }
  }
]

resource databaseRules 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for alert in databaseAlerts: {
    name: alert.name
    location: 'global'
    tags: tags
    properties: {
      description: 'What to do: ${runbooks}#${alert.runbook}'
      severity: alert.severity
      enabled: true
      scopes: [postgresId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT5M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: alert.metric
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
            metricName: alert.metric
            timeAggregation: 'Average'
            operator: 'GreaterThan'
            threshold: alert.threshold
          }
        ]
      }
      actions: [{ actionGroupId: actionGroupId, webHookProperties: { runbook: '${runbooks}#${alert.runbook}' } }]
    }
  }
]

resource readyTest 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'ready'
  location: location
  // The portal finds the test by this tag.
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'ready'
    Name: 'ready'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    Locations: [{ Id: 'emea-nl-ams-azr' }, { Id: 'emea-gb-db3-azr' }, { Id: 'us-va-ash-azr' }]
    Request: { RequestUrl: readyUrl, HttpVerb: 'GET', ParseDependentRequests: false }
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true, SSLCertRemainingLifetimeCheck: 14 }
  }
}

resource readyRule 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'not-ready'
  location: 'global'
  tags: tags
  properties: {
    description: 'What to do: ${runbooks}#alert-the-app-is-not-ready'
    severity: 1
    enabled: true
    scopes: [readyTest.id, insightsId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: readyTest.id
      componentId: insightsId
      // One place alone may have trouble of its own.
      failedLocationCount: 2
    }
    actions: [
      { actionGroupId: actionGroupId, webHookProperties: { runbook: '${runbooks}#alert-the-app-is-not-ready' } }
    ]
  }
}
