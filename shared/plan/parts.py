"""A plan is put together from parts: each answers for one condition."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.conditions import Condition, Status
from shared.domain.errors import StepError
from shared.domain.ids import RegionId
from shared.domain.steps import Attempt, Step, StepHistory
from shared.domain.time import Moment


@dataclass(frozen=True, slots=True)
class Said:
    """A condition before it has a date."""

    type: str
    status: Status
    reason: str
    message: str
    recommended_action: str = ""

    def at(self, moment: Moment) -> Condition:
        return Condition(self.type, self.status, self.reason, self.message, moment.now, self.recommended_action)


@dataclass(frozen=True, slots=True)
class Part:
    """`steps` may be started now; `remaining` names everything that is not yet as the profile wants it;
    `requeue_after` is in Azure's seconds, None when nothing is waited for."""

    said: tuple[Said, ...] = ()
    steps: tuple[Step, ...] = ()
    remaining: tuple[str, ...] = ()
    requeue_after: float | None = None

    @property
    def complete(self) -> bool:
        return not self.remaining


@dataclass(frozen=True, slots=True)
class Plan:
    """What one look led to."""

    next_steps: tuple[Step, ...] = ()
    remaining: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    requeue_after: float | None = None
    wakes: RegionId | None = None
    """A region that must be looked at before this cluster can go on."""


def sooner(*waits: float | None) -> float | None:
    """The shortest of the waits that there are."""
    there = [wait for wait in waits if wait is not None]
    return min(there) if there else None


def together(parts: Iterable[Part]) -> Part:
    """All parts as one."""
    all_parts = tuple(parts)
    return Part(
        tuple(said for part in all_parts for said in part.said),
        tuple(step for part in all_parts for step in part.steps),
        tuple(name for part in all_parts for name in part.remaining),
        sooner(*(part.requeue_after for part in all_parts)),
    )


def attempted(condition: str, step: Step, history: StepHistory, moment: Moment, ready: Said) -> Part:
    """The part for a step whose inputs are ready: start it, or say how its last attempt failed and wait until it may
    be tried again. `ready` is what to say while it is started or has not failed."""
    attempt = history.attempts.get(step.key)
    if attempt is None:
        return Part((ready,), (step,), (step.key,), 5)
    failed = said_of(condition, attempt.error)
    if attempt.not_before > moment.now:
        return Part((failed,), (), (step.key,), seconds_until(attempt, moment))
    return Part((failed,), (step,), (step.key,), 5)


def said_of(condition: str, error: StepError) -> Said:
    """How an error reads as a condition: what passes by itself is Unknown no longer than it must be, so it is False
    too, but its reason is Azure's own code and its action says whether a person is needed."""
    action = error.recommended_action
    if not action and error.kind in ("transient", "not_ready_yet"):
        action = "Nothing: the Guard tries again by itself."
    return Said(condition, "False", error.code, error.message, action)


def seconds_until(attempt: Attempt, moment: Moment) -> float:
    return max(1.0, -moment.since(attempt.not_before))
