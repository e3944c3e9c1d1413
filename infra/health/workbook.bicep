// What the Guard did over time, for people.
@description('Azure region of the workbook.')
param location string

@description('The Log Analytics workspace of the app\'s telemetry.')
param workspaceId string

@description('Tags of the workbook.')
param tags object

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'aks-backup-guard')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'AKS Backup Guard'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: replace(loadTextContent('workbook.json'), '{workspaceId}', workspaceId)
    version: 'Notebook/1.0'
  }
}
