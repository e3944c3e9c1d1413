"""Time in the simulator. Timestamps are what the clock says; only durations are scaled (`--speed`)."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

Callback = Callable[[], Awaitable[None] | None]


class Clock(Protocol):
    """Durations are given in seconds of the real Azure; the clock shortens them."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        ...

    def after(self, seconds: float) -> datetime:
        """The moment that lies that many of Azure's seconds ahead."""
        ...

    def shorten(self, seconds: float) -> float:
        """Azure's seconds as seconds on the wall, for Retry-After and the like."""
        ...

    def call_later(self, seconds: float, callback: Callback) -> None:
        """Run `callback` that many of Azure's seconds from now."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class RealClock:
    """The wall clock with durations divided by `speed`. Needs a running event loop for `call_later`."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.speed = speed
        self._running: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def shorten(self, seconds: float) -> float:
        return seconds / self.speed

    def after(self, seconds: float) -> datetime:
        return self.now() + timedelta(seconds=self.shorten(seconds))

    def call_later(self, seconds: float, callback: Callback) -> None:
        asyncio.get_running_loop().call_later(self.shorten(seconds), self._run, callback)

    def _run(self, callback: Callback) -> None:
        result = callback()
        if result is not None:
            task = asyncio.ensure_future(_awaited(result))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.shorten(seconds))


async def _awaited(result: Awaitable[None]) -> None:
    await result


class VirtualClock:
    """Time that moves only when it is told to: weeks pass in milliseconds, and always in the same order."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._due: list[tuple[datetime, int, Callback]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._now

    def shorten(self, seconds: float) -> float:
        return seconds

    def after(self, seconds: float) -> datetime:
        return self._now + timedelta(seconds=seconds)

    def call_later(self, seconds: float, callback: Callback) -> None:
        heapq.heappush(self._due, (self.after(seconds), next(self._order), callback))

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self.call_later(seconds, lambda: woken.set_result(None) if not woken.done() else None)
        await woken

    def next_due(self) -> datetime | None:
        """When the next thing happens by itself; None when nothing is scheduled."""
        return self._due[0][0] if self._due else None

    async def advance_to(self, moment: datetime) -> None:
        """Let time pass until `moment`; what falls due on the way happens in order, at its own moment."""
        while self._due and self._due[0][0] <= moment:
            due, _, callback = heapq.heappop(self._due)
            self._now = max(self._now, due)
            result = callback()
            if result is not None:
                await result
        self._now = max(self._now, moment)

    async def advance(self, seconds: float) -> None:
        await self.advance_to(self.after(seconds))
