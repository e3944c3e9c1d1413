"""An event loop whose time jumps to the next moment at which anything happens: hours pass in seconds, and everything
that waits by the loop (sleeps, time-outs, the simulator's clock) waits in the same time."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.clock import RealClock

_START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: what would be waited for has passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("nothing is left to wait for: everything waits for something else")
        self.now += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class LoopClock(RealClock):
    """`Clock` of the simulator and of the app, by the running loop's time."""

    def now(self) -> datetime:
        return _START + timedelta(seconds=asyncio.get_running_loop().time())


def run[T](main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
