// Events that Event Grid could not deliver for a day, of one topic (metrics of Microsoft.EventGrid/topics and
// Microsoft.EventGrid/systemTopics). Dropped ones could not even be kept as dead letters.
@description('Name of the topic, for the names of the rules.')
param topicName string

@description('The topic: a custom or a system topic.')
param topicId string

@description('Who is told.')
param actionGroupId string

@description('Tags of the rules.')
param tags object

var metrics = [
  {
    name: 'DeadLetteredCount'
    title: 'dead-letters'
  }
  {
    name: 'DroppedEventCount'
    title: 'dropped-events'
  }
]

resource rules 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for metric in metrics: {
    name: 'aks-backup-guard-${metric.title}-${topicName}-${uniqueString(actionGroupId)}' // installations share topics
    location: 'global'
    tags: tags
    properties: {
      description: 'AKS Backup Guard: events of ${topicName} were not delivered. What to do: docs/operations.md#dead-letters'
      severity: 2
      enabled: true
      scopes: [topicId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: metric.title
            criterionType: 'StaticThresholdCriterion'
            metricName: metric.name
            operator: 'GreaterThan'
            threshold: 0
            timeAggregation: 'Total'
          }
        ]
      }
      actions: [
        {
          actionGroupId: actionGroupId
        }
      ]
    }
  }
]
