// The app: a Flex Consumption plan, the site, and every app setting. Its code comes afterwards, as a zip in the
// container `deployments`, which it fetches with its identity.
@description('Name of the function app.')
param name string

@description('Name of its plan.')
param planName string

@description('Azure region; one that has Flex Consumption.')
param location string

@description('Tags.')
param tags object

@description('ARM id of the app\'s managed identity.')
param identityId string

@description('Client id of the app\'s managed identity.')
param identityClientId string

@description('Blob endpoint of the app\'s storage account, with a slash at the end.')
param blobEndpoint string

@description('Queue endpoint of the app\'s storage account.')
param queueEndpoint string

@description('Table endpoint of the app\'s storage account.')
param tableEndpoint string

@description('Where Application Insights takes telemetry in.')
param applicationInsightsConnectionString string

@description('Endpoint of the app\'s own topic.')
param topicEndpoint string

@description('Name of the key vault with the addresses of the channels.')
param keyVaultName string

@description('Names of the channels of guard.yaml. CHANNEL_A has its address in the secret channel-channel-a.')
param channels array

@description('Ids of the subscriptions that are looked after.')
param subscriptions array

@description('Names of the management groups that are looked after.')
param managementGroups array

@description('Ids (GUIDs) of Log Analytics workspaces in which ended jobs are looked for.')
param logAnalyticsWorkspaces array

@description('Query endpoint of Log Analytics. Empty: that of the public cloud.')
param logAnalyticsEndpoint string

@description('Path of the configuration in the package.')
param configuration string

@description('The configuration itself, as YAML. Given, no file is read.')
param configurationYaml string

@description('Emergency stop: nothing in Azure is changed.')
param stopped bool

@description('ARM calls in flight per subscription.')
param maxCallsInFlight int

@description('Calls of each ARM quota that are left to others.')
param quotaReserve int

@description('Whether ended jobs are looked for in Resource Graph.')
param resourceGraphJobs bool

@description('Instances that are always there for events: the first event after a pause meets no cold start.')
param alwaysReady int

@description('How events reach the app.')
@allowed(['function', 'queue'])
param eventDelivery string

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('How many instances there may be at once.')
param maximumInstances int

@description('Whether the plan spreads over zones of the region.')
param zoneRedundant bool

@description('Address ranges from which people and programs may call. Empty: all.')
param callerAddresses array

@description('The subnet that the app joins. Empty: none.')
param subnetId string

// One literal object, so that the names can be compared with those that the code reads.
var settings = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__tableServiceUri: tableEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
  APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  OTEL_SERVICE_NAME: name
  AKS_BACKUP_GUARD_ARM_ENDPOINT: environment().resourceManager
  AKS_BACKUP_GUARD_ARM_AUDIENCE: '' // the endpoint itself
  AKS_BACKUP_GUARD_AUTHORITY: environment().authentication.loginEndpoint
  AKS_BACKUP_GUARD_STORAGE_SUFFIX: environment().suffixes.storage
  AKS_BACKUP_GUARD_CLIENT_ID: identityClientId
  AKS_BACKUP_GUARD_SUBSCRIPTIONS: join(subscriptions, ',')
  AKS_BACKUP_GUARD_MANAGEMENT_GROUPS: join(managementGroups, ',')
  AKS_BACKUP_GUARD_CONFIGURATION: configuration
  AKS_BACKUP_GUARD_CONFIGURATION_YAML: configurationYaml
  AKS_BACKUP_GUARD_STOPPED: toLower(string(stopped))
  AKS_BACKUP_GUARD_PASS_SECONDS: '240' // a minute less than functionTimeout of host.json
  AKS_BACKUP_GUARD_LEASE_SECONDS: '420' // functionTimeout and two minutes
  AKS_BACKUP_GUARD_TIME_SCALE: '1' // anything else is for the simulator
  AKS_BACKUP_GUARD_MAX_CALLS_IN_FLIGHT: string(maxCallsInFlight)
  AKS_BACKUP_GUARD_QUOTA_RESERVE: string(quotaReserve)
  AKS_BACKUP_GUARD_EVENT_TOPIC: topicEndpoint
  AKS_BACKUP_GUARD_RESOURCE_GRAPH_JOBS: toLower(string(resourceGraphJobs))
  AKS_BACKUP_GUARD_LOG_ANALYTICS_WORKSPACES: join(logAnalyticsWorkspaces, ',')
  AKS_BACKUP_GUARD_LOG_ANALYTICS_ENDPOINT: logAnalyticsEndpoint
}
var settingPairs = [
  for setting in items(settings): {
    name: setting.key
    value: setting.value
  }
]
var channelPairs = [
  for channel in channels: {
    name: 'AKS_BACKUP_GUARD_CHANNEL_${channel}'
    value: '@Microsoft.KeyVault(VaultName=${keyVaultName};SecretName=channel-${replace(toLower(channel), '_', '-')})'
  }
]

// Functions without HTTP trigger scale each by itself; from the queue, events wait for an instance.
var readyForEvents = [
  {
    name: 'function:cluster_events'
    instanceCount: alwaysReady
  }
]

// Those who call the app on behalf of Azure, when others are kept out.
var azureServices = [
  {
    name: 'event-grid'
    tag: 'ServiceTag'
    ipAddress: 'AzureEventGrid'
    action: 'Allow'
    priority: 100
  }
  {
    name: 'azure-monitor'
    tag: 'ServiceTag'
    ipAddress: 'ActionGroup'
    action: 'Allow'
    priority: 110
  }
]
var callers = [
  for (address, index) in callerAddresses: {
    name: 'caller-${index}'
    ipAddress: address
    action: 'Allow'
    priority: 200 + index
  }
]

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  //checkov:skip=CKV_AZURE_225:Not every region has zones; the parameter zoneRedundant switches them on
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  //checkov:skip=CKV_AZURE_17:Callers show tokens of Microsoft Entra ID; Event Grid and Azure Monitor have no client certificates
  //checkov:skip=CKV_AZURE_78:Flex Consumption has no FTP; the policy below refuses its passwords too
  //checkov:skip=CKV_AZURE_212:Flex Consumption makes instances as they are needed
  //checkov:skip=CKV_AZURE_213:A health check pings the fixed instances of a plan; Flex Consumption has none, the alert rules watch the app
  //checkov:skip=CKV_AZURE_222:Event Grid delivers from outside, people and the deployment come from anywhere; callerAddresses narrows it
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}deployments'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady > 0 && eventDelivery == 'function' ? readyForEvents : []
      }
    }
    siteConfig: {
      appSettings: concat(settingPairs, channelPairs)
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ipSecurityRestrictions: empty(callerAddresses) ? [] : concat(azureServices, callers)
      ipSecurityRestrictionsDefaultAction: empty(callerAddresses) ? 'Allow' : 'Deny'
    }
  }
}

// Whoever deploys does so with a token; there are no passwords.
resource ftpPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

@description('ARM id of the function app.')
output id string = app.id

@description('Address of the function app, without a slash at the end.')
output url string = 'https://${app.properties.defaultHostName}'
