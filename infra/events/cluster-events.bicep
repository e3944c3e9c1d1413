// Sends what happens to AKS clusters of this subscription to the app: created or changed, deleted, started, stopped,
// tagged. The types and operations are those of shared/events/cluster_events.py; Event Grid compares without case and
// takes 25 values in all.
@description('Name of the system topic.')
param systemTopicName string

@description('Whether the system topic has an identity. Without one nothing is left as a dead letter, and the queue cannot be reached.')
param topicIdentity bool

@description('The function app.')
param functionAppId string

@description('The app\'s storage account.')
param storageAccountId string

@description('How events reach the app.')
@allowed(['function', 'queue'])
param eventDelivery string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: systemTopicName
}

// Named after the app: another installation can share the topic.
resource events 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: last(split(functionAppId, '/'))
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceDeleteSuccess'
        'Microsoft.Resources.ResourceActionSuccess'
      ]
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.ContainerService/managedClusters/write'
            'Microsoft.ContainerService/managedClusters/delete'
            'Microsoft.ContainerService/managedClusters/start/action'
            'Microsoft.ContainerService/managedClusters/stop/action'
            'Microsoft.Resources/tags/write'
          ]
        }
        {
          // of the tags of all resources, those of clusters
          operatorType: 'StringContains'
          key: 'subject'
          values: ['/providers/Microsoft.ContainerService/managedClusters/']
        }
      ]
    }
    destination: eventDelivery == 'queue' ? null : {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${functionAppId}/functions/cluster_events'
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
    deadLetterWithResourceIdentity: topicIdentity ? {
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
    } : null
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
}
