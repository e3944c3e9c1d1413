"""Every question the app asks in the Kusto query language. What is put into a text is written as a literal here, so
that no name of a resource can end it. Tables and columns: Azure Monitor's and Resource Graph's table references."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from shared.domain.ids import ClusterId

BACKUP_JOBS = "AddonAzureBackupJobs"
POD_INVENTORY = "KubePodInventory"
_EXTENSION_NAMESPACE = "dataprotection-microsoft"
ENDED = "'Completed', 'CompletedWithWarnings', 'Failed', 'Cancelled', 'Canceled'"
_LONGEST_JOB = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Query:
    """A query with sample values in it, for whoever checks it against the tables' schemas."""

    name: str
    language: Literal["resource-graph", "log-analytics"]
    text: str


def ended_jobs_in_graph(since: datetime) -> str:
    """Jobs of AKS backup that ended at or after `since`, oldest end first. One that has ended by its status and lacks
    its end (or has the year 1, Azure's "not yet") is among them when it started within a day before `since`."""
    return f"""recoveryservicesresources
| where type =~ 'microsoft.dataprotection/backupvaults/backupjobs'
| where properties.dataSourceType =~ 'Microsoft.ContainerService/managedClusters'
| extend ended = todatetime(properties.endTime), started = todatetime(properties.startTime)
| extend status = tostring(properties.status)
| where ended >= {_moment(since)} or (status in~ ({ENDED}) and (isnull(ended) or ended < datetime(1900-01-01)) \
and started >= {_moment(since - _LONGEST_JOB)})
| project id, ended, status, dataSourceId = tostring(properties.dataSourceId), \
backupInstanceId = tostring(properties.backupInstanceId), \
operationCategory = tostring(properties.operationCategory), operation = tostring(properties.operation), \
isUserTriggered = tobool(properties.isUserTriggered), startTime = tostring(properties.startTime), \
endTime = tostring(properties.endTime), duration = tostring(properties.duration), \
errorDetails = properties.errorDetails, extendedInfo = properties.extendedInfo
| order by ended asc, id asc"""


def running_jobs_in_graph(cluster: ClusterId) -> str:
    """Jobs that back up the cluster or restore into it and have not ended."""
    arm_id = literal(cluster.arm_id)
    return f"""recoveryservicesresources
| where type =~ 'microsoft.dataprotection/backupvaults/backupjobs'
| extend status = tostring(properties.status)
| where status !in~ ({ENDED})
| where tostring(properties.dataSourceId) =~ {arm_id} \
or tostring(properties.extendedInfo.recoveryDestination) =~ {arm_id}
| project id, status, operationCategory = tostring(properties.operationCategory), \
startTime = tostring(properties.startTime)
| order by id asc"""


def ended_jobs_in_logs(since: datetime) -> str:
    """Jobs of AKS backup that vaults told of at or after `since`; they tell of a job when it has ended (Backup vault
    diagnostics page). The cluster's id says that it is AKS: how DatasourceType is written for it is not documented."""
    return f"""{BACKUP_JOBS}
| where TimeGenerated >= {_moment(since)}
| where DatasourceResourceId contains '/providers/microsoft.containerservice/managedclusters/'
| summarize arg_max(TimeGenerated, *) by JobUniqueId
| project TimeGenerated, JobUniqueId, vaultId = _ResourceId, DatasourceResourceId, BackupItemId, JobOperation, \
JobStatus, JobFailureCode, AdHocOrScheduledJob, JobStartDateTime, JobDurationInSecs
| order by TimeGenerated asc, JobUniqueId asc"""


def out_of_memory_kills(since: datetime) -> str:
    """Containers of the backup extension whose last end was an out-of-memory kill, as rows from `since` on show it. The
    last end and not the present state: only it has the moment of the kill, and a killed container is started again."""
    return f"""{POD_INVENTORY}
| where TimeGenerated >= {_moment(since)}
| where Namespace == {literal(_EXTENSION_NAMESPACE)}
| extend lastEnd = parse_json(ContainerLastStatus)
| where tostring(lastEnd.reason) =~ 'OOMKilled'
| extend finishedAt = tostring(lastEnd.finishedAt), aksCluster = tolower(ClusterId)
| summarize seen = max(TimeGenerated) by aksCluster, Name, ContainerName, finishedAt
| order by finishedAt asc, Name asc, ContainerName asc"""


def disks_in_graph() -> str:
    """Managed disks that AKS's disk driver made for volumes, with the namespace of their claim: it tags them so
    (Azure disk CSI driver: tags of a dynamically provisioned disk)."""
    return """resources
| where type =~ 'microsoft.compute/disks'
| extend namespace = tostring(tags['kubernetes.io-created-for-pvc-namespace'])
| where isnotempty(namespace)
| project id, subscriptionId, nodeGroup = tolower(resourceGroup), namespace, gib = toreal(properties.diskSizeGB)
| order by id asc"""


def node_groups_in_graph() -> str:
    """The resource group of each cluster's nodes and disks."""
    return """resources
| where type =~ 'microsoft.containerservice/managedclusters'
| project id, nodeGroup = tolower(tostring(properties.nodeResourceGroup))
| order by id asc"""


def _moment(moment: datetime) -> str:
    """A datetime literal. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment}")
    return f"datetime({moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ})"


def literal(text: str) -> str:
    """A string literal: Kusto knows the escapes of JSON (string data type page), and this writes ASCII only."""
    return json.dumps(text)


_SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)
_CLUSTER = ClusterId("00000000-0000-0000-0000-000000000000", "shop", "shop")

QUERIES: tuple[Query, ...] = (
    Query("ended jobs in the graph", "resource-graph", ended_jobs_in_graph(_SINCE)),
    Query("running jobs of a cluster", "resource-graph", running_jobs_in_graph(_CLUSTER)),
    Query("ended jobs in the logs", "log-analytics", ended_jobs_in_logs(_SINCE)),
    Query("disks of volumes", "resource-graph", disks_in_graph()),
    Query("node resource groups", "resource-graph", node_groups_in_graph()),
    Query("out-of-memory kills", "log-analytics", out_of_memory_kills(_SINCE)),
)
"""All of them."""
