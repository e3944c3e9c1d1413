"""What the loop needs: Azure, its records, its queue, the clock, and what holds it back."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.fleet import Remembered
from shared.domain.ids import ClusterId, RegionId, Subject
from shared.domain.observed import ObservedCluster, ObservedRegion
from shared.domain.reads import ClusterReads, Reading, RegionReads
from shared.domain.record import Action, ReconcileRequest, Record
from shared.domain.steps import Step, StepOutcome


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, UTC."""
        ...


class AzureReader(Protocol):
    """Reads Azure and changes nothing. Errors of single reads are in the answer; unknown exceptions propagate."""

    async def read_cluster(
        self, cluster: ClusterId, reads: ClusterReads, known: ObservedCluster
    ) -> Reading[ObservedCluster]: ...

    async def read_region(
        self, region: RegionId, reads: RegionReads, known: ObservedRegion
    ) -> Reading[ObservedRegion]: ...

    def list_clusters(self, subscription_id: str) -> AsyncIterator[ClusterId]:
        """Every managed cluster of the subscription. Raises GuardError: an incomplete list is never a short one."""
        ...


class AzureActor(Protocol):
    """Changes Azure, one step a call, and leaves a line in the audit trail before and after."""

    async def apply(self, subject: Subject, step: Step) -> StepOutcome:
        """Errors Azure is known to answer are a Failed outcome; unknown exceptions propagate."""
        ...


class Records(Protocol):
    """One row per cluster or region, written under its ETag."""

    async def get(self, subject: Subject) -> Record | None: ...

    async def save(self, record: Record) -> Record:
        """Create (no etag) or replace (the etag it was read with); the answer carries the new etag.
        Raises RecordConflict when somebody else wrote first, and TransientError when storage is not to be had."""
        ...

    def overdue(self, now: datetime, limit: int) -> AsyncIterator[Record]:
        """Records whose `due_at` has passed, at most `limit`."""
        ...

    def everything(self) -> AsyncIterator[Record]:
        """Every record, clusters and regions."""
        ...

    def remembered(self) -> AsyncIterator[tuple[ClusterId, Remembered]]:
        """What the rows of all clusters say to a sweep, without reading them whole."""
        ...

    async def mark_requested(self, subject: Subject, at: datetime) -> None:
        """Leave word for the holder of the lease that somebody asked for a look."""
        ...

    async def requested(self, subject: Subject) -> datetime | None:
        """When that was; None when there is no such word."""
        ...

    async def clear_requested(self, subject: Subject, at: datetime) -> None:
        """It has been answered. A word left since then stays."""
        ...


class AuditTrail(Protocol):
    """Append-only."""

    async def append(self, actions: Sequence[Action]) -> None: ...

    async def newest(self, limit: int, subject: str | None = None) -> Sequence[Action]:
        """The newest lines, newest first; of one subject's key, or of all."""
        ...


class WorkQueue(Protocol):
    async def send(self, request: ReconcileRequest, delay: float = 0) -> None:
        """Put the request on the queue, visible after `delay` seconds (of the wall clock; at most seven days)."""
        ...


@dataclass(frozen=True, slots=True)
class QuotaRow:
    """What the instances of the app share about one subscription: until when to keep still (`not_before`), and who
    may have how many calls in flight until when (by instance id)."""

    subscription_id: str
    not_before: datetime | None
    in_flight: Mapping[str, tuple[int, datetime]]
    etag: str = ""


class SharedQuota(Protocol):
    """The `subscriptions` rows."""

    async def get(self, subscription_id: str) -> QuotaRow: ...

    async def save(self, row: QuotaRow) -> QuotaRow:
        """Raises RecordConflict when somebody else wrote first."""
        ...


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """How far one profile's digest has come: since when, and which clusters took it by hour."""

    profile: str
    digest: str
    since: datetime
    changed: int
    hour: datetime
    changed_this_hour: int
    etag: str = ""


class Rollouts(Protocol):
    """Progress of profile changes, one row per profile and digest."""

    async def get(self, profile: str, digest: str, now: datetime) -> RolloutRow:
        """The row; a fresh one (since `now`, nothing changed) when there is none."""
        ...

    async def save(self, row: RolloutRow) -> RolloutRow:
        """Raises RecordConflict when somebody else wrote first."""
        ...


@dataclass(frozen=True, slots=True)
class Stop:
    """Who pulled the emergency stop, why and when."""

    by: str
    reason: str
    at: datetime


class EmergencyStop(Protocol):
    """The stop an operator pulls in the terminal; the app setting is another."""

    async def pulled(self) -> Stop | None: ...


@dataclass(frozen=True, slots=True)
class HandledEvent:
    """A synthetic event, and when it was handled, UTC."""

    id: str
    handled_at: datetime


class SyntheticEvents(Protocol):
    """The last event that somebody sent to see whether events arrive."""

    async def keep(self, event: HandledEvent) -> None:
        """Raises TransientError."""
        ...

    async def latest(self) -> HandledEvent | None:
        """Raises TransientError."""
        ...
