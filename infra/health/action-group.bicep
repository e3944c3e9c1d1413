// Whom the alerts reach: a mailbox, and the app itself, which takes them in by its secure webhook.
@description('Name of the action group.')
param name string

@description('Where alerts are mailed to. Empty: to nobody.')
param alertEmail string

@description('Address of the app, without a slash at the end.')
param appUrl string

@description('Client id of the app registration that guards the app. Empty: the app is not told.')
param authClientId string

@description('Object id of that app registration. Empty: the app is not told.')
param authAppObjectId string

@description('Tags of the action group.')
param tags object

var mailbox = [
  {
    name: 'mail'
    emailAddress: alertEmail
    useCommonAlertSchema: true
  }
]
// Azure Monitor signs in at the app registration; the app asks for the app role ActionGroupsSecureWebhook.
var webhook = [
  {
    name: 'aks-backup-guard'
    serviceUri: '${appUrl}/api/v1/azure-monitor-alerts'
    useCommonAlertSchema: true
    useAadAuth: true
    objectId: authAppObjectId
    identifierUri: 'api://${authClientId}'
    tenantId: tenant().tenantId
  }
]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'AKSBackup'
    enabled: true
    emailReceivers: empty(alertEmail) ? [] : mailbox
    webhookReceivers: empty(authClientId) || empty(authAppObjectId) ? [] : webhook
  }
}

@description('The action group.')
output id string = group.id
