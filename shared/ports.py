"""What the loop needs from the world. Azure, storage and time stand behind these; tests bring fakes that behave."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domain.alerts import Alert, Announcement, Word
from shared.domain.compliance import JudgedCluster, SweepSummary, VerdictChange
from shared.domain.facts import Fact
from shared.domain.fleet import FleetBatch, FleetScope, Remembered, Scope, SharedFacts, Source
from shared.domain.ids import ClusterId, RegionId, Subject
from shared.domain.jobs import ClusterHistory, EndedJob, OutOfMemorySign
from shared.domain.messages import Message
from shared.domain.observed import ObservedCluster, ObservedRegion
from shared.domain.reads import ClusterReads, Reading, RegionReads
from shared.domain.record import Action, ReconcileRequest, Record
from shared.domain.steps import Step, StepOutcome
from shared.domain.sweeps import Batch, SweepRun


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


type News = EndedJob | OutOfMemorySign


class JobHistory(Protocol):
    """Every ended job and out-of-memory kill that is known, each once (table `jobs`)."""

    async def of(self, cluster: ClusterId, since: datetime) -> ClusterHistory:
        """What ended at or after `since`."""
        ...

    async def knows(self, news: News) -> bool:
        """Whether it is there, with details when `news` has details."""
        ...

    async def add(self, news: News) -> bool:
        """Keep it; False when it was there. A job without details gives way to the same one with details."""
        ...


class AlertBook(Protocol):
    """The alerts as people and other programs see them (table `alerts`), and what people said about them. The Guard
    and people write different columns, so that neither hinders the other."""

    async def show(self, alerts: Sequence[Alert]) -> None:
        """Write them as they stand now."""
        ...

    async def words(self, subject: str) -> Mapping[str, Word]:
        """By the alert's id."""
        ...

    async def say(self, alert_id: str, subject: str, word: Word) -> None:
        """Raises KeyError when there is no such alert."""
        ...

    def all_of(self, subject: str | None = None, *, open_only: bool = False) -> AsyncIterator[Alert]:
        """The alerts with people's words in them; of one subject, or of the fleet."""
        ...


class JobSource(Protocol):
    """One place that knows of ended jobs."""

    @property
    def name(self) -> str: ...

    @property
    def keeps(self) -> float:
        """Seconds it remembers."""
        ...

    @property
    def overlap(self) -> float:
        """Seconds by which a row may come later than others that ended after it."""
        ...

    def ended_since(self, since: datetime) -> AsyncIterator[News]:
        """What ended at or after `since`, oldest first as far as it can. Raises GuardError: an incomplete answer is
        never a short one."""
        ...


class JobReader(Protocol):
    """The jobs API of a vault."""

    async def read(self, job_id: str) -> EndedJob | None:
        """The job in every detail; None when it is not there or has not ended. Raises GuardError."""
        ...


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to where a source has been read: `through` is Azure's own time of the newest end seen; `failing_since` is set
    while the source cannot be read."""

    source: str
    through: datetime
    failing_since: datetime | None = None
    etag: str = ""


class Watermarks(Protocol):
    async def get(self, source: str) -> Watermark | None: ...

    async def save(self, watermark: Watermark) -> Watermark:
        """Raises RecordConflict when somebody else wrote first."""
        ...


@dataclass(frozen=True, slots=True)
class OutgoingNews:
    """News on its way to the app's own topic. Without `news` only its id is known (`job_id`), and the jobs API must be
    asked. `published_at` is set when Event Grid took it; it stays until the history knows it."""

    key: str
    job_id: str
    found_at: datetime
    news: News | None
    published_at: datetime | None = None


class Outbox(Protocol):
    """What is to be published or sent, written down before anything is done about it (table `outbox`)."""

    async def put_news(self, entry: OutgoingNews) -> None:
        """Create or replace the entry of that key."""
        ...

    def outgoing_news(self) -> AsyncIterator[OutgoingNews]: ...

    async def drop_news(self, entry: OutgoingNews) -> None: ...

    async def put(self, destination: str, announcement: Announcement) -> bool:
        """Keep it for the destination, once: False when one of that key is there, delivered or not."""
        ...

    async def pending(self, destination: str) -> Sequence[Announcement]:
        """What has not been delivered, oldest first."""
        ...

    async def delivered(self, destination: str, keys: Sequence[str], at: datetime) -> None: ...

    async def forget_delivered(self, destination: str, before: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Destination:
    """One channel of a route, or the topic, and how delivering to it goes. The lease keeps two hosts from sending the
    same; `not_before` holds until when nothing is sent, and whoever sets it sends a wake-up for then; `failing` holds
    the channel with the number of failures in a row."""

    name: str
    lease_id: str = ""
    lease_until: datetime | None = None
    not_before: datetime | None = None
    failing: Mapping[str, int] = field(default_factory=dict)
    failing_since: datetime | None = None
    sent: tuple[str, ...] = ()
    """Keys of the announcements in the newest message that arrived: the outbox may not know it yet."""
    etag: str = ""


class Destinations(Protocol):
    async def get(self, name: str) -> Destination: ...

    async def save(self, destination: Destination) -> Destination:
        """Raises RecordConflict when somebody else wrote first."""
        ...


class NotifyQueue(Protocol):
    async def send(self, destination: str, delay: float = 0) -> None:
        """Ask for a delivery to the destination after `delay` seconds of the wall clock."""
        ...


class Channels(Protocol):
    """Teams, Slack, mail, PagerDuty, webhooks and the rest, by the name of the app setting with the address."""

    async def deliver(self, channel: str, message: Message) -> None:
        """Raises DeliveryError, whose text never holds the address."""
        ...


class EventTopic(Protocol):
    """The app's own Event Grid topic, for CloudEvents 1.0."""

    async def publish_news(self, news: Sequence[News]) -> None:
        """Raises GuardError: then none, some or all may have been published."""
        ...

    async def publish_announcements(self, announcements: Sequence[Announcement]) -> None:
        """As above."""
        ...

    async def publish_changes(self, changed: Sequence[Sequence[VerdictChange]]) -> None:
        """As above; each item is what changed of one cluster in one sweep."""
        ...

    async def publish_sweep(self, summary: SweepSummary) -> None:
        """As above."""
        ...


