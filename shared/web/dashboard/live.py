"""What is so at this moment, beside what the last sweep found: open alerts, what was done, what is held back."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.alerts import SEVERITIES, Alert
from shared.domain.compliance import SweepSummary
from shared.domain.errors import GuardError
from shared.domain.facts import Fact, Present, Unobserved
from shared.domain.record import Action
from shared.ports import RepairHold
from shared.world import World

KEPT = timedelta(seconds=15)
"""How old it may be: a page that many look at asks storage once."""
_NEWEST = 60


@dataclass(frozen=True, slots=True)
class Live:
    """Each with its own moment, or why it could not be read. `stopped`: by whom and why; empty when nothing is."""

    alerts: Fact[tuple[Alert, ...]]
    actions: Fact[tuple[Action, ...]]
    hold: Fact[RepairHold | None]
    stopped: Fact[str]


class LiveView:
    """`Live`, kept for a few seconds, and the trend, kept for as long as no other sweep is the latest. Of several who
    ask at once, one reads and the others wait."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._live: tuple[datetime, Live] | None = None
        self._trend: tuple[str, tuple[SweepSummary, ...]] = ("", ())

    async def now(self, world: World) -> Live:
        async with self._reading:
            now = world.clock.now()
            if self._live is None or not timedelta(0) <= now - self._live[0] < KEPT:
                self._live = (now, await read(world))
            return self._live[1]

    async def trend(self, world: World, latest: str, most: int) -> Sequence[SweepSummary]:
        """Newest first. Raises GuardError."""
        if self._trend[0] != latest:
            self._trend = (latest, tuple(await world.sweeps.summaries(most)))
        return self._trend[1]


async def read(world: World) -> Live:
    """All of it, side by side."""
    alerts, actions, hold, stopped = await asyncio.gather(
        fact(world, open_alerts(world)),
        fact(world, newest(world)),
        fact(world, world.breaker.held()),
        fact(world, _stopped(world)),
    )
    return Live(alerts, actions, hold, stopped)


async def open_alerts(world: World) -> tuple[Alert, ...]:
    """The gravest first, then the newest. Raises GuardError and ValueError."""
    found = [alert async for alert in world.alert_book.all_of(open_only=True)]
    found.sort(key=lambda alert: alert.opened_at, reverse=True)
    return tuple(sorted(found, key=lambda alert: SEVERITIES.index(alert.severity)))


async def newest(world: World, subject: str | None = None, limit: int = _NEWEST) -> tuple[Action, ...]:
    return tuple(await world.audit.newest(limit, subject))


def without_beginnings(actions: Sequence[Action]) -> list[Action]:
    """Newest first, as they come; the beginning of what has ended since is left out."""
    ended: set[tuple[str, str, str]] = set()
    kept = []
    for action in actions:
        what = (action.subject, action.step, action.target)
        if action.outcome != "Started":
            ended.add(what)
        elif what in ended:
            ended.discard(what)
            continue
        kept.append(action)
    return kept


async def _stopped(world: World) -> str:
    return await world.stop_reason() or ""


async def fact[T](world: World, reading: Awaitable[T]) -> Fact[T]:
    """What was read, or why not: one table that cannot be read, or one row in it, leaves the rest of a page whole."""
    try:
        return Present(await reading, world.clock.now())
    except (GuardError, ValueError) as error:
        return Unobserved(str(error))
