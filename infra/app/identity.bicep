// Who the app is, everywhere: towards ARM, storage, its topic, its key vault and Application Insights.
@description('Name of the identity.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('ARM id of the identity.')
output id string = identity.id

@description('Its object id, for role assignments.')
output principalId string = identity.properties.principalId

@description('Its client id, for app settings.')
output clientId string = identity.properties.clientId
