"""What the loop works with, put together once by `bootstrap`, or by a test with fakes that behave."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.fleet import Scope
from shared.domain.profile import Configuration
from shared.domain.time import Moment
from shared.plan.compliance.control import Control
from shared.ports import (
    AlertBook,
    AuditTrail,
    AzureActor,
    AzureReader,
    Channels,
    Clock,
    Destinations,
    EmergencyStop,
    EventTopic,
    FleetReader,
    JobHistory,
    JobReader,
    JobSource,
    NotifyQueue,
    Outbox,
    Records,
    RepairBreaker,
    Rollouts,
    SweepStore,
    SyntheticEvents,
    Watermarks,
    WorkQueue,
)


@dataclass(frozen=True, slots=True)
class World:
    """`lease_seconds` is the longest a pass may take plus the clocks' skew, in seconds of the wall; `stopped` is the
    app setting, `emergency_stop` what an operator pulled; `jitter` answers a number from 0 to 1, `new_id` a word
    nobody else has."""

    clock: Clock
    reader: AzureReader
    actor: AzureActor
    records: Records
    rollouts: Rollouts
    queue: WorkQueue
    history: JobHistory
    alert_book: AlertBook
    outbox: Outbox
    destinations: Destinations
    notify_queue: NotifyQueue
    channels: Channels
    watermarks: Watermarks
    job_sources: tuple[JobSource, ...]
    job_reader: JobReader
    topic: EventTopic | None
    """None: events are published nowhere, and news is taken in at once."""
    fleet: FleetReader
    sweeps: SweepStore
    breaker: RepairBreaker
    audit: AuditTrail
    scope: Scope
    """Whose clusters are looked for without an event: of the app settings and of guard.yaml."""
    controls: tuple[Control, ...]
    """The catalogue's, and those of the user's own Python files."""
    configuration: Configuration
    jitter: Callable[[], float]
    new_id: Callable[[], str]
    time_scale: float = 1.0
    lease_seconds: float = 420.0
    pass_seconds: float = 240.0
    stopped: bool = False
    emergency_stop: EmergencyStop | None = None
    synthetic_events: SyntheticEvents | None = None

    def moment(self) -> Moment:
        return Moment(self.clock.now(), self.time_scale)

    async def stop_reason(self) -> str | None:
        """Who stopped every change and why; None when nothing is stopped. Raises TransientError: whoever cannot read
        the stop must not act."""
        if self.stopped:
            return "by the app setting AKS_BACKUP_GUARD_STOPPED"
        stop = await self.emergency_stop.pulled() if self.emergency_stop else None
        return f"by {stop.by}: {stop.reason}" if stop else None
