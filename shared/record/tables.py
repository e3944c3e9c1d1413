"""The records of clusters and regions, one row each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from heapq import nsmallest

from azure.data.tables import UpdateMode

from shared.domain.errors import RecordConflict
from shared.domain.fleet import Remembered
from shared.domain.ids import ClusterId, Subject
from shared.domain.record import Record
from shared.record.brief import BRIEF_COLUMNS, from_brief
from shared.record.entity import RecordUnreadableError, as_column, as_time, from_row, to_row
from shared.record.keys import CLUSTERS, REGIONS, REQUESTS, SHARDS, RowAddress, table_of
from shared.record.retry import repeated
from shared.record.storage import Row, Storage

type _Overdue = tuple[datetime, str, RowAddress]


class TableRecords:
    """`ports.Records` on Table Storage. A row that cannot be read raises RecordUnreadableError; a search or a list
    brings all others first, so that one bad row does not hide the fleet."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def get(self, subject: Subject) -> Record | None:
        row = await self._storage.read(table_of(subject), RowAddress.of(subject.key))
        return from_row(row) if row else None

    async def save(self, record: Record) -> Record:
        """After a TransientError the row may or may not have been written: `get` it and compare `lease_id`."""
        etag = await self._storage.write(table_of(record.subject), to_row(record), record.etag)
        return replace(record, etag=etag)

    async def overdue(self, now: datetime, limit: int) -> AsyncIterator[Record]:
        """The longest overdue first, whichever shard they lie in, so that a full one starves none. The search brings
        keys and times only; each record is then read whole, and left out when it is no longer overdue."""
        scans: list[Awaitable[list[_Overdue]]] = [
            repeated()(self._overdue_in, table, shard, now, limit) for table in (CLUSTERS, REGIONS) for shard in SHARDS
        ]
        found = [hit for hits in await asyncio.gather(*scans) for hit in hits]
        unreadable: list[RecordUnreadableError] = []
        for _, table, address in nsmallest(limit, found, key=_due_at):
            row = await self._storage.read(table, address)
            if row and (record := _read(row, unreadable)) and record.due_at is not None and record.due_at <= now:
                yield record
        _raise_if_any(unreadable)

    async def _overdue_in(self, table: str, shard: str, now: datetime, limit: int) -> list[_Overdue]:
        async with self._storage.table(table, "look for overdue rows") as client:
            rows = client.query_entities(
                "PartitionKey eq @shard and due_at le @now",
                parameters={"shard": shard, "now": as_column(now)},
                select=["PartitionKey", "RowKey", "due_at"],
            )
            hits = [
                (as_time(row["due_at"]), table, RowAddress(row["PartitionKey"], row["RowKey"])) async for row in rows
            ]
        return nsmallest(limit, hits, key=_due_at)

    async def everything(self) -> AsyncIterator[Record]:
        unreadable: list[RecordUnreadableError] = []
        for table in (CLUSTERS, REGIONS):
            async with self._storage.table(table, "list the rows") as client:
                async for row in client.list_entities():
                    if record := _read({**row, "etag": row.metadata["etag"]}, unreadable):
                        yield record
        _raise_if_any(unreadable)

    async def remembered(self) -> AsyncIterator[tuple[ClusterId, Remembered]]:
        """A shard at a time, so that little of it is in memory at once."""
        for shard in SHARDS:
            rows: list[Row] = await repeated()(self._briefs_in, shard)
            for row in rows:
                if (brief := from_brief(row)) is not None:
                    yield brief

    async def _briefs_in(self, shard: str) -> list[Row]:
        async with self._storage.table(CLUSTERS, "list what is known of the clusters") as client:
            rows = client.query_entities(
                "PartitionKey eq @shard", parameters={"shard": shard}, select=list(BRIEF_COLUMNS)
            )
            return [row async for row in rows]

    async def mark_requested(self, subject: Subject, at: datetime) -> None:
        row = {**_request_row(subject), "requested_at": as_column(at)}

        async def once() -> None:
            async with self._storage.table(REQUESTS, "mark a request") as client:
                await client.upsert_entity(row, mode=UpdateMode.REPLACE)

        await repeated()(once)

    async def requested(self, subject: Subject) -> datetime | None:
        row = await self._storage.read(REQUESTS, RowAddress.of(subject.key))
        return as_time(row["requested_at"]) if row and "requested_at" in row else None

    async def clear_requested(self, subject: Subject, at: datetime) -> None:
        row = await self._storage.read(REQUESTS, RowAddress.of(subject.key))
        if row and "requested_at" in row and as_time(row["requested_at"]) == as_time(as_column(at)):
            with suppress(RecordConflict):  # marked again meanwhile: that one stays
                await self._storage.write(REQUESTS, _request_row(subject), row["etag"])


def _request_row(subject: Subject) -> dict[str, str]:
    return {**RowAddress.of(subject.key).as_columns(), "subject": subject.key}


def _due_at(hit: _Overdue) -> datetime:
    return hit[0]


def _read(row: Row, unreadable: list[RecordUnreadableError]) -> Record | None:
    try:
        return from_row(row)
    except RecordUnreadableError as error:
        unreadable.append(error)
        return None


def _raise_if_any(unreadable: list[RecordUnreadableError]) -> None:
    if unreadable:
        raise RecordUnreadableError("; ".join(str(error) for error in unreadable[:10]))
