// The app's rights in one monitored subscription. Nothing here lies in a resource group: `azd down` deletes every
// resource group a deployment of its own names, and the snapshot groups hold recovery points (docs/decisions/0015).
// Those are made by snapshot-groups.bicep, which the hook `postprovision` deploys by itself.
targetScope = 'subscription'

@description('What the app may do: look only (audit), or protect clusters (enforce).')
@allowed(['audit', 'enforce'])
param mode string

@description('Object id of the app\'s managed identity.')
param appPrincipalId string

@description('Name of the custom role, without the subscription: names of custom roles are unique in the tenant.')
param roleName string

var rights = loadJsonContent('../rights/actions.json')
var granted = mode == 'audit' ? filter(rights, right => right.audit) : rights
var actions = [for right in granted: right.action]
var rbacAdministrator = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'f58310d9-a9f6-439a-9e8d-f62e7b41a168')

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, roleName)
  properties: {
    roleName: '${roleName} ${subscription().subscriptionId}'
    description: 'What AKS Backup Guard calls, and nothing else (mode ${mode}).'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource roleOfApp 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, appPrincipalId, role.id)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
    description: 'AKS Backup Guard, mode ${mode}.'
  }
}

// It may give the roles that a backup needs (documentation: AKS backup prerequisites, required roles), and no other.
resource roleAdministration 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (mode == 'enforce') {
  name: guid(subscription().id, appPrincipalId, rbacAdministrator)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: rbacAdministrator
    condition: replace(loadTextContent('../rights/assign-roles.condition'), '{appPrincipalId}', appPrincipalId)
    conditionVersion: '2.0'
    description: 'AKS Backup Guard gives the roles of a backup to managed identities.'
  }
}

@description('The custom role of the app in this subscription.')
output roleDefinitionId string = role.id
