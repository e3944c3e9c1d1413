"""What the loop works with, put together once by `bootstrap`, or by a test with fakes that behave."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.profile import Configuration
from shared.domain.time import Moment
from shared.ports import AzureActor, AzureReader, Clock, EmergencyStop, Records, Rollouts, WorkQueue


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
    configuration: Configuration
    jitter: Callable[[], float]
    new_id: Callable[[], str]
    time_scale: float = 1.0
    lease_seconds: float = 420.0
    pass_seconds: float = 300.0
    stopped: bool = False
    emergency_stop: EmergencyStop | None = None

    def moment(self) -> Moment:
        return Moment(self.clock.now(), self.time_scale)

    async def is_stopped(self) -> bool:
        """Raises TransientError: whoever cannot read the stop must not act."""
        return self.stopped or (self.emergency_stop is not None and await self.emergency_stop.pulled() is not None)
