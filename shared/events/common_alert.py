"""Azure Monitor's common alert schema, as its action groups send it for Azure Backup's built-in alerts.

The envelope is Azure Monitor's (common alert schema definitions page); its context is as received of a Recovery
Services vault in 2026. It names the job and no error code, so the jobs API has to be asked about the job.
"""

from dataclasses import dataclass
from typing import Any

from shared.domain.errors import MalformedEventError
from shared.domain.ids import ClusterId, same_id, subscription_of
from shared.events.fields import is_job_id, job_id_of, object_of, parse_object, text_of, vault_id_of

_SCHEMA = "azureMonitorCommonAlertSchema"
_VAULTS = "microsoft.dataprotection/backupvaults"


@dataclass(frozen=True, slots=True)
class JobAlert:
    """Azure says that something is the matter with this job."""

    job_id: str

    @property
    def subscription_id(self) -> str:
        """Where the vault lies, lower-case."""
        return subscription_of(self.job_id)


def parse_common_alert(payload: str) -> JobAlert | None:
    """None for every alert that is not about a job of a Backup vault for AKS: another service, vault or workload, or
    one that is over. Raises MalformedEventError, naming the field."""
    alert = parse_object(payload, "the alert")
    if text_of(alert, "schemaId") != _SCHEMA:
        raise MalformedEventError(f"the field schemaId is not {_SCHEMA}: turn on the action's common alert schema")
    data = object_of(alert, "data")
    essentials = object_of(data, "essentials")
    if text_of(essentials, "monitoringService").lower() != "azure backup":
        return None
    if text_of(essentials, "monitorCondition").lower() != "fired":
        return None
    vault_ids = _backup_vaults(essentials)
    if not vault_ids:
        return None
    context = object_of(data, "alertContext")
    if text_of(context, "category", default="Jobs").lower() != "jobs" or not _may_be_a_cluster(context):
        return None
    job = text_of(object_of(context, "extendedInfo"), "jobId")
    if not job.startswith("/"):
        return JobAlert(job_id_of(f"{vault_ids[0]}/backupJobs/{job}", "jobId"))
    if not is_job_id(job) or not any(same_id(job.rsplit("/", 2)[0], vault_id) for vault_id in vault_ids):
        raise MalformedEventError("the field jobId is not the ARM id of a job of the vault in alertTargetIDs")
    return JobAlert(job)


def _backup_vaults(essentials: dict[str, Any]) -> list[str]:
    targets = essentials.get("alertTargetIDs")
    if not isinstance(targets, list) or not targets or not all(isinstance(target, str) for target in targets):
        raise MalformedEventError("the field alertTargetIDs is missing or not a list of ARM ids")
    ours = [target for target in targets if f"/providers/{_VAULTS}/" in target.lower()]
    return [vault_id_of(target.rstrip("/"), "alertTargetIDs") for target in ours]


def _may_be_a_cluster(context: dict[str, Any]) -> bool:
    """Whether the protected resource is an AKS cluster, or is not named: the field has not been seen for AKS."""
    linked = text_of(context, "linkedResourceId", default="")
    try:
        return not linked or bool(ClusterId.parse(linked))
    except ValueError:
        return False
