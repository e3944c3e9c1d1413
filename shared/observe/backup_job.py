"""Microsoft.DataProtection/backupVaults/backupJobs (Jobs REST)."""

from collections.abc import Iterable
from datetime import timedelta

from shared.arm import api_versions
from shared.arm.answer import read_error
from shared.arm.client import ArmClient
from shared.arm.errors import translate_details
from shared.domain.ids import ClusterId, same_id
from shared.domain.observed import Job
from shared.domain.reads import JobSearch
from shared.observe.fields import JsonObject, flag, moment, needed_moment, needed_text, objects, text

_CLOCK_SKEW = timedelta(minutes=2)


async def read_job(arm: ArmClient, arm_id: str, soft_delete: str = "") -> Job | None:
    body = await arm.get(arm_id, api_versions.data_protection(soft_delete))
    return None if body is None else parse_job(body)


async def search_job(arm: ArmClient, cluster: ClusterId, search: JobSearch) -> Job | None:
    """The list takes no filter, so all of the vault's jobs are looked through."""
    path = f"{search.vault_id}/backupJobs"
    found = await arm.list(path, api_versions.data_protection(search.soft_delete))
    return None if found is None else find_job(found, cluster, search)


def find_job(bodies: Iterable[JsonObject], cluster: ClusterId, search: JobSearch) -> Job | None:
    """The newest on-demand backup that is looked for. `since` is our clock's and the start Azure's, so two
    minutes between them are allowed for. Raises UnreadableBodyError."""
    jobs = [parse_job(body) for body in bodies if _is_backup_of(body, cluster, search)]
    matching = [job for job in jobs if job.user_triggered and job.started_at >= search.since - _CLOCK_SKEW]
    return max(matching, key=lambda job: job.started_at, default=None)


def _is_backup_of(body: JsonObject, cluster: ClusterId, search: JobSearch) -> bool:
    instance_id = text(body, "properties", "backupInstanceId")
    ours = same_id(instance_id, search.instance_id) if instance_id else _is_of_cluster(body, cluster)
    return ours and text(body, "properties", "operationCategory").lower() == "backup"


def _is_of_cluster(body: JsonObject, cluster: ClusterId) -> bool:
    return same_id(text(body, "properties", "dataSourceId"), cluster.arm_id)


def parse_job(body: JsonObject) -> Job:
    """Raises UnreadableBodyError."""
    errors = [error for each in objects(body, "properties", "errorDetails") if (error := read_error(each))]
    return Job(
        arm_id=needed_text(body, "id"),
        status=needed_text(body, "properties", "status"),
        user_triggered=flag(body, "properties", "isUserTriggered", default=False),
        started_at=needed_moment(body, "properties", "startTime"),
        ended_at=moment(body, "properties", "endTime"),
        error=translate_details(next(objects(body, "properties", "errorDetails"), None)),
        error_codes=tuple(code for error in errors for code in (error.code, *error.inner_codes)),
    )
