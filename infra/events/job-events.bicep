// Brings the app's own events about ended jobs back to it, and the synthetic one of the smoke test. The types are those
// that shared/events/job_events.py takes.
@description('Name of the app\'s own topic.')
param topicName string

@description('The function app.')
param functionAppId string

@description('The app\'s storage account.')
param storageAccountId string

@description('How events reach the app.')
@allowed(['function', 'queue'])
param eventDelivery string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

module rights 'delivery-rights.bicep' = {
  name: 'aks-backup-guard-rights-${topicName}'
  params: {
    storageAccountName: last(split(storageAccountId, '/'))
    principalId: topic.identity.principalId
    eventDelivery: eventDelivery
  }
}

resource events 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'job-events'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'AksBackupGuard.BackupJobCompleted'
        'AksBackupGuard.BackupJobCompletedWithWarnings'
        'AksBackupGuard.BackupJobFailed'
        'AksBackupGuard.SyntheticEvent'
      ]
    }
    destination: eventDelivery == 'queue' ? null : {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${functionAppId}/functions/job_events'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    deliveryWithResourceIdentity: eventDelivery == 'queue' ? {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: storageAccountId
          queueName: 'events'
          queueMessageTimeToLiveInSeconds: 604800
        }
      }
    } : null
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: storageAccountId
          blobContainerName: 'dead-letters'
        }
      }
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
  dependsOn: [rights]
}
