// AKS Backup Guard, stage one: the app with all it needs in one resource group, its rights in each subscription it looks
// after, and who hears of its own health. Stage two, once the code is there, are the event subscriptions (infra/events).
//
// Lists are texts with commas between: variables of the azd environment, which the parameters come from
// (main.parameters.json), are texts. `azd env set GUARD_ALERT_EMAIL sre@example.com` sets alertEmail, and so on. No output
// is called like a variable that a person sets: azd removes outputs from its environment on `azd down`.
targetScope = 'subscription'

@description('Name of the azd environment: names the resource group, and marks what belongs to it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region of the app; one that has Flex Consumption. Clusters may be anywhere.')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

@description('What the app may do: audit gives it rights to read only, enforce those to protect clusters.')
@allowed(['audit', 'enforce'])
param mode string = 'audit'

@description('Ids of the subscriptions whose clusters are looked after. Empty: that of the deployment, unless there are management groups.')
param subscriptions string = ''

@description('Names (not display names) of management groups whose subscriptions are looked after, too.')
param managementGroups string = ''

@description('How events reach the app: by its functions\' endpoints, with the Functions host\'s own key; or by the queue `events`, with an identity.')
@allowed(['function', 'queue'])
param eventDelivery string = 'function'

@description('Names of the channels of guard.yaml, for example TEAM_SHOP,PAGER. The address of TEAM_SHOP is the secret channel-team-shop of the key vault.')
param channels string = ''

@description('Whether storage and key vault are reached from the app\'s own virtual network alone. Needs the resource provider Microsoft.App registered in the subscription.')
param privateNetwork bool = false

@description('The first three numbers of the addresses of that network, a /24 (only with privateNetwork).')
param networkAddressPrefix string = '10.90.0'

@description('Address ranges (CIDR) from which people and programs may call the app; Event Grid and Azure Monitor always may. That of the deployer must be among them. Empty: all addresses, behind Microsoft Entra ID.')
param callerAddresses string = ''

@description('Instances that are always there for the first event after a pause (only with eventDelivery function). Each is billed around the clock.')
@minValue(0)
@maxValue(10)
param alwaysReady int = 1

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('How many instances there may be at once. Flex Consumption takes 40 at least.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Whether app and storage spread over three zones of the region. Decided once: an account cannot simply change.')
param zoneRedundant bool = false

@description('Object id of whoever deploys; azd fills it in. May send the smoke test\'s event to the app\'s topic. Empty: nobody may.')
param deployerPrincipalId string = ''

