"""What became of backup and restore jobs, as far as alerts and cures need it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from shared.domain.ids import ClusterId

Operation = Literal["Backup", "Restore"]

POD_RESTARTED = frozenset(
    code.lower()
    for code in (
        "UserErrorBackupPluginPodRestartedDuringBackup",
        "UserErrorBackupPluginPodRestartedDuringRestore",
    )
)
"""Lower-case codes by which Azure says that the extension's pod was lost (AKS backup troubleshooting page)."""


@dataclass(frozen=True, slots=True)
class JobIssue:
    """An error or a warning of a job. `resource` is what it is about; empty when it is about the whole job."""

    code: str
    message: str = ""
    recommended_action: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job that has reached its end (Jobs REST). `status` is Azure's own, lower-case: completed,
    completedwithwarnings, failed or cancelled. `operation` is its operationCategory. `detailed`: errors and warnings
    are as the jobs API has them; otherwise they are as far as a list of jobs told."""

    arm_id: str
    cluster: ClusterId
    instance_id: str
    operation: str
    status: str
    user_triggered: bool
    started_at: datetime
    ended_at: datetime
    errors: tuple[JobIssue, ...] = ()
    warnings: tuple[JobIssue, ...] = ()
    resources: int | None = None
    """How many Kubernetes resources the job says that it backed up; None when it does not say."""
    detailed: bool = False
    left_out: int = 0
    """How many further errors and warnings there are for which no event or row has room."""

    @property
    def vault_id(self) -> str:
        return self.arm_id.lower().partition("/backupjobs/")[0]

    @property
    def key(self) -> str:
        """The same for every report of this job, whatever its source."""
        return job_key(self.arm_id)

    @property
    def clean(self) -> bool:
        return self.status == "completed"

    @property
    def needs_details(self) -> bool:
        """Whether the jobs API must be asked: which resources were missed, or why it failed, is not known yet."""
        if self.detailed or self.status in ("completed", "cancelled"):
            return False
        return not self.errors if self.status == "failed" else True

    def failed_with(self, *codes: str) -> bool:
        """Whether one of its errors has one of the lower-case codes."""
        return self.status == "failed" and any(issue.code.lower() in codes for issue in self.errors)


@dataclass(frozen=True, slots=True)
class OutOfMemorySign:
    """Container insights saw that a container of the backup extension was OOM-killed at `at` (KubePodInventory)."""

    cluster: ClusterId
    pod: str
    container: str
    at: datetime

    @property
    def key(self) -> str:
        return event_key(self.cluster.arm_id, self.pod, self.container, f"{self.at:%Y%m%dT%H%M%S}")


@dataclass(frozen=True, slots=True)
class ClusterHistory:
    """What is known of one cluster's jobs, oldest end first, and of its out-of-memory kills, oldest first."""

    jobs: tuple[EndedJob, ...] = ()
    signs: tuple[OutOfMemorySign, ...] = ()


def job_key(arm_id: str) -> str:
    """Made of the job's vault and name: the same however its ARM id is spelled."""
    vault_id, _, name = arm_id.lower().partition("/backupjobs/")
    return event_key(vault_id, name)


def event_key(*parts: str) -> str:
    """An id for one happening: 40 hex digits, the same whoever tells of it."""
    return hashlib.sha256("|".join(part.lower() for part in parts).encode()).hexdigest()[:40]


_LONGEST_TEXT = 2_000
_LONGEST_NAME = 300
_LARGEST_JOB = 100_000
"""Characters of JSON for all errors and warnings of one job: what comes of it has to fit into rows and events."""


def bounded[News: EndedJob | OutOfMemorySign](news: News) -> News:
    """The same, small enough for a row: texts are cut, and what no longer fits of the errors and then of the warnings
    is counted in `left_out`. What is bounded already stays as it is."""
    if isinstance(news, OutOfMemorySign):
        return replace(news, pod=cut(news.pod, _LONGEST_NAME), container=cut(news.container, _LONGEST_NAME))
    errors, room = fitting(news.errors)
    warnings, _ = fitting(news.warnings, room)
    return replace(
        news,
        arm_id=cut(news.arm_id, _LONGEST_TEXT),
        instance_id=cut(news.instance_id, _LONGEST_TEXT),
        operation=cut(news.operation, _LONGEST_NAME),
        status=cut(news.status, _LONGEST_NAME),
        errors=errors,
        warnings=warnings,
        left_out=news.left_out + len(news.errors) + len(news.warnings) - len(errors) - len(warnings),
    )


def fitting(issues: Iterable[JobIssue], room: int = _LARGEST_JOB) -> tuple[tuple[JobIssue, ...], int]:
    """The first of them that fit, and the room that is left: none once one did not fit."""
    kept: list[JobIssue] = []
    for issue in issues:
        short = JobIssue(
            code=cut(issue.code, _LONGEST_NAME),
            message=cut(issue.message, _LONGEST_TEXT),
            recommended_action=cut(issue.recommended_action, _LONGEST_TEXT),
            resource=cut(issue.resource, _LONGEST_TEXT),
        )
        room -= len(json.dumps([short.code, short.message, short.recommended_action, short.resource]))
        if room < 0:
            return tuple(kept), 0
        kept.append(short)
    return tuple(kept), room


def cut(text: str, longest: int) -> str:
    """Also without halves of characters, which JSON may hold and no storage takes."""
    return text[:longest].encode("utf-8", "replace").decode()
