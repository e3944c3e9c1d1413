"""The tables a workspace can have here, with the columns of the Azure Monitor table reference."""

from collections.abc import Mapping

from simulator.kql.tables import Table

_STANDARD = {"TenantId": "string", "SourceSystem": "string", "Type": "string", "_ResourceId": "string"}
_STANDARD |= {"_SubscriptionId": "string"}


def _table(name: str, strings: str, others: Mapping[str, str]) -> Table:
    return Table(name, {"TimeGenerated": "datetime", **dict.fromkeys(strings.split(), "string"), **others, **_STANDARD})


JOBS = _table(
    "AddonAzureBackupJobs",
    "ResourceId SubscriptionId ResourceGroupName Category OperationName SchemaVersion State AdHocOrScheduledJob "
    "JobUniqueId JobOperation JobOperationSubType JobStatus JobFailureCode BackupItemUniqueId BackupItemId "
    "BackupItemFriendlyName DatasourceResourceId DatasourceType DatasourceFriendlyName DatasourceSetResourceId "
    "DatasourceSetType DatasourceSetFriendlyName BackupManagementType VaultUniqueId VaultName VaultType "
    "ProtectedContainerUniqueId RecoveryJobDestination RecoveryJobRPLocation RecoveryLocationType "
    "StorageReplicationType AzureDataCenter",
    {
        "JobStartDateTime": "datetime",
        "JobDurationInSecs": "real",
        "DataTransferredInMB": "real",
        "RecoveryJobRPDateTime": "datetime",
        "ExtendedProperties": "dynamic",
    },
)
ITEMS = _table(
    "CoreAzureBackup",
    "ResourceId SubscriptionId ResourceGroupName Category OperationName SchemaVersion State BackupItemUniqueId "
    "BackupItemId BackupItemFriendlyName BackupItemProtectionState BackupItemType DatasourceResourceId DatasourceType "
    "DatasourceFriendlyName BackupManagementType PolicyUniqueId VaultUniqueId VaultName VaultType VaultTags "
    "StorageReplicationType AzureDataCenter",
    {"LatestRecoveryPointTime": "datetime", "OldestRecoveryPointTime": "datetime", "ExtendedProperties": "dynamic"},
)
PODS = _table(
    "KubePodInventory",
    "ClusterId ClusterName Computer Namespace Name PodUid PodStatus ContainerName ContainerID ContainerStatus "
    "ContainerStatusReason ContainerLastStatus ControllerKind ControllerName ServiceName",
    {
        "PodStartTime": "datetime",
        "PodCreationTimeStamp": "datetime",
        "ContainerCreationTimeStamp": "datetime",
        "PodRestartCount": "int",
        "ContainerRestartCount": "int",
    },
)
TABLES: Mapping[str, Table] = {table.name: table for table in (JOBS, ITEMS, PODS)}