class FleetReader(Protocol):
    """Asks Resource Graph about many clusters at once. An answer is whole, or it is an Unobserved fact (or an error in
    its Source) that says why not."""

    async def scope(self, scope: Scope) -> FleetScope:
        """The subscriptions in scope and how many clusters each has. Raises GuardError."""
        ...

    async def shared(self) -> SharedFacts:
        """Vaults and policies of everything the caller may read."""
        ...

    async def batch(self, subscriptions: Sequence[str]) -> FleetBatch:
        """Every cluster of these subscriptions. Raises GuardError when the clusters themselves cannot be listed."""
        ...

    async def cluster_ids(self, subscriptions: Sequence[str]) -> Sequence[ClusterId]:
        """Only who is there. Raises GuardError."""
        ...

    async def matching(self, query: str, subscriptions: Sequence[str]) -> tuple[Mapping[str, str], Source]:
        """Of a user's own query: what it says (`message`, or nothing) by lower-case `id`. Raises GuardError."""
        ...

    async def diagnosed(self, vault_id: str) -> bool:
        """Whether a diagnostic setting sends the vault's backup jobs anywhere; one call of ARM. Raises GuardError."""
        ...

    async def exists(self, cluster: ClusterId) -> bool:
        """Whether ARM has the cluster: one call. Raises GuardError, also when the caller may not know."""
        ...


@dataclass(frozen=True, slots=True)
class RepairHold:
    """Why drift is not repaired until a person says so. `clusters` of `fleet` would have changed at once."""

    sweep_id: str
    at: datetime
    clusters: int
    fleet: int


class RepairBreaker(Protocol):
    """The circuit breaker of repairs (table `switches`)."""

    async def held(self) -> RepairHold | None: ...

    async def hold(self, hold: RepairHold) -> None: ...

    async def approve(self, by: str, at: datetime, until: datetime) -> RepairHold | None:
        """Let the repairs go on, and keep the breaker from opening again before `until`. The hold that was lifted; None
        when there was none."""
        ...

    async def approved_until(self) -> datetime | None: ...


class SweepBook(Protocol):
    """The sweeps (table `sweeps`). A sweep shows only when it is complete."""

    async def latest(self) -> SweepSummary | None: ...

    async def summaries(self, limit: int) -> Sequence[SweepSummary]:
        """The newest, newest first."""
        ...

    def clusters(self, sweep_id: str) -> AsyncIterator[JudgedCluster]:
        """Everything the sweep judged; nothing when it is no longer kept."""
        ...

    def changes(self, since: datetime, cluster_id: str | None = None) -> AsyncIterator[VerdictChange]:
        """What changed between sweeps, newest first; of one cluster (any spelling), or of all."""
        ...


class SweepStore(SweepBook, Protocol):
    """The same for who writes them. A batch shows only with the summary, so that writing it again replaces it."""

    async def run(self) -> SweepRun | None:
        """The sweep under way, or the last one that was."""
        ...

    async def save_run(self, run: SweepRun) -> SweepRun:
        """Raises RecordConflict when somebody else wrote first."""
        ...

    async def write_batch(
        self, sweep_id: str, number: int, clusters: Sequence[JudgedCluster], changes: Sequence[VerdictChange]
    ) -> tuple[int, int]:
        """How many rows the clusters, and the changes, have become."""
        ...

    async def finish(self, summary: SweepSummary, batches: Sequence[Batch]) -> None:
        """From now on the sweep shows."""
        ...

    def before(self, sweep_id: str, subscriptions: Sequence[str]) -> AsyncIterator[JudgedCluster]:
        """What a finished sweep judged of these subscriptions (lower-case)."""
        ...

    def changes_of(self, sweep_id: str) -> AsyncIterator[VerdictChange]:
        """Of a finished sweep, those of one cluster behind each other."""
        ...

    async def diagnostics(self) -> Mapping[str, Fact[bool]]:
        """What single reads of vaults have said, by lower-case vault id."""
        ...

    async def keep_diagnostics(self, diagnostics: Mapping[str, Fact[bool]]) -> None: ...

    async def drop(self, sweep_id: str) -> None:
        """Forget a sweep that never finished."""
        ...

    async def forget(self, clusters_before: datetime, all_before: datetime) -> None:
        """Forget the clusters of finished sweeps that began before the one, and all of those before the other."""
        ...
