"""When a fact must be read again."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.facts import Fact, Present, Unobserved
from shared.domain.record import Record
from shared.domain.time import Moment

DAILY = 86400.0
"""Seconds after which even a settled fact is read again: drift that raised no event is found within a day."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """`since`: facts older than this are stale, because somebody asked for a look or a call's result is unknown."""

    moment: Moment
    since: datetime | None

    def stale(self, fact: Fact[object], *, settled: bool = True) -> bool:
        """Whether to read. What is not there, or still changing, is what the pass waits for: it is read every pass,
        but only once in one pass."""
        if isinstance(fact, Unobserved):
            return True
        if fact.observed_at >= self.moment.now:
            return False
        if not isinstance(fact, Present) or not settled:
            return True
        if self.since is not None and fact.observed_at < self.since:
            return True
        return self.moment.since(fact.observed_at) >= DAILY


def freshness(record: Record, moment: Moment) -> Freshness:
    """From the record as it was before the pass wrote its own intents."""
    moments = [intent.at for intent in record.steps.intents.values()]
    if record.requested_at is not None:
        moments.append(record.requested_at)
    return Freshness(moment, max(moments, default=None))


def settled(state: str) -> bool:
    """Whether a provisioning state is an end. Unknown words are not."""
    return state.lower() in ("succeeded", "failed", "canceled")