@description('What the deployer is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param deployerPrincipalType string = 'User'

@description('Client id of the app registration that guards the HTTP side. Empty: the app refuses every HTTP call but those of Event Grid and /api/health.')
param authClientId string = ''

@description('Object id of that app registration. Empty: Azure Monitor\'s action group does not call the app.')
param authAppObjectId string = ''

@description('Who is mailed when the app itself is unwell, and Azure Backup\'s own alerts. Empty: nobody.')
param alertEmail string = ''

@description('How many days logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Whether every access to the app\'s tables and queues is logged: much, and dear.')
param logStorageAccess bool = false

@description('How many days dead letters are kept.')
@minValue(1)
@maxValue(365)
param deadLetterRetentionDays int = 30

@description('True once, when this environment was deleted with `azd down` and comes back within 90 days: its key vault is brought back.')
param recoverKeyVault bool = false

@description('Path of the configuration in the package.')
param configuration string = 'guard.yaml'

@description('The configuration itself, as YAML, for a deployment without azd (its environment holds single lines). Given, no file is read.')
param configurationYaml string = ''

@description('Emergency stop: everything is still observed and alerted, nothing in Azure is changed. A deployment sets this and every other app setting anew, whatever was changed by hand.')
param stopped bool = false

@description('ARM calls in flight per subscription, of all instances together.')
@minValue(1)
param maxCallsInFlight int = 64

@description('Calls of each ARM quota that are left to people and other programs.')
@minValue(0)
param quotaReserve int = 5

@description('Whether ended jobs are looked for in Resource Graph.')
param resourceGraphJobs bool = true

@description('Ids (GUIDs) of further Log Analytics workspaces in which ended jobs and out-of-memory kills are looked for. What the app needs there is given by infra/app/workspace-rights.bicep.')
param logAnalyticsWorkspaces string = ''

@description('Query endpoint of Log Analytics. Empty: that of the public cloud.')
param logAnalyticsEndpoint string = ''

var named = filter(split(replace(subscriptions, ' ', ''), ','), item => !empty(item))
var groups = filter(split(replace(managementGroups, ' ', ''), ','), item => !empty(item))
var monitored = empty(named) && empty(groups) ? [subscription().subscriptionId] : named
var channelNames = filter(split(replace(channels, ' ', ''), ','), item => !empty(item))
var callers = filter(split(replace(callerAddresses, ' ', ''), ','), item => !empty(item))
var workspaces = filter(split(replace(logAnalyticsWorkspaces, ' ', ''), ','), item => !empty(item))

var resourceToken = uniqueString(subscription().id, environmentName, location)
var names = {
  group: 'rg-${environmentName}'
  identity: 'id-aks-backup-guard-${resourceToken}'
  workspace: 'log-aks-backup-guard-${resourceToken}'
  applicationInsights: 'appi-aks-backup-guard-${resourceToken}'
  storage: 'stguard${resourceToken}'
  topic: 'evgt-aks-backup-guard-${resourceToken}'
  keyVault: 'kv-guard-${resourceToken}'
  network: 'vnet-aks-backup-guard-${resourceToken}'
  plan: 'plan-aks-backup-guard-${resourceToken}'
  app: 'func-guard-${resourceToken}'
  actionGroup: 'ag-aks-backup-guard-${resourceToken}'
}
var tags = {
  'azd-env-name': environmentName
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: names.group
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  name: 'aks-backup-guard-identity'
  scope: group
  params: {
    name: names.identity
    location: location
    tags: tags
  }
}

module monitoring 'app/monitoring.bicep' = {
  name: 'aks-backup-guard-monitoring'
  scope: group
  params: {
    workspaceName: names.workspace
    applicationInsightsName: names.applicationInsights
    location: location
    tags: tags
    logRetentionDays: logRetentionDays
  }
}

module storage 'app/storage.bicep' = {
  name: 'aks-backup-guard-storage'
  scope: group
  params: {
    name: names.storage
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    privateNetwork: privateNetwork
    logStorageAccess: logStorageAccess
    deadLetterRetentionDays: deadLetterRetentionDays
    workspaceId: monitoring.outputs.workspaceId
  }
}

module topic 'app/topic.bicep' = {
  name: 'aks-backup-guard-topic'
  scope: group
  params: {
    name: names.topic
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module keyVault 'app/key-vault.bicep' = {
  name: 'aks-backup-guard-key-vault'
  scope: group
  params: {
    name: names.keyVault
    location: location
    tags: tags
    recover: recoverKeyVault
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'app/network.bicep' = if (privateNetwork) {
  name: 'aks-backup-guard-network'
  scope: group
  params: {
    name: names.network
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
    storageAccountId: storage.outputs.id
    keyVaultId: keyVault.outputs.id
  }
}

module ownRights 'app/own-rights.bicep' = {
  name: 'aks-backup-guard-own-rights'
  scope: group
  params: {
    appPrincipalId: identity.outputs.principalId
    deployerPrincipalId: deployerPrincipalId
    deployerPrincipalType: deployerPrincipalType
    storageAccountName: names.storage
    topicName: names.topic
    keyVaultName: names.keyVault
    applicationInsightsName: names.applicationInsights
  }
  dependsOn: [storage, topic, keyVault, monitoring]
}

module workspaceRights 'app/workspace-rights.bicep' = {
  name: 'aks-backup-guard-workspace-rights'
  scope: group
  params: {
    workspaceName: names.workspace
    mode: mode
    appPrincipalId: identity.outputs.principalId
    roleName: 'AKS Backup Guard of ${names.app}'
  }
  dependsOn: [monitoring]
}

module functionApp 'app/function-app.bicep' = {
  name: 'aks-backup-guard-function-app'
  scope: group
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    tableEndpoint: storage.outputs.tableEndpoint
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    topicEndpoint: topic.outputs.endpoint
    keyVaultName: keyVault.outputs.name
    channels: channelNames
    subscriptions: monitored
    managementGroups: groups
    logAnalyticsWorkspaces: concat([monitoring.outputs.workspaceGuid], workspaces)
    logAnalyticsEndpoint: logAnalyticsEndpoint
    configuration: configuration
    configurationYaml: configurationYaml
    stopped: stopped
    maxCallsInFlight: maxCallsInFlight
    quotaReserve: quotaReserve
    resourceGraphJobs: resourceGraphJobs
    alwaysReady: alwaysReady
    eventDelivery: eventDelivery
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    zoneRedundant: zoneRedundant
    callerAddresses: callers
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
  }
  dependsOn: [ownRights] // the host does not start without its storage
}

module authentication 'app/authentication.bicep' = {
  name: 'aks-backup-guard-authentication'
  scope: group
  params: {
    functionAppName: names.app
    clientId: authClientId
  }
  dependsOn: [functionApp]
}

// What the app may do where the clusters are. Those below a management group get it from there (infra/fleet).
module rights 'fleet/subscription.bicep' = [
  for id in monitored: {
    name: 'aks-backup-guard-rights-${uniqueString(id, resourceToken)}'
    scope: subscription(id)
    params: {
      mode: mode
      appPrincipalId: identity.outputs.principalId
      roleName: 'AKS Backup Guard of ${names.app}'
    }
  }
]

module actionGroup 'health/action-group.bicep' = {
  name: 'aks-backup-guard-action-group'
  scope: group
  params: {
    name: names.actionGroup
    alertEmail: alertEmail
    appUrl: functionApp.outputs.url
    authClientId: authClientId
    authAppObjectId: authAppObjectId
    tags: tags
  }
}

module alertRules 'health/alert-rules.bicep' = {
  name: 'aks-backup-guard-alert-rules'
  scope: group
  params: {
    location: location
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: actionGroup.outputs.id
    tags: tags
  }
}

module deadLetterAlerts 'health/dead-letter-alerts.bicep' = {
  name: 'aks-backup-guard-dead-letter-alerts'
  scope: group
  params: {
    topicName: names.topic
    topicId: topic.outputs.id
    actionGroupId: actionGroup.outputs.id
    tags: tags
  }
}

module workbook 'health/workbook.bicep' = {
  name: 'aks-backup-guard-workbook'
  scope: group
  params: {
    location: location
    workspaceId: monitoring.outputs.workspaceId
    tags: tags
  }
}

@description('Resource group of the app.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output FUNCTION_APP_NAME string = names.app

@description('ARM id of the function app.')
output FUNCTION_APP_ID string = functionApp.outputs.id

@description('Address of the app, without a slash at the end.')
output FUNCTION_APP_URL string = functionApp.outputs.url

@description('ARM id of the app\'s managed identity.')
output APP_IDENTITY_ID string = identity.outputs.id

@description('Object id of the app\'s managed identity.')
output APP_PRINCIPAL_ID string = identity.outputs.principalId

@description('Client id of the app\'s managed identity.')
output APP_CLIENT_ID string = identity.outputs.clientId

@description('ARM id of the app\'s storage account.')
output STORAGE_ACCOUNT_ID string = storage.outputs.id

@description('ARM id of the app\'s own topic.')
output EVENT_TOPIC_ID string = topic.outputs.id

@description('Where events are published to the app\'s own topic.')
output EVENT_TOPIC_ENDPOINT string = topic.outputs.endpoint

@description('Name of the key vault with the addresses of the channels.')
output KEY_VAULT_NAME string = keyVault.outputs.name

@description('ARM id of the Log Analytics workspace.')
output LOG_ANALYTICS_WORKSPACE_ID string = monitoring.outputs.workspaceId

@description('ARM id of the action group that hears of the app\'s own health.')
output ACTION_GROUP_ID string = actionGroup.outputs.id

@description('Ids of the monitored subscriptions, those below management groups not counted.')
output MONITORED_SUBSCRIPTIONS string = join(monitored, ',')

@description('How events reach the app.')
output EVENT_DELIVERY string = eventDelivery

@description('What the app may do: audit or enforce.')
output DEPLOYED_MODE string = mode
