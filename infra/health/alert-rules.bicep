// What of the app's own health somebody must hear. Each description names the heading of the operations guide that
// says what to do. The queries stand in files of their own, so that they can be checked and tried: each gives one row
// with the number `fires`, also when there is no telemetry at all.
@description('Azure region of the rules: that of the workspace.')
param location string

@description('The Log Analytics workspace of the app\'s telemetry.')
param workspaceId string

@description('Who is told.')
param actionGroupId string

@description('Tags of the rules.')
param tags object

@description('When this is deployed: an app that was never heard of is not missed at once.')
param deployedAt string = utcNow('yyyy-MM-ddTHH:mm:ssZ')

var rules = [
  {
    name: 'poison-messages'
    title: 'AKS Backup Guard: a message could not be processed'
    heading: 'poison-messages'
    severity: 2
    query: loadTextContent('queries/poison-messages.kql')
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'no-sweep'
    title: 'AKS Backup Guard: no sweep for a day'
    heading: 'no-sweep-for-a-day'
    severity: 1
    query: loadTextContent('queries/no-sweep.kql')
    window: 'P2D'
    frequency: 'PT1H'
  }
  {
    name: 'no-reconcile'
    title: 'AKS Backup Guard: nothing was looked at for an hour'
    heading: 'no-reconcile-for-an-hour'
    severity: 1
    query: loadTextContent('queries/no-reconcile.kql')
    window: 'PT6H'
    frequency: 'PT15M'
  }
  {
    name: 'failed-deliveries'
    title: 'AKS Backup Guard: messages do not reach a channel'
    heading: 'failed-deliveries'
    severity: 2
    query: loadTextContent('queries/failed-deliveries.kql')
    window: 'PT1H'
    frequency: 'PT15M'
  }
  {
    name: 'throttled'
    title: 'AKS Backup Guard: Azure throttles it for an hour'
    heading: 'throttled-for-long'
    severity: 3
    query: loadTextContent('queries/throttled.kql')
    window: 'PT2H'
    frequency: 'PT15M'
  }
]

resource alertRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'aks-backup-guard-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: 'What to do: docs/operations.md#${rule.heading}'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      windowSize: rule.window
      evaluationFrequency: rule.frequency
      autoMitigate: true
      skipQueryValidation: true // a new workspace has no tables yet; the tests check the queries
      criteria: {
        allOf: [
          {
            query: replace(rule.query, '{deployedAt}', deployedAt)
            metricMeasureColumn: 'fires'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [actionGroupId]
      }
    }
  }
]
