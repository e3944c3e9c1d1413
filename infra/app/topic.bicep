// The app's own topic: what it found out is published here, and read by the app itself and by whoever subscribes.
@description('Name of the topic.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags object

@description('The Log Analytics workspace that is told who publishes and what could not be delivered.')
param workspaceId string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  //checkov:skip=CKV_AZURE_193:The deployer's smoke test and other subscribers' publishers are outside; publishing needs a role, keys are off
  name: name
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned' // with it Event Grid leaves dead letters, and delivers to the queue
  }
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: topic
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'DeliveryFailures'
        enabled: true
      }
      {
        category: 'PublishFailures'
        enabled: true
      }
      {
        category: 'DataPlaneRequests'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('ARM id of the topic.')
output id string = topic.id

@description('Where events are published to.')
output endpoint string = topic.properties.endpoint
