// App Service authentication before the HTTP side: Microsoft Entra ID says who calls, the app's roles what they may.
@description('Name of the function app.')
param functionAppName string

@description('Client id of the app registration. Empty: authentication is off, and the app refuses every HTTP call but those of the excluded paths (503).')
param clientId string

var providers = {
  azureActiveDirectory: {
    enabled: true
    registration: {
      // No secret: people sign in with an ID token, which is all that is needed to know them.
      clientId: clientId
      openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
    }
    validation: {
      // Any client of the tenant may ask for a token: the CLI, Azure Monitor's webhook, a team's own program. What it may
      // do is said by the app roles that were assigned to it.
      allowedAudiences: ['api://${clientId}', clientId]
    }
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

resource authentication 'Microsoft.Web/sites/config@2024-11-01' = {
  //checkov:skip=CKV_AZURE_13:On with a client id; without one the app itself refuses every call
  //checkov:skip=CKV_AZURE_63:Of another part of the configuration (web); each request is in Application Insights
  //checkov:skip=CKV_AZURE_65:Of another part of the configuration (web), for Windows
  //checkov:skip=CKV_AZURE_66:Of another part of the configuration (web), for Windows
  //checkov:skip=CKV_AZURE_80:There is no .NET here
  //checkov:skip=CKV_AZURE_88:The app keeps no files
  //checkov:skip=CKV_AZURE_222:Of the site itself (function-app.bicep)
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: !empty(clientId)
    }
    globalValidation: {
      requireAuthentication: true
      // The dashboard is for people, who are sent to sign in. Programs send a token with each call, and are answered
      // 401 when it is not good; one that sends none sees the redirection.
      unauthenticatedClientAction: 'RedirectToLoginPage'
      // Event Grid brings the key of its own webhook; /api/health tells strangers little. What a header says of the
      // caller is not believed on either.
      excludedPaths: ['/api/health', '/runtime/webhooks/eventgrid']
    }
    identityProviders: empty(clientId) ? {} : providers
    login: {
      preserveUrlFragmentsForLogins: true
      tokenStore: {
        enabled: false // the app never calls anybody in the name of a person
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}
