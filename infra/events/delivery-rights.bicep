// What the identity of a topic may do at the app's storage account: leave dead letters, and events when it delivers to
// the queue.
@description('The app\'s storage account.')
param storageAccountName string

@description('Object id of the topic\'s identity.')
param principalId string

@description('How events reach the app.')
@allowed(['function', 'queue'])
param eventDelivery string

var blobContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe')
var queueSender = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a')

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: account
  name: 'default'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobs
  name: 'dead-letters'
}

resource deadLetterRight 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadLetters.id, principalId, blobContributor)
  scope: deadLetters
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: blobContributor
    description: 'Event Grid leaves what it could not deliver to AKS Backup Guard.'
  }
}

resource queueRight 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (eventDelivery == 'queue') {
  name: guid(account.id, principalId, queueSender)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: queueSender
    description: 'Event Grid delivers events to the queue of AKS Backup Guard.'
  }
}
