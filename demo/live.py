"""What the watcher sees: a live table on a terminal, a line per change anywhere else."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo.fleet import FLEET
from demo.tables import Said

Fleet = Mapping[str, Mapping[str, Said]]
"""Conditions by name of the cluster, by type."""

_COLUMNS = {
    "PrerequisitesMet": "fit",
    "RegionReady": "region",
    "ExtensionReady": "extension",
    "TrustedAccessGranted": "access",
    "RolesAssigned": "roles",
    "ProtectionConfigured": "instance",
    "BackupHealthy": "backup",
}
_REGIONS_FROM, _KINDS_FROM = 105, 145
"""Columns of the terminal; below the first the titles are short as well."""


class View(Protocol):
    """Shows the fleet and what the story tells."""

    def __enter__(self) -> Self: ...

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _at: TracebackType | None) -> None: ...

    def say(self, text: str) -> None: ...

    def show(self, fleet: Fleet) -> None: ...


def view_for(console: Console) -> View:
    return LiveTable(console) if console.is_terminal else Lines(console)


class LiveTable:
    """The table stays at the bottom and changes in place; the story scrolls by above it."""

    def __init__(self, console: Console) -> None:
        self._console, self._began = console, time.monotonic()
        self._live = Live(console=console, refresh_per_second=8, transient=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _at: TracebackType | None) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._began:5.1f} s[/]  {text}")

    def show(self, fleet: Fleet) -> None:
        self._live.update(table_of(fleet, self._console.width))


class Lines:
    """For a log: what the story tells, and each change of a cluster's summary."""

    def __init__(self, console: Console) -> None:
        self._console, self._began = console, time.monotonic()
        self._shown: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _at: TracebackType | None) -> None:
        return None

    def say(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:5.1f} s  {text}", soft_wrap=True)

    def show(self, fleet: Fleet) -> None:
        for name, conditions in fleet.items():
            ready = conditions.get("Ready")
            if ready is not None and self._shown.get(name) != (ready.status, ready.reason):
                self._shown[name] = (ready.status, ready.reason)
                self.say(f"  {name:9} {_mark(ready).plain} {ready.reason}: {ready.message}")


def table_of(fleet: Fleet, width: int) -> Table:
    """✓ true, … under way, ✗ a person must act, ? not known. Regions and kinds are shown where there is room."""
    table = Table(box=None, padding=(0, 1), header_style="bold dim")
    for title in (
        "cluster",
        *(("region",) if width >= _REGIONS_FROM else ()),
        *(("kind",) if width >= _KINDS_FROM else ()),
    ):
        table.add_column(title, no_wrap=True)
    for title in _COLUMNS.values():
        table.add_column(title if width >= _REGIONS_FROM else title[:3], justify="center", no_wrap=True)
    table.add_column("what the Guard says", ratio=1, no_wrap=True, overflow="ellipsis")
    for member in FLEET:
        conditions = fleet.get(member.name, {})
        ready = conditions.get("Ready")
        marks = [_mark(conditions[name]) if name in conditions else Text("·", "dim") for name in _COLUMNS]
        said = Text(ready.reason, _mark(ready).style) if ready else Text("not seen yet", "dim")
        where = [member.location] if width >= _REGIONS_FROM else []
        kind = [Text(member.kind, "dim")] if width >= _KINDS_FROM else []
        table.add_row(Text(member.name, "bold"), *where, *kind, *marks, said)
    return table


def _mark(said: Said) -> Text:
    if said.status == "True":
        return Text("✓", "green")
    if said.reason in ("Exempt", "NotSelected"):
        return Text("·", "dim")
    if said.status == "Unknown":
        return Text("?", "magenta")
    if said.recommended_action and not said.recommended_action.startswith(("Nothing", "Wait")):
        return Text("✗", "red")
    return Text("…", "yellow")
