"""The present moment as decisions see it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Moment:
    """`scale` is how much faster than Azure's the world runs: 1, except against a simulator that was told to hurry.
    All seconds here are Azure's."""

    now: datetime
    scale: float = 1.0

    def since(self, then: datetime) -> float:
        """Azure's seconds that have passed since `then`."""
        return (self.now - then).total_seconds() * self.scale

    def after(self, seconds: float) -> datetime:
        """The moment that lies that many of Azure's seconds ahead."""
        return self.now + timedelta(seconds=seconds / self.scale)
