"""The shape of a job, as recorded for AKS backup and restore."""

from datetime import datetime, timedelta
from typing import Any

from simulator.providers.data_protection.models import Job
from simulator.providers.data_protection.policy_rules import AKS
from simulator.providers.data_protection.responses import NEVER, iso_duration, moment, user_facing

_RECORDED = "2024-04-01"
JOB_TYPE = "Microsoft.DataProtection/backupVaults/backupJobs"


def job_body(job: Job, *, slim: bool = False, api_version: str = "2026-06-01") -> dict[str, Any]:
    """A job. `slim` is the list's form: without errorDetails and extendedInfo (assumed for AKS; recorded for other
    datasources)."""
    instance = job.instance
    source = instance.properties["dataSourceInfo"]
    cluster = source["resourceID"].split("/")
    properties: dict[str, Any] = {
        "activityID": job.activity_id,
        "subscriptionId": instance.vault_id.split("/")[2],
        "backupInstanceId": instance.id,
        "policyId": job.policy_id,
        "dataSourceId": source["resourceID"],
        "vaultName": instance.vault_id.rsplit("/", 1)[-1],
        "backupInstanceFriendlyName": instance.properties["friendlyName"],
        "policyName": job.policy_id.rsplit("/", 1)[-1],
        "sourceResourceGroup": cluster[4],
        "dataSourceSetName": source.get("resourceName", cluster[-1]),
        "dataSourceName": source.get("resourceName", cluster[-1]),
        "sourceDataStoreName": None,
        "sourceDataStoreType": job.source_store,
        "destinationDataStoreName": None,
        "progressEnabled": False,
        "etag": _etag(job.touched),
        "sourceSubscriptionID": cluster[2],
        "dataSourceLocation": source.get("resourceLocation"),
        "startTime": moment(job.started),
        "endTime": None if job.ended is None else moment(job.ended),
        "dataSourceType": AKS,
        "operationCategory": job.operation,
        "operation": job.operation,
        "status": job.status,
        "restoreType": None,
        "isUserTriggered": job.is_user_triggered,
        "rehydrationPriority": None,
        "supportedActions": [""],
        "duration": iso_duration(timedelta(0) if job.ended is None else job.ended - job.started),
        "progressUrl": None,
        "isCrossRegionRestore": None,
        "errorDetails": None if slim or not job.errors else [user_facing(one, job.activity_id) for one in job.errors],
        "extendedInfo": None if slim else _extended(job, api_version),
    }
    return {"properties": properties, "id": job.id, "name": job.name, "type": JOB_TYPE}


def _extended(job: Job, api_version: str) -> dict[str, Any]:
    point, source = job.recovery_point, job.source_point
    warnings = [
        {"resourceName": one.resource_name, "warning": user_facing(one.error, job.activity_id)} for one in job.warnings
    ]
    return {
        "backupInstanceState": None,
        "dataTransferredInBytes": None,
        # recorded: the time of the new point is year 1
        "targetRecoverPoint": None if point is None else {"recoveryPointID": point.id, "recoveryPointTime": NEVER},
        "sourceRecoverPoint": None
        if source is None
        else {"recoveryPointID": source.id, "recoveryPointTime": moment(source.time)},
        "recoveryDestination": job.target_cluster_id,
        "subTasks": [
            {
                "taskId": 1,
                "taskName": f"Trigger {job.operation}",
                "taskStatus": job.status,
                "taskProgress": None,
                "additionalDetails": _task_details(job),
            }
        ],
        "additionalDetails": _additional_details(job, api_version),
        "warningDetails": warnings or None,
    }


def _additional_details(job: Job, api_version: str) -> dict[str, str] | None:
    """The tag is recorded. The number of resources is assumed, its name and place too: the recorded job does not tell
    it, which here is taken for a trait of its api-version."""
    details = {} if job.tag is None else {"RetentionTag": job.tag.lower()}
    if job.resource_count is not None and api_version > _RECORDED:
        details["NumberOfResourcesBackedUp"] = str(job.resource_count)
    return details or None


def _task_details(job: Job) -> dict[str, str] | None:
    if job.ended is None:
        return None
    size = {"OriginalDatasourceSizeInBytes": "1"} if job.operation == "Backup" else {"DataTransferredInBytes": "0"}
    return {**size, "TaskId": job.activity_id, "DatasourceType": AKS}


def _etag(when: datetime) -> str:
    return "W/\"datetime'" + moment(when).replace(":", "%3A") + "'\""
