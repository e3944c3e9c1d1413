// Snapshot resource groups of one monitored subscription, and the app's right to make cluster identities Contributor
// there and nowhere else. Deployed by the hook `postprovision` with a deployment of its own, never by main.bicep:
// `azd down` would delete the groups, and with them the recovery points (docs/decisions/0015).
targetScope = 'subscription'

@description('Object id of the app\'s managed identity.')
param appPrincipalId string

@description('Groups that are not there yet: objects with `name` and `location`. Groups that are there keep their tags.')
param groupsToMake array

@description('Names of all snapshot groups of the subscription, made here or there before.')
param groupNames array

resource groups 'Microsoft.Resources/resourceGroups@2025-04-01' = [
  for group in groupsToMake: {
    name: group.name
    location: group.location
  }
]

module contributors 'snapshot-group.bicep' = [
  for name in groupNames: {
    name: 'aks-backup-guard-${uniqueString(name)}'
    scope: resourceGroup(name)
    params: {
      appPrincipalId: appPrincipalId
    }
    dependsOn: [groups]
  }
]
