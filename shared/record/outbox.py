"""What is to be published or sent: news for the app's own topic, and announcements for each destination. An
announcement lies in the partition of its destination under its own key, so that it is there once."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import Any

from azure.data.tables import UpdateMode

from shared.domain.alerts import Announcement
from shared.domain.errors import RecordConflict
from shared.domain.ids import row_key
from shared.domain.jobs import bounded
from shared.ports import OutgoingNews
from shared.record.entity import (
    RecordUnreadableError,
    as_column,
    dump,
    get_json,
    load,
    put_json,
    refuse_too_large,
)
from shared.record.keys import OUTBOX, RowAddress
from shared.record.retry import repeated
from shared.record.storage import Row, Storage

NEWS = "news"
"""The partition of the news: there is little of it, and it is dropped when it is done."""
_TRANSACTION = 100


class TableOutbox:
    """`ports.Outbox` on the table `outbox`. Everything raises TransientError."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def put_news(self, entry: OutgoingNews) -> None:
        row = to_news_row(entry)

        async def once() -> None:
            async with self._storage.table(OUTBOX, "keep news") as client:
                await client.upsert_entity(row, mode=UpdateMode.REPLACE)

        await repeated()(once)

    async def outgoing_news(self) -> AsyncIterator[OutgoingNews]:
        """Brings what can be read first; raises RecordUnreadableError for the rest in the end."""
        unreadable: list[RecordUnreadableError] = []
        for row in await self._rows("PartitionKey eq @partition", partition=NEWS):
            try:
                entry = from_news_row(row)
            except RecordUnreadableError as error:
                unreadable.append(error)
            else:
                yield entry
        if unreadable:
            raise RecordUnreadableError("; ".join(str(error) for error in unreadable[:10]))

    async def drop_news(self, entry: OutgoingNews) -> None:
        """Nothing happens when it is gone already."""

        async def once() -> None:
            async with self._storage.table(OUTBOX, "drop news") as client:
                await client.delete_entity(NEWS, row_key(entry.key))

        await repeated()(once)

    async def put(self, destination: str, announcement: Announcement) -> bool:
        """False also when its own first attempt got there and only the answer was lost. Raises RecordTooLargeError."""
        row = to_announcement_row(destination, announcement)
        try:
            await repeated()(self._storage.write, OUTBOX, row, "")
        except RecordConflict:
            return False
        return True

    async def pending(self, destination: str) -> Sequence[Announcement]:
        """A row that cannot be read holds up no other: RecordUnreadableError is raised when nothing else is pending."""
        query = "PartitionKey eq @partition and delivered eq false"
        return pending_of(await self._rows(query, partition=row_key(destination)))

    async def delivered(self, destination: str, keys: Sequence[str], at: datetime) -> None:
        rows = [delivered_row(destination, key, at) for key in dict.fromkeys(keys)]
        for batch in batched(rows, _TRANSACTION, strict=False):
            await repeated()(self._transact, "mark as delivered", [("upsert", row, {"mode": "merge"}) for row in batch])

    async def forget_delivered(self, destination: str, before: datetime) -> None:
        """Raises RecordConflict when somebody else forgets the same at the same time."""
        query = "PartitionKey eq @partition and delivered eq true and delivered_at lt @before"
        rows = await self._rows(query, ["PartitionKey", "RowKey"], partition=row_key(destination), before=before)
        for batch in batched(rows, _TRANSACTION, strict=False):
            await self._transact("forget what was delivered", [("delete", dict(row)) for row in batch])

    async def _rows(self, query: str, select: list[str] | None = None, **parameters: object) -> list[Row]:
        async def once() -> list[Row]:
            async with self._storage.table(OUTBOX, "read what is to be sent") as client:
                return [row async for row in client.query_entities(query, parameters=parameters, select=select)]

        return await repeated()(once)

    async def _transact(self, operation: str, changes: Iterable[Any]) -> None:
        async with self._storage.table(OUTBOX, operation) as client:
            await client.submit_transaction(changes)


def to_news_row(entry: OutgoingNews) -> dict[str, Any]:
    """What is too much for a row is left out of a job, and counted."""
    if entry.news is not None:
        entry = replace(entry, news=bounded(entry.news))
    row: dict[str, Any] = {"PartitionKey": NEWS, "RowKey": row_key(entry.key), "key": entry.key}
    row |= {"job_id": entry.job_id, "found_at": as_column(entry.found_at)}
    put_json(row, "document", dump(OutgoingNews, entry))
    return row


def from_news_row(row: Row) -> OutgoingNews:
    """Raises RecordUnreadableError."""
    try:
        entry: OutgoingNews = load(OutgoingNews, get_json(row, "document"))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordUnreadableError(f"the news {row.get('key')} cannot be read: {error}") from error
    return entry


def to_announcement_row(destination: str, announcement: Announcement) -> dict[str, Any]:
    """Raises RecordTooLargeError."""
    row: dict[str, Any] = {
        **_announcement_address(destination, announcement.key).as_columns(),
        "destination": destination,
        "key": announcement.key,
        "at": as_column(announcement.at),
        "delivered": False,
    }
    put_json(row, "document", dump(Announcement, announcement))
    refuse_too_large(announcement.key, row)
    return row


def delivered_row(destination: str, key: str, at: datetime) -> dict[str, Any]:
    """To be merged into the announcement's row."""
    address = _announcement_address(destination, key)
    return {**address.as_columns(), "delivered": True, "delivered_at": as_column(at)}


def pending_of(rows: Iterable[Row]) -> tuple[Announcement, ...]:
    """Oldest first. Raises RecordUnreadableError when there are rows and none can be read."""
    announcements: list[Announcement] = []
    unreadable: list[str] = []
    for row in rows:
        try:
            announcements.append(load(Announcement, get_json(row, "document")))
        except (KeyError, TypeError, ValueError) as error:
            unreadable.append(f"the announcement {row.get('key')} to {row.get('destination')} cannot be read: {error}")
    if unreadable and not announcements:
        raise RecordUnreadableError("; ".join(unreadable[:10]))
    return tuple(sorted(announcements, key=lambda announcement: (announcement.at, announcement.key)))


def _announcement_address(destination: str, key: str) -> RowAddress:
    return RowAddress(row_key(destination), row_key(key))
