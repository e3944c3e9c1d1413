"""What a vault pushes when a job ends: the job, and the item it was of.

Names of columns: Azure Monitor table reference. Assumed, because the reference shows Recovery Services vaults only: the
texts of JobStatus (those of the jobs API) and VaultType, `Success` as JobFailureCode of a job without error."""

from datetime import datetime
from typing import Any

from simulator.providers.data_protection.models import Job, Vault
from simulator.providers.data_protection.policy_rules import AKS
from simulator.providers.data_protection.vault_rules import redundancy

_MANAGEMENT = "Azure Kubernetes Service"  # assumed
_VAULT_TYPE = "Microsoft.DataProtection/backupVaults"


def job_row(vault: Vault, job: Job, pushed: datetime) -> dict[str, Any]:
    """A row of AddonAzureBackupJobs of a job that has ended."""
    assert job.ended is not None  # noqa: S101 - running jobs are not pushed (documented)
    point = job.source_point
    return {
        **_common(vault, job, pushed, "AddonAzureBackupJobs", "Job"),
        "AdHocOrScheduledJob": "Adhoc" if job.is_user_triggered else "Scheduled",
        "JobUniqueId": job.name,
        "JobOperation": job.operation,
        "JobOperationSubType": "",
        "JobStatus": job.status,
        "JobFailureCode": job.errors[0].code if job.errors else "Success",
        "JobStartDateTime": _iso(job.started),
        "JobDurationInSecs": (job.ended - job.started).total_seconds(),
        "DataTransferredInMB": None,
        "DatasourceSetResourceId": job.instance.datasource_id,
        "DatasourceSetType": AKS,
        "DatasourceSetFriendlyName": job.instance.datasource_id.rsplit("/", 1)[-1],
        "RecoveryJobDestination": job.target_cluster_id,
        "RecoveryJobRPDateTime": None if point is None else _iso(point.time),
        "RecoveryJobRPLocation": job.source_store,
    }


def item_row(vault: Vault, job: Job, pushed: datetime) -> dict[str, Any]:
    """A row of CoreAzureBackup of the instance a job was of. Simplification: items are pushed with each job and not
    once a day besides."""
    instance = job.instance
    times = sorted(point.time for point in instance.recovery_points)
    return {
        **_common(vault, job, pushed, "CoreAzureBackup", "BackupItem"),
        "BackupItemProtectionState": instance.state,
        "BackupItemType": AKS,
        "PolicyUniqueId": instance.policy_id.lower(),
        "LatestRecoveryPointTime": _iso(times[-1]) if times else None,
        "OldestRecoveryPointTime": _iso(times[0]) if times else None,
    }


def _common(vault: Vault, job: Job, pushed: datetime, category: str, operation: str) -> dict[str, Any]:
    instance = job.instance
    return {
        "TimeGenerated": _iso(pushed),
        "ResourceId": vault.id.lower(),
        "_ResourceId": vault.id.lower(),
        "SubscriptionId": vault.subscription_id,
        "_SubscriptionId": vault.subscription_id,
        "ResourceGroupName": vault.resource_group.lower(),
        "Category": category,
        "Type": category,
        "SourceSystem": "Azure",
        "OperationName": operation,
        "SchemaVersion": "V2",
        "State": "Active",
        "BackupItemUniqueId": instance.id.lower(),
        "BackupItemId": instance.id,
        "BackupItemFriendlyName": instance.properties["friendlyName"],
        "DatasourceResourceId": instance.datasource_id,
        "DatasourceType": AKS,
        "DatasourceFriendlyName": instance.datasource_id.rsplit("/", 1)[-1],
        "BackupManagementType": _MANAGEMENT,
        "VaultUniqueId": vault.id.lower(),
        "VaultName": vault.name,
        "VaultType": _VAULT_TYPE,
        "StorageReplicationType": redundancy(vault.properties),
        "AzureDataCenter": vault.location,
    }


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"
