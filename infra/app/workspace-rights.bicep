// What the app may do with one Log Analytics workspace: read ended jobs there and, in mode enforce, name it as the place
// where vaults send their jobs. main.bicep deploys this for the app's own workspace; for another one it is deployed to
// that workspace's resource group by hand (not by main.bicep: `azd down` takes the groups of its deployment for its own).
@description('Name of the workspace.')
param workspaceName string

@description('What the app may do: look only (audit), or protect clusters (enforce).')
@allowed(['audit', 'enforce'])
param mode string

@description('Object id of the app\'s managed identity.')
param appPrincipalId string

@description('Name of the custom role, without the workspace: names of custom roles are unique in the tenant.')
param roleName string

var rights = loadJsonContent('../rights/workspace-actions.json')
var granted = mode == 'audit' ? filter(rights, right => right.audit) : rights
var actions = [for right in granted: right.action]
var logAnalyticsReader = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '73c42c96-874c-492b-b04d-ab87d138a893')

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource readerOfLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, appPrincipalId, logAnalyticsReader)
  scope: workspace
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: logAnalyticsReader
    description: 'AKS Backup Guard looks for ended jobs and out-of-memory kills.'
  }
}

// Deployed in audit mode, too: an app that may no longer enforce loses what the role gave it.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(workspace.id, roleName)
  properties: {
    roleName: '${roleName} ${workspaceName} ${uniqueString(workspace.id)}'
    description: 'AKS Backup Guard lets vaults send their jobs to a workspace.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
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

resource senderOfJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, appPrincipalId, roleName)
  scope: workspace
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
    description: 'AKS Backup Guard lets vaults send their jobs to this workspace.'
  }
}
