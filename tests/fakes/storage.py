"""Tables in memory that behave as Table Storage does: etags, conflicts, rows copied on the way in and out.

Records pass through the real row format, so what storage would lose or refuse is lost or refused here too.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from shared.domain.errors import RecordConflict
from shared.domain.ids import Subject, parse_subject
from shared.domain.record import Action, Record
from shared.ports import QuotaRow, RolloutRow
from shared.record.entity import from_row, to_row

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
