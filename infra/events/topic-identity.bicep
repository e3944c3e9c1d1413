// Reads who the system topic is, whether it was just made or was there before.
@description('Name of the system topic.')
param systemTopicName string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: systemTopicName
}

@description('Object id of the topic\'s own identity.')
output principalId string = topic.identity.principalId
