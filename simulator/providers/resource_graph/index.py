"""What the graph has heard of: each row as it was some time ago.

A change counts from the moment ARM told of it (a call, the end of an operation, of a job, of configuring protection)
and shows a lag later; what nobody told of is found by a scan and counts from then. ARM is read only when somebody
queries and something was told since, or a scan is due: a row that changed twice since then shows its newest version a
lag after the second change. So rows may show late but not early; only the very first query shows the newest version of
whatever is older than the lag."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.providers.resource_graph.sources import Source

_ROWS_A_SCAN = 2_000  # a scan is due once a lag, with more rows so many times as seldom

Version = tuple[datetime, str | None]
"""Since when a row was so, and its JSON (None: it was not there)."""


@dataclass(frozen=True, slots=True)
class Told:
    """When ARM first and last told of a change of a resource."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class News:
    """What ARM told so far. `count` grows with each change; `seeds` with each lot of resources that are there as if
    they had always been."""

    told: Mapping[str, Told]
    count: int
    seeds: int


@dataclass(slots=True)
class Difference:
    """How the rows differ from those of the last look: key -> JSON of those that are new or others now, and the keys of
    those that are gone or `put` anew."""

    put: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.put or self.gone)


class Index:
    """The rows of one table by lower-case id: a digest of each that shows, and the versions of those that are to show.
    `read` lists what ARM holds now."""

    def __init__(self, read: Callable[[], Iterable[Source]]) -> None:
        self._read = read
        self._shown: dict[str, int] = {}
        self._coming: dict[str, list[Version]] = {}
        self._heard: News | None = None
        self._looked: datetime | None = None
        self._scanned: datetime | None = None

    def look(self, now: datetime, lag: timedelta, news: News) -> Difference:
        """What shows now, against the last look."""
        scan = self._scanned is None or now - self._scanned >= lag * max(1, len(self._shown) // _ROWS_A_SCAN)
        if scan or self._heard is None or (news.count, news.seeds) != (self._heard.count, self._heard.seeds):
            self._hear(now, lag, news, scan=scan)
        self._looked = now
        return self._due(now - lag)

    def _due(self, moment: datetime) -> Difference:
        """What was to show by then; older versions are forgotten. What has shown goes on to show if the lag grows."""
        found = Difference()
        for key in list(self._coming):
            versions, newest = self._coming[key], None
            while versions and versions[0][0] <= moment:
                newest = versions.pop(0)
            if not versions:
                del self._coming[key]
            if newest is None:
                continue
            text, before = newest[1], self._shown.get(key)
            if text is None:
                if self._shown.pop(key, None) is not None:
                    found.gone.append(key)
            elif before != hash(text):
                self._shown[key], found.put[key] = hash(text), text
                if before is not None:
                    found.gone.append(key)
        return found

    def _hear(self, now: datetime, lag: timedelta, news: News, *, scan: bool) -> None:
        """Read what ARM told of and what is new; in a scan, everything."""
        looked, first_time = self._looked, self._looked is None
        seeded = self._heard is not None and self._heard.seeds != news.seeds
        present = set()
        for source in self._read():
            key = source.id.lower()
            present.add(key)
            told, newest = news.told.get(key), self._newest(key)
            if newest is None and key not in self._coming:
                since = told.first if told is not None else now - lag if first_time or seeded else now
                self._coming[key] = [(since, json.dumps(source.row()))]
            elif told is not None and looked is not None and told.last >= looked:
                self._add(key, told.last, json.dumps(source.row()))
            elif scan or newest is None:
                self._add(key, now, json.dumps(source.row()))
        for key in (self._shown.keys() | self._coming.keys()) - present:
            told = news.told.get(key)
            self._add(key, now if told is None else told.last, None)
        self._heard = news
        if scan:
            self._scanned = now

    def _newest(self, key: str) -> int | None:
        """A digest of the newest version of a row; None when it is not there."""
        versions = self._coming.get(key)
        if versions is None:
            return self._shown.get(key)
        text = versions[-1][1]
        return None if text is None else hash(text)

    def _add(self, key: str, since: datetime, text: str | None) -> None:
        if self._newest(key) == (None if text is None else hash(text)):
            return
        versions = self._coming.setdefault(key, [])
        versions.append((max(since, versions[-1][0]) if versions else since, text))
