// The app's memory: tables and queues, the package that is deployed, dead letters, and what the Functions host keeps
// for itself. There are no keys: whoever reads or writes needs a role.
@description('Name of the account: 3 to 24 lower-case letters and digits.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags object

@description('Whether the data is kept in three zones of the region instead of one.')
param zoneRedundant bool

@description('Whether only the app\'s own network reaches the account.')
param privateNetwork bool

@description('Whether every read, write and delete of blobs, tables and queues is logged, and not only writes and deletes of blobs.')
param logStorageAccess bool

@description('How many days dead letters are kept.')
param deadLetterRetentionDays int

@description('The Log Analytics workspace that is told who did what.')
param workspaceId string

var tables = [
  'actions'
  'alerts'
  'clusters'
  'destinations'
  'jobs'
  'outbox'
  'regions'
  'requests'
  'rollouts'
  'subscriptions'
  'sweeps'
  'switches'
  'watermarks'
]
var queues = [
  'reconcile'
  'reconcile-poison'
  'notify'
  'notify-poison'
  'events'
  'events-poison'
]
var containers = [
  'deployments'
  'dead-letters'
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  //checkov:skip=CKV_AZURE_35:Without the private network the app has no fixed addresses that a firewall could admit; every access needs a role
  //checkov:skip=CKV_AZURE_59:Public access is off with the parameter privateNetwork
  //checkov:skip=CKV_AZURE_206:Replication is a parameter, and what is lost with a region is observed anew by the app elsewhere
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Event Grid is such a service, and comes in from outside also when public access is off: with dead letters, and
      // with events when they are delivered to the queue (documentation: Azure Storage network security, exceptions).
      bypass: 'AzureServices'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for container in containers: {
    parent: blobService
    name: container
    properties: {
      publicAccess: 'None'
    }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource messageQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource recordTables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for table in tables: {
    parent: tableService
    name: table
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-dead-letters'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['dead-letters/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: deadLetterRetentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
  dependsOn: [blobService]
}

// Messages and rows come by the million, so who touched them is logged on demand; who replaced the app's package, always.
resource blobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: blobService
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageRead'
        enabled: logStorageAccess
      }
      {
        category: 'StorageWrite'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: queueService
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageRead'
        enabled: logStorageAccess
      }
      {
        category: 'StorageWrite'
        enabled: logStorageAccess
      }
      {
        category: 'StorageDelete'
        enabled: logStorageAccess
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: tableService
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageRead'
        enabled: logStorageAccess
      }
      {
        category: 'StorageWrite'
        enabled: logStorageAccess
      }
      {
        category: 'StorageDelete'
        enabled: logStorageAccess
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

@description('ARM id of the account.')
output id string = account.id

@description('Blob endpoint, with a slash at the end.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('Queue endpoint.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('Table endpoint.')
output tableEndpoint string = account.properties.primaryEndpoints.table
