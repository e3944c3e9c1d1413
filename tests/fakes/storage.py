"""Tables in memory that behave as Table Storage does: etags, conflicts, rows copied on the way in and out.

Records pass through the real row format, so what storage would lose or refuse is lost or refused here too.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from shared.domain.alerts import Alert, Announcement, Word
from shared.domain.errors import RecordConflict
from shared.domain.fleet import Remembered
from shared.domain.ids import ClusterId, Subject, parse_subject, row_key
from shared.domain.jobs import ClusterHistory
from shared.domain.record import Action, Record
from shared.ports import Destination, News, OutgoingNews, QuotaRow, RepairHold, RolloutRow, Watermark
from shared.record.alert_book import from_alert_row, from_word_row, to_alert_row, to_word_row
from shared.record.brief import from_brief
from shared.record.destinations import from_destination_row, to_destination_row
from shared.record.entity import from_row, to_row
from shared.record.history import from_job_row, history_of, job_address, tells_more, to_job_row
from shared.record.keys import RowAddress
from shared.record.outbox import delivered_row, from_news_row, pending_of, to_announcement_row, to_news_row
from shared.record.repair_breaker import BreakerState, from_breaker_row, holding, to_breaker_row
from shared.record.storage import Row

type Interrupt = Callable[[str], None]
"""Called with the name of a point such as `before save`; raise from it to let the process die or the answer be lost."""


def _go_on(_point: str) -> None:
    return None


class _Etags[Row]:
    """Rows by key, each under the etag of its last write."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Row, str]] = {}
        self._numbers = count(1)

    def write(self, key: str, row: Row, etag: str) -> str:
        if etag != self.etag(key):
            raise RecordConflict(f"{key}: somebody else wrote first")
        new = f'W/"{next(self._numbers)}"'
        self.rows[key] = (row, new)
        return new

    def etag(self, key: str) -> str:
        return self.rows[key][1] if key in self.rows else ""


class FakeRecords:
    """`ports.Records`."""

    def __init__(self) -> None:
        self._rows = _Etags[dict[str, Any]]()
        self._requests: dict[str, datetime] = {}
        self.interrupt: Interrupt = _go_on

    async def get(self, subject: Subject) -> Record | None:
        self.interrupt("before get")
        return self._read(subject.key) if subject.key in self._rows.rows else None

    async def save(self, record: Record) -> Record:
        self.interrupt("before save")
        etag = self._rows.write(record.subject.key, to_row(record), record.etag)
        self.interrupt("after save")
        return replace(record, etag=etag)

    async def overdue(self, now: datetime, limit: int) -> AsyncIterator[Record]:
        due = [record for record in self._all() if record.due_at is not None and record.due_at <= now]
        for record in sorted(due, key=lambda record: record.due_at or now)[:limit]:
            current = self._read(record.subject.key)
            if current.due_at is not None and current.due_at <= now:
                yield current

    async def everything(self) -> AsyncIterator[Record]:
        for record in self._all():
            yield record

    async def remembered(self) -> AsyncIterator[tuple[ClusterId, Remembered]]:
        for row, _ in list(self._rows.rows.values()):
            if "cluster_id" in row and (brief := from_brief(row)) is not None:
                yield brief

    async def mark_requested(self, subject: Subject, at: datetime) -> None:
        self.interrupt("before mark_requested")
        self._requests[subject.key] = at

    async def requested(self, subject: Subject) -> datetime | None:
        self.interrupt("before requested")
        return self._requests.get(subject.key)

    async def clear_requested(self, subject: Subject, at: datetime) -> None:
        self.interrupt("before clear_requested")
        if self._requests.get(subject.key) == at:
            del self._requests[subject.key]

    def put(self, record: Record) -> None:
        """A record that was there before the test began."""
        self._rows.write(record.subject.key, to_row(record), "")

    def now_of(self, key: str) -> Record:
        """The record as it stands, for a test to look at. Raises KeyError."""
        return self._read(parse_subject(key).key)

    def all_now(self) -> tuple[Record, ...]:
        """Every record as it stands, for a test to look at."""
        return tuple(self._all())

    def _all(self) -> list[Record]:
        return [self._read(key) for key in self._rows.rows]

    def _read(self, key: str) -> Record:
        row, etag = self._rows.rows[key]
        return from_row({**row, "etag": etag})


