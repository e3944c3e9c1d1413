// A condition cannot see the scope of an assignment: what may be Contributor is decided by where this stands.
@description('Object id of the app\'s managed identity.')
param appPrincipalId string

var rbacAdministrator = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'f58310d9-a9f6-439a-9e8d-f62e7b41a168')

resource contributorAdministration 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, appPrincipalId, rbacAdministrator)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: rbacAdministrator
    condition: replace(loadTextContent('../rights/assign-contributor.condition'), '{appPrincipalId}', appPrincipalId)
    conditionVersion: '2.0'
    description: 'AKS Backup Guard makes cluster identities Contributor in this group, which holds disk snapshots alone.'
  }
}
