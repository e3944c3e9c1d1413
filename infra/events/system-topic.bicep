// What ARM does in this subscription, as events (documentation: Azure subscription as an Event Grid source).
@description('Name of the system topic.')
param name string

@description('Whether the topic gets an identity.')
param withIdentity bool

@description('Tags of the topic.')
param tags object

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: 'global'
  tags: tags
  identity: withIdentity ? {
    type: 'SystemAssigned'
  } : null
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}
