"""What the Guard remembers of a cluster or a region between two looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.domain.alerts import Alert
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
class Rung:
    """One decision about the extension's resources. `evidence` is the key of the failed job, or what else led to it;
    `before` and `after` are Kubernetes quantities."""

    at: datetime
    kind: Literal["memory", "cpu", "ahead", "down"]
    before: str
    after: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ExtensionMemory:
    """What the Guard decided about the extension's resources, and why. A decision is written here before anything is
    sent, so that no evidence leads to two. Empty `limit` and `cpu`: nothing was decided."""

    limit: str = ""
    cpu: str = ""
    rungs: tuple[Rung, ...] = ()
    in_effect: bool = True
    """Whether the extension has been seen with the decided values."""
    exhausted: str = ""
    """Why nothing more can be done about the newest evidence; empty: something can."""
    judged: tuple[str, ...] = ()
    """Keys of the newest failed jobs that were judged already, whatever came of it."""
    changed_at: datetime | None = None
    """The extension's own `changed_at` when it was last seen Succeeded."""
    settled_at: datetime | None = None
    """When the extension was first seen Succeeded since then: jobs that began later ran under it as it is."""
    changing_at: datetime | None = None
    """When the extension was last seen in any other state: jobs that began before may have been cut."""
    nodes: Mapping[str, str] = field(default_factory=dict)
    """What the nodes were like when a failed job was judged, by the job's key."""


@dataclass(frozen=True, slots=True)
class Cure:
    """Something done about a failed job. `evidence` is the job's key."""

    at: datetime
    kind: Literal["retry", "reinstall", "regrant", "put_back"]
    code: str
    evidence: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BackupEnd:
    """How the newest backup that is known ended."""

    key: str
    status: str
    code: str
    ended_at: datetime


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
    backup_asked_at: datetime | None = None
    """When the Guard last asked for an on-demand backup in this life of the cluster."""
    resource_uid: str = ""
    """Of the cluster that was seen last: a new one under the same ARM id has another."""
    protected_uid: str = ""
    """Of the cluster the backup instance was last put or found healthy for."""
    scope_digest: str = ""
    """Of the scope the Guard last put the backup instance with; empty when it did not put it."""
    scope_seen: str = ""
    """Of the scope Azure showed after the Guard last put the instance: another one since then is somebody's change."""
    installed_in: str = ""
    """ARM id of the blob container of the Guard's own extension; empty when the extension was adopted."""
    first_ready_at: datetime | None = None
    """When the region, or this very cluster, was first as it shall be."""
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
    traceparent: str = ""
    """Of the story the wake-up goes on with (W3C); empty at rest. It only tells where telemetry of a look belongs."""
    story_since: datetime | None = None
    lease_id: str = ""
    lease_until: datetime | None = None
    requested_at: datetime | None = None
    """When somebody asked for a look that has not begun yet."""
    stale_before: datetime | None = None
    """When the last look that was asked for began, by the clock of who looked: what was read before is read again."""
    news_at: datetime | None = None
    """When somebody told of an ended job that no look has seen yet."""
    last_backup: BackupEnd | None = None
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    """By the key of their cause: the open ones, and what was resolved lately."""
    untold: tuple[str, ...] = ()
    """Keys of those that are as a pass has judged them, and that it has yet to show and tell."""
    memory: ExtensionMemory = field(default_factory=ExtensionMemory)
    cures: tuple[Cure, ...] = ()
    """The newest, oldest first."""
    remaining: tuple[str, ...] = ()
    """What the last look left to do, or would have done if it had been let."""
    last_restore_at: datetime | None = None
    """End of the newest restore that is known to have Completed."""
    failures: int = 0
    """Passes in a row that ended in an unknown error."""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    """The queue message. It only names whom to look at; a stale `wake_id` is dropped unread. `traceparent` is the
    record's when the message was sent."""

    subject: Subject
    wake_id: str
    traceparent: str = ""


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
