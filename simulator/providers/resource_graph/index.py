"""What the graph has heard of: each row as it was some time ago.

A change counts from the moment ARM told of it (a call, the end of an operation, of a job, of configuring protection)
and shows a lag later; what nobody told of is found by a scan and counts from then. ARM is read only when somebody
queries: a row that changed twice since then shows its newest version a lag after the second change. So rows may show
late but not early; only the very first query shows the newest version of whatever is older than the lag."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from simulator.providers.resource_graph.sources import JOBS_KEPT, Source, job_row, jobs

if TYPE_CHECKING:
    from simulator.cloud import Cloud


_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """When ARM first and last told of a change of a resource."""

    first: datetime
    last: datetime


@dataclass(slots=True)
class Difference:
    """How the rows differ from those of the last look: key -> JSON, and the keys that are gone."""

    put: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """The versions of one row, oldest first: since when it was so, and its JSON (None: it was not there)."""

    versions: list[tuple[datetime, str | None]]

    def add(self, since: datetime, text: str | None) -> None:
        newest, known = self.versions[-1]
        if known != text:
            self.versions.append((max(since, newest), text))

    def at(self, moment: datetime) -> str | None:
        """The row as it was then. Older versions are forgotten; what has shown goes on to show if the lag grows."""
        while len(self.versions) > 1 and self.versions[1][0] <= moment:
            self.versions.pop(0)
        since, text = self.versions[0]
        if since > moment:
            return None
        self.versions[0] = _ALWAYS, text
        return text


class Index:
    """The histories of one table's rows, by lower-case id. `read` lists what ARM holds now."""

    def __init__(self, read: Callable[[], Iterable[Source]]) -> None:
        self._read = read
        self._histories: dict[str, History] = {}
        self._shown: dict[str, str] = {}
        self._looked: datetime | None = None
        self._scanned: datetime | None = None

    def look(self, now: datetime, lag: timedelta, told: Mapping[str, Told]) -> Difference:
        """What shows now, against the last look."""
        self._hear(now, lag, told)
        moment = now - lag
        found = Difference()
        for key, history in list(self._histories.items()):
            text = history.at(moment)
            if text is None:
                if self._shown.pop(key, None) is not None:
                    found.gone.append(key)
                if history.versions[-1][1] is None and history.versions[-1][0] <= moment:
                    del self._histories[key]
            elif self._shown.get(key) != text:
                self._shown[key] = found.put[key] = text
        return found

    def _hear(self, now: datetime, lag: timedelta, told: Mapping[str, Told]) -> None:
        """Read what ARM told of and what is new; once a lag, everything."""
        looked, first_time = self._looked, self._looked is None
        thorough = self._scanned is None or now - self._scanned >= lag
        present = set()
        for source in self._read():
            key = source.id.lower()
            present.add(key)
            news, history = told.get(key), self._histories.get(key)
            if history is None:
                since = news.first if news is not None else now - lag if first_time else now
                self._histories[key] = History([(since, json.dumps(source.row()))])
            elif news is not None and looked is not None and news.last >= looked:
                history.add(news.last, json.dumps(source.row()))
            elif thorough or history.versions[-1][1] is None:
                history.add(now, json.dumps(source.row()))
        for key in self._histories.keys() - present:
            news = told.get(key)
            self._histories[key].add(now if news is None else news.last, None)
        self._looked = now
        if thorough:
            self._scanned = now


class JobIndex:
    """Jobs need no history: they say when they began and ended. A running one shows as it was at its beginning."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._shown: dict[str, bool] = {}

    def look(self, now: datetime, lag: timedelta) -> Difference:
        moment, found, present = now - lag, Difference(), set()
        for vault, job in jobs(self._cloud):
            if job.started > moment or job.started < now - JOBS_KEPT:
                continue
            key = job.id.lower()
            present.add(key)
            running = job.ended is None or job.ended > moment
            if self._shown.get(key) is not running:
                self._shown[key] = running
                found.put[key] = json.dumps(job_row(self._cloud, vault, job, running=running))
        found.gone = [key for key in self._shown if key not in present]
        for key in found.gone:
            del self._shown[key]
        return found
