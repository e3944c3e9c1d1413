"""What the loop works with, put together once by `bootstrap`, or by a test with fakes that behave."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.profile import Configuration
from shared.domain.time import Moment
from shared.ports import AzureActor, AzureReader, Clock, Records, Rollouts, WorkQueue


@dataclass(frozen=True, slots=True)
class World:
    """`lease_seconds` is the longest a pass may take plus the clocks' skew, in seconds of
    the wall; `jitter` answers a number from 0 to 1, `new_id` a word nobody else has."""

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

    def moment(self) -> Moment:
        return Moment(self.clock.now(), self.time_scale)
