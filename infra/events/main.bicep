// Stage two, when the code is there: Event Grid refuses an event subscription to a function that does not exist yet.
// Deployed by the hook `postdeploy` to each monitored subscription and to that of the app, as often as one likes.
// Not part of main.bicep: the resource group of the system topic may hold other people's things (docs/decisions/0015).
targetScope = 'subscription'

@description('Azure region of the resource group that is made for the system topic.')
param location string

@description('Tags of all that is made.')
param tags object

@description('Whether clusters of this subscription are protected: it gets a system topic and passes its backup alerts on.')
param monitored bool

@description('Resource group of the system topic.')
param topicGroupName string

@description('Whether that resource group is made here.')
param makeTopicGroup bool

@description('Name of the system topic of this subscription.')
param systemTopicName string

@description('Whether the system topic is made here. An Azure subscription can have one only: an existing one is shared.')
param makeSystemTopic bool

@description('Whether the system topic has an identity, by which dead letters are kept. Azure may refuse one: the topic is global.')
param topicIdentity bool

@description('The app\'s own topic, when this is the subscription of the app; else empty.')
param eventTopicId string

@description('The function app.')
param functionAppId string

@description('How events reach the app: by its functions\' endpoints, or by the queue `events` with the topic\'s own identity.')
@allowed(['function', 'queue'])
param eventDelivery string

@description('The app\'s storage account: dead letters, and the queue.')
param storageAccountId string

@description('Who is told of Azure Backup\'s alerts and of dead letters.')
param actionGroupId string

var account = split(storageAccountId, '/')
var ownTopic = split(empty(eventTopicId) ? storageAccountId : eventTopicId, '/')

resource topicGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = if (makeTopicGroup) {
  name: topicGroupName
  location: location
  tags: tags
}

module systemTopic 'system-topic.bicep' = if (monitored && makeSystemTopic) {
  name: 'aks-backup-guard-topic'
  scope: resourceGroup(topicGroupName)
  params: {
    name: systemTopicName
    withIdentity: topicIdentity
    tags: tags
  }
  dependsOn: [topicGroup]
}

module systemTopicIdentity 'topic-identity.bicep' = if (monitored && topicIdentity) {
  name: 'aks-backup-guard-topic-identity'
  scope: resourceGroup(topicGroupName)
  params: {
    systemTopicName: systemTopicName
  }
  dependsOn: [systemTopic]
}

module systemTopicRights 'delivery-rights.bicep' = if (monitored && topicIdentity) {
  name: 'aks-backup-guard-rights-${uniqueString(subscription().id)}'
  scope: resourceGroup(account[2], account[4])
  params: {
    storageAccountName: account[8]
    principalId: systemTopicIdentity!.outputs.principalId
    eventDelivery: eventDelivery
  }
}

module clusterEvents 'cluster-events.bicep' = if (monitored) {
  name: 'aks-backup-guard-cluster-events'
  scope: resourceGroup(topicGroupName)
  params: {
    systemTopicName: systemTopicName
    topicIdentity: topicIdentity
    functionAppId: functionAppId
    storageAccountId: storageAccountId
    eventDelivery: eventDelivery
  }
  dependsOn: [systemTopic, systemTopicRights]
}

module deadClusterEvents '../health/dead-letter-alerts.bicep' = if (monitored) {
  name: 'aks-backup-guard-dead-letters'
  scope: resourceGroup(topicGroupName)
  params: {
    topicName: systemTopicName
    topicId: resourceId(subscription().subscriptionId, topicGroupName, 'Microsoft.EventGrid/systemTopics', systemTopicName)
    actionGroupId: actionGroupId
    tags: tags
  }
  dependsOn: [systemTopic]
}

module backupAlerts '../fleet/backup-alerts.bicep' = if (monitored) {
  name: 'aks-backup-guard-backup-alerts'
  scope: resourceGroup(topicGroupName)
  params: {
    name: 'aks-backup-guard-backup-alerts-${uniqueString(actionGroupId)}'
    actionGroupId: actionGroupId
    tags: tags
  }
  dependsOn: [topicGroup]
}

module jobEvents 'job-events.bicep' = if (!empty(eventTopicId)) {
  name: 'aks-backup-guard-job-events'
  scope: resourceGroup(ownTopic[2], ownTopic[4])
  params: {
    topicName: ownTopic[8]
    functionAppId: functionAppId
    storageAccountId: storageAccountId
    eventDelivery: eventDelivery
  }
}
