// Holds the addresses of the channels that alerts are sent to; each is a secret.
@description('Name of the vault.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags object

@description('True once, when a deleted vault of this name shall come back (it stays deleted for 90 days, and cannot be purged).')
param recover bool

@description('Whether only the app\'s own network reaches the vault.')
param privateNetwork bool

@description('The Log Analytics workspace that is told who read what.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  //checkov:skip=CKV_AZURE_109:Without the private network the app has no fixed addresses that a firewall could admit; reading needs a role
  //checkov:skip=CKV_AZURE_189:Public access is off with the parameter privateNetwork
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    createMode: recover ? 'recover' : 'default'
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
    }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('ARM id of the vault.')
output id string = vault.id

@description('Name of the vault.')
output name string = vault.name
