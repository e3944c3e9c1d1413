"""Ended jobs in Log Analytics, as the vaults' diagnostic settings send them (table AddonAzureBackupJobs): rows come 20
to 30 minutes after the end (Backup vault diagnostics page)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from shared.arm.log_analytics import LogAnalytics
from shared.domain.jobs import EndedJob, JobIssue
from shared.events.fields import is_job_id
from shared.observe.ended_jobs import cluster_of, ended_status
from shared.observe.fields import JsonObject, UnreadableBodyError, at, needed_moment, needed_text, text
from shared.observe.queries import BACKUP_JOBS, ended_jobs_in_logs
from shared.observe.rows import Rows

_DAY = 24 * 3600.0


class LogAnalyticsJobs:
    """`ports.JobSource` of one workspace. What it yields was told of at or after `since`, and may have ended before: a
    row that came late is never left out for its age."""

    keeps = 30 * _DAY
    """The shortest interactive retention a workspace may have."""
    overlap = 2 * 3600.0

    def __init__(self, logs: LogAnalytics, workspace_id: str) -> None:
        self._logs, self._workspace_id = logs, workspace_id
        self.rows = Rows(self.name)

    @property
    def name(self) -> str:
        return f"log-analytics:{self._workspace_id}"

    async def ended_since(self, since: datetime) -> AsyncIterator[EndedJob]:
        found = await self._logs.query(self._workspace_id, ended_jobs_in_logs(since), BACKUP_JOBS)
        for job in sorted(self.rows.read(found, _parse), key=lambda job: (job.ended_at, job.arm_id)):
            yield job


def _parse(row: JsonObject) -> EndedJob:
    """That JobUniqueId is the job's name in the vault is assumed; so are the words of JobStatus, which are taken
    however they are written. Raises UnreadableBodyError."""
    status = ended_status(text(row, "JobStatus"))
    if status is None:
        raise UnreadableBodyError(f"status {text(row, 'JobStatus')[:60]!r} is not known, and only ended jobs are sent")
    started_at, took = needed_moment(row, "JobStartDateTime"), at(row, "JobDurationInSecs")
    code, item = text(row, "JobFailureCode"), text(row, "BackupItemId")
    issues = (JobIssue(code),) if code and code.lower() not in ("success", "none", "0") else ()
    arm_id = f"{needed_text(row, 'vaultId').rstrip('/')}/backupJobs/{needed_text(row, 'JobUniqueId')}"
    if not is_job_id(arm_id):
        raise UnreadableBodyError(f"not the ARM id of a Backup vault's job: {arm_id[:300]!r}")
    return EndedJob(
        arm_id=arm_id,
        cluster=cluster_of(needed_text(row, "DatasourceResourceId")),
        instance_id=item if "/backupinstances/" in item.lower() else "",
        operation=needed_text(row, "JobOperation"),
        status=status,
        user_triggered=text(row, "AdHocOrScheduledJob").lower().startswith("adhoc"),
        started_at=started_at,
        ended_at=_end(started_at, took),
        errors=issues if status == "failed" else (),
        warnings=issues if status == "completedwithwarnings" else (),
    )


def _end(started_at: datetime, took: object) -> datetime:
    """Raises UnreadableBodyError."""
    if isinstance(took, bool) or not isinstance(took, int | float) or took < 0:
        raise UnreadableBodyError(f"JobDurationInSecs is {took!r}")
    try:
        return started_at + timedelta(seconds=took)
    except (OverflowError, ValueError) as error:
        raise UnreadableBodyError(f"JobDurationInSecs is {took!r}") from error
