// What ARM does in this subscription, as events (documentation: Azure subscription as an Event Grid source).
@description('Name of the system topic.')
param name string

@description('Tags of the topic.')
param tags object

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: 'global'
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}
