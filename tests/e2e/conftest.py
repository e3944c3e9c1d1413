"""Real processes: Azurite, the simulator and the Functions host, each test with its own."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from demo.processes import CHECKOUT
from demo.stack import Pace, Stack

ENFORCE = """\
revision: 1
profiles:
  standard:
    mode: enforce
    vault: { soft_delete: AlwaysOn }
rules:
  - profile: standard
"""
FAST = Pace(speed=120, pass_seconds=6)
"""What a killed host held is free again after seven seconds."""
PATIENT = Pace(speed=120, pass_seconds=60)
"""For tests where no host dies: no pass is cut short, however slow the machine."""
DEADLINE = 210.0
"""Seconds; reached only when something is stuck."""


class NewStack(Protocol):
    """Starts Azurite and the simulator; the host is the test's to start."""

    def __call__(
        self,
        configuration: str = ENFORCE,
        *,
        app: Path = CHECKOUT,
        pace: Pace = PATIENT,
        settings: Mapping[str, str] | None = None,
        storage_on_disk: bool = False,
    ) -> Stack: ...


@pytest.fixture
def new_stack(tmp_path: Path) -> Iterator[NewStack]:
    with ExitStack() as ending:

        def start(
            configuration: str = ENFORCE,
            *,
            app: Path = CHECKOUT,
            pace: Pace = PATIENT,
            settings: Mapping[str, str] | None = None,
            storage_on_disk: bool = False,
        ) -> Stack:
            folder = tmp_path / f"stack-{len(list(tmp_path.iterdir()))}"
            wanted = Stack(folder, configuration, app, pace, settings or {}, storage_on_disk=storage_on_disk)
            return ending.enter_context(wanted)

        yield start


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait until something holds. With a stack, its timer runs as often as time is short."""

    def wait(holds: Callable[[], object], what: str, timer_of: Stack | None = None) -> None:
        began = timer_ran = time.monotonic()
        while not holds():
            assert time.monotonic() - began < DEADLINE, f"waited {DEADLINE:.0f} s for {what}"
            if timer_of is not None and time.monotonic() - timer_ran > 1:
                timer_ran = time.monotonic()
                timer_of.run_timer("requeue_overdue")
            time.sleep(0.15)

    return wait
