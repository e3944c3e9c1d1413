// Where logs, metrics and traces go. Only identities may write: the keys of both are switched off.
@description('Name of the Log Analytics workspace.')
param workspaceName string

@description('Name of the Application Insights resource.')
param applicationInsightsName string

@description('Azure region.')
param location string

@description('Tags.')
param tags object

@description('How many days logs are kept.')
param logRetentionDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: logRetentionDays
    features: {
      disableLocalAuth: true
    }
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

@description('ARM id of the workspace.')
output workspaceId string = workspace.id

@description('The workspace\'s own id (a GUID), as its query endpoint wants it.')
output workspaceGuid string = workspace.properties.customerId

@description('Where Application Insights takes telemetry in. Names an endpoint; nobody can write with it alone.')
output connectionString string = applicationInsights.properties.ConnectionString
