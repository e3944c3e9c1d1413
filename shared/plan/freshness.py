"""When a fact must be read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.facts import Fact, Present, Unobserved
from shared.domain.record import Record
from shared.domain.time import Moment

DAILY = 86400.0
"""Seconds after which even a settled fact is read again: drift that raised no event is found within a day."""

FIRST_LOOK_AFTER: Mapping[str, float] = {
    "InstallExtension": 60,  # a Helm release on the cluster: minutes
    "UpdateExtension": 45,
    "DeleteExtension": 30,
    "CreateTrustedAccessBinding": 20,  # AKS answers one call a second for a whole subscription
    "ValidateForBackup": 45,  # recorded: 44 s
    "CreateBackupInstance": 60,  # recorded: about a minute until ProtectionConfigured
}
"""Step -> seconds (Azure's) after it was accepted in which its result is surely not there: sooner a read only costs
quota, which a thousand clusters share."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """`since`: facts older than this are stale, because somebody asked for a look or a call's result is unknown."""

    moment: Moment
    since: datetime | None

    def stale(self, fact: Fact[object], *, settled: bool = True, every: float = 0) -> bool:
        """Whether to read. What is not there, or still changing, is what the pass waits for: it is read every pass
        (at most every `every` seconds), but only once in one pass."""
        if isinstance(fact, Unobserved):
            return True
        if fact.observed_at >= self.moment.now:
            return False
        if self.since is not None and fact.observed_at < self.since:
            return True
        age = self.moment.since(fact.observed_at)
        return age >= (DAILY if isinstance(fact, Present) and settled else every)


def freshness(record: Record, moment: Moment) -> Freshness:
    """From the record as it was before the pass wrote its own intents: while the result of a call is unknown, all is
    read again."""
    return Freshness(moment, moment.now if record.steps.intents else record.stale_before)


def first_look_in(record: Record, step_key: str, moment: Moment) -> float:
    """Seconds until the result of a step that was accepted may be read; not above 0 when it may be read now."""
    pending, started = record.steps.pending.get(step_key), record.steps.started.get(step_key)
    since = pending.started_at if pending else started
    return 0.0 if since is None else FIRST_LOOK_AFTER.get(step_key, 0.0) - moment.since(since)


def extension_look_in(record: Record, moment: Moment) -> float:
    """The same for whatever was last done to the extension."""
    return max(first_look_in(record, key, moment) for key in ("InstallExtension", "UpdateExtension", "DeleteExtension"))


def read_now(fact: Fact[object], moment: Moment) -> bool:
    """Whether it was read in this very pass."""
    return not isinstance(fact, Unobserved) and fact.observed_at >= moment.now


def settled(state: str) -> bool:
    """Whether a provisioning state is an end. Unknown words are not."""
    return state.lower() in ("succeeded", "failed", "canceled")