class FakeAuditTrail:
    """`ports.AuditTrail`."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.interrupt: Interrupt = _go_on

    async def append(self, actions: Sequence[Action]) -> None:
        self.interrupt("before append")
        self.actions.extend(actions)

    async def history(self, subject: str) -> AsyncIterator[Action]:
        lines = [replace(action, subject=action.subject.lower()) for action in self.actions]
        for action in sorted(lines, key=lambda action: action.at):
            if action.subject == subject.lower():
                yield action

    async def newest(self, limit: int, subject: str | None = None) -> Sequence[Action]:
        lines = [replace(action, subject=action.subject.lower()) for action in reversed(self.actions)]
        wanted = [line for line in lines if subject is None or line.subject == subject.lower()]
        return sorted(wanted, key=lambda action: action.at, reverse=True)[:limit]


class FakeQuota:
    """`ports.SharedQuota`."""

    def __init__(self) -> None:
        self._rows = _Etags[QuotaRow]()

    async def get(self, subscription_id: str) -> QuotaRow:
        key = subscription_id.lower()
        if key not in self._rows.rows:
            return QuotaRow(key, not_before=None, in_flight={})
        row, etag = self._rows.rows[key]
        return _copied(row, etag)

    async def save(self, row: QuotaRow) -> QuotaRow:
        row = replace(row, subscription_id=row.subscription_id.lower())
        return _copied(row, self._rows.write(row.subscription_id, _copied(row, ""), row.etag))


class FakeRollouts:
    """`ports.Rollouts`."""

    def __init__(self) -> None:
        self._rows = _Etags[RolloutRow]()

    async def get(self, profile: str, digest: str, now: datetime) -> RolloutRow:
        key = f"{profile}|{digest}".lower()
        if key not in self._rows.rows:
            return RolloutRow(profile, digest, since=now, changed=0, hour=now, changed_this_hour=0)
        row, etag = self._rows.rows[key]
        return replace(row, etag=etag)

    async def save(self, row: RolloutRow) -> RolloutRow:
        return replace(row, etag=self._rows.write(f"{row.profile}|{row.digest}".lower(), row, row.etag))


def _copied(row: QuotaRow, etag: str) -> QuotaRow:
    in_flight: Mapping[str, tuple[int, datetime]] = dict(row.in_flight)
    return replace(row, in_flight=in_flight, etag=etag)


type _Rows = dict[tuple[str, str], dict[str, Any]]


def _merge(rows: _Rows, row: Mapping[str, Any]) -> None:
    rows.setdefault((row["PartitionKey"], row["RowKey"]), {}).update(row)


class FakeJobHistory:
    """`ports.JobHistory`."""

    def __init__(self) -> None:
        self._rows: _Rows = {}

    async def of(self, cluster: ClusterId, since: datetime) -> ClusterHistory:
        rows = [row for (partition, _), row in self._rows.items() if partition == row_key(cluster.key)]
        return history_of([row for row in rows if row["ended_at"] >= since])

    async def knows(self, news: News) -> bool:
        row = self._row_of(news)
        return row is not None and not tells_more(news, from_job_row(row))

    async def add(self, news: News) -> bool:
        if await self.knows(news):
            return False
        row = to_job_row(news)
        self._rows[row["PartitionKey"], row["RowKey"]] = row
        return True

    def all_now(self) -> tuple[News, ...]:
        """Everything that is known, for a test to look at."""
        return tuple(from_job_row(row) for row in self._rows.values())

    def _row_of(self, news: News) -> dict[str, Any] | None:
        address = job_address(news)
        return self._rows.get((address.partition, address.row))


class FakeAlertBook:
    """`ports.AlertBook`."""

    def __init__(self) -> None:
        self._rows: _Rows = {}

    async def show(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            _merge(self._rows, to_alert_row(alert))

    async def words(self, subject: str) -> Mapping[str, Word]:
        rows = [row for (partition, _), row in self._rows.items() if partition == row_key(subject)]
        return {row["RowKey"]: word for row in rows if (word := from_word_row(row)) is not None}

    async def say(self, alert_id: str, subject: str, word: Word) -> None:
        row = to_word_row(alert_id, subject, word)
        if (row["PartitionKey"], row["RowKey"]) not in self._rows:
            raise KeyError(f"{subject} has no alert {alert_id}")
        _merge(self._rows, row)

    async def all_of(self, subject: str | None = None, *, open_only: bool = False) -> AsyncIterator[Alert]:
        for _, row in sorted(self._rows.items()):
            if subject in (None, row["subject"]) and (row["state"] == "Open" or not open_only):
                yield from_alert_row(row)

    def all_now(self) -> tuple[Alert, ...]:
        """Every alert as it is shown, for a test to look at."""
        return tuple(from_alert_row(row) for row in self._rows.values())


class FakeOutbox:
    """`ports.Outbox`."""

    def __init__(self) -> None:
        self._news: dict[str, dict[str, Any]] = {}
        self._announcements: _Rows = {}

    async def put_news(self, entry: OutgoingNews) -> None:
        row = to_news_row(entry)
        self._news[row["RowKey"]] = row

    async def outgoing_news(self) -> AsyncIterator[OutgoingNews]:
        for _, row in sorted(self._news.items()):
            yield from_news_row(row)

    async def drop_news(self, entry: OutgoingNews) -> None:
        self._news.pop(row_key(entry.key), None)

    async def put(self, destination: str, announcement: Announcement) -> bool:
        row = to_announcement_row(destination, announcement)
        if (row["PartitionKey"], row["RowKey"]) in self._announcements:
            return False
        _merge(self._announcements, row)
        return True

    async def pending(self, destination: str) -> Sequence[Announcement]:
        return pending_of(row for row in self._rows_of(destination) if not row["delivered"])

    async def delivered(self, destination: str, keys: Sequence[str], at: datetime) -> None:
        for key in keys:
            _merge(self._announcements, delivered_row(destination, key, at))

    async def forget_delivered(self, destination: str, before: datetime) -> None:
        for row in self._rows_of(destination):
            if row["delivered"] and row["delivered_at"] < before:
                del self._announcements[row["PartitionKey"], row["RowKey"]]

    def _rows_of(self, destination: str) -> list[dict[str, Any]]:
        return [row for (partition, _), row in self._announcements.items() if partition == row_key(destination)]


class FakeDestinations:
    """`ports.Destinations`."""

    def __init__(self) -> None:
        self._rows = _Etags[dict[str, Any]]()

    async def get(self, name: str) -> Destination:
        if (key := row_key(name)) not in self._rows.rows:
            return Destination(name)
        row, etag = self._rows.rows[key]
        return from_destination_row({**row, "etag": etag})

    async def save(self, destination: Destination) -> Destination:
        row = to_destination_row(destination)
        return replace(destination, etag=self._rows.write(row["RowKey"], row, destination.etag))


class FakeWatermarks:
    """`ports.Watermarks`."""

    def __init__(self) -> None:
        self._rows = _Etags[Watermark]()

    async def get(self, source: str) -> Watermark | None:
        if source not in self._rows.rows:
            return None
        row, etag = self._rows.rows[source]
        return replace(row, etag=etag)

    async def save(self, watermark: Watermark) -> Watermark:
        return replace(watermark, etag=self._rows.write(watermark.source, watermark, watermark.etag))


class FakeSweepRows:
    """`SweepRows`: the table `sweeps`, on which the real `Sweeps` works."""

    def __init__(self) -> None:
        self._rows = _Etags[dict[str, Any]]()

    async def read(self, address: RowAddress) -> Row | None:
        if (key := _sweep_key(address.partition, address.row)) not in self._rows.rows:
            return None
        row, etag = self._rows.rows[key]
        return {**row, "etag": etag}

    async def write(self, row: Row, etag: str) -> str:
        _refuse_too_large(row)
        return self._rows.write(_sweep_key(row["PartitionKey"], row["RowKey"]), dict(row), etag)

    async def put(self, row: Row) -> None:
        _refuse_too_large(row)
        key = _sweep_key(row["PartitionKey"], row["RowKey"])
        self._rows.write(key, dict(row), self._rows.etag(key))

    async def between(self, partition: str, first: str, end: str, select: Sequence[str] = ()) -> AsyncIterator[Row]:
        for _, (row, _) in sorted(self._rows.rows.items()):
            if row["PartitionKey"] == partition and first <= row["RowKey"] < end:
                yield {name: value for name, value in row.items() if not select or name in select}

    async def delete(self, partition: str, row_keys: Sequence[str]) -> None:
        for key in row_keys:
            self._rows.rows.pop(_sweep_key(partition, key), None)

    def partitions(self) -> set[str]:
        """For a test to look at."""
        return {row["PartitionKey"] for row, _ in self._rows.rows.values()}


def _sweep_key(partition: str, row: str) -> str:
    return f"{partition}|{row}"


def _refuse_too_large(row: Row) -> None:
    """As the service does: 64 KiB of a property, 1 MiB of a row."""
    sizes = [len(value) for value in row.values() if isinstance(value, bytes)]
    if max(sizes, default=0) > 65_536 or sum(sizes) > 1_000_000:
        raise ValueError(f"the service refuses a row with properties of {sizes} bytes")


class FakeRepairBreaker:
    """`ports.RepairBreaker`."""

    def __init__(self) -> None:
        self._row: dict[str, Any] = to_breaker_row(BreakerState())

    async def held(self) -> RepairHold | None:
        return from_breaker_row(self._row).hold

    async def approved_until(self) -> datetime | None:
        return from_breaker_row(self._row).approved_until

    async def hold(self, hold: RepairHold) -> None:
        self._row = to_breaker_row(holding(from_breaker_row(self._row), hold))

    async def approve(self, by: str, at: datetime, until: datetime) -> RepairHold | None:
        lifted = from_breaker_row(self._row).hold
        self._row = to_breaker_row(BreakerState(None, until, by))
        return lifted
