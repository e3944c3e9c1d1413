"""What the Guard remembers of a cluster or a region between two looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.conditions import Condition
from shared.domain.ids import Subject
from shared.domain.observed import ObservedCluster, ObservedRegion
from shared.domain.steps import StepHistory


@dataclass(frozen=True, slots=True)
class Validation:
    """validateForBackup succeeded at `at` for what `digest` names."""

    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `etag` is storage's; empty for a record not stored yet."""

    subject: Subject
    first_seen_at: datetime
    observed: ObservedCluster | ObservedRegion
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    steps: StepHistory = field(default_factory=StepHistory)
    validation: Validation | None = None
    backup_job_id: str = ""
    """ARM id of the first backup's job, once known."""
    first_backup_at: datetime | None = None
    """When the first backup of this life of the cluster was asked for; watermarks start here."""
    resource_uid: str = ""
    """Of the cluster that was seen last: a new one under the same ARM id has another."""
    protected_uid: str = ""
    """Of the cluster the backup instance was last put or found healthy for."""
    scope_digest: str = ""
    """Of the scope the Guard last put the backup instance with; empty when it did not put it."""
    reborn_at: datetime | None = None
    """When a new cluster under the same ARM id was first seen: recovery points before it are not of this cluster."""
    deleted_at: datetime | None = None
    profile: str = ""
    profile_digest: str = ""
    """Under which the cluster was last acted on or planned for."""
    configuration_revision: int = 0
    configuration_digest: str = ""
    due_at: datetime | None = None
    wake_id: str = ""
    lease_id: str = ""
    lease_until: datetime | None = None
    requested_at: datetime | None = None
    """When somebody asked for a look that has not begun yet."""
    stale_before: datetime | None = None
    """When the last look that was asked for began, by the clock of who looked: what was read before is read again."""
    failures: int = 0
    """Passes in a row that ended in an unknown error."""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    """The queue message. It only names whom to look at; a stale `wake_id` is dropped unread."""

    subject: Subject
    wake_id: str


@dataclass(frozen=True, slots=True)
class Action:
    """One line of the audit trail: a mutating call about to be made, or its outcome."""

    at: datetime
    subject: str
    step: str
    target: str
    outcome: str
    """Started, Done, Accepted, or the error's code."""
    request_id: str = ""
    detail: str = ""
    actor: str = "aks-backup-guard"
