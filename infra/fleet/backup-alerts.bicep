// Azure Backup raises alerts by itself (jobs that failed, data deleted); this passes those of one subscription on.
@description('Name of the alert processing rule.')
param name string

@description('The action group, which may lie in another subscription of the tenant.')
param actionGroupId string

@description('Tags of the rule.')
param tags object

resource rule 'Microsoft.AlertsManagement/actionRules@2021-08-08' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    description: 'Passes alerts of Backup vaults on to AKS Backup Guard and its people.'
    enabled: true
    scopes: [subscription().id]
    conditions: [
      {
        field: 'TargetResourceType'
        operator: 'Equals'
        values: ['microsoft.dataprotection/backupvaults']
      }
    ]
    actions: [
      {
        actionType: 'AddActionGroups'
        actionGroupIds: [actionGroupId]
      }
    ]
  }
}
