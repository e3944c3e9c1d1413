"""The table `sweeps`, a few rows at a time."""

from collections.abc import AsyncIterator, Sequence
from itertools import batched
from typing import Any, Protocol

from azure.data.tables import UpdateMode

from shared.domain.errors import RecordConflict
from shared.record.keys import SWEEPS, RowAddress
from shared.record.retry import repeated
from shared.record.storage import Row, Storage

_TRANSACTION = 100


class SweepRows(Protocol):
    """What the sweeps need of their table. Everything raises TransientError."""

    async def read(self, address: RowAddress) -> Row | None:
        """The row with its etag under `etag`."""
        ...

    async def write(self, row: Row, etag: str) -> str:
        """Create (empty `etag`) or replace; the answer is the new etag. Raises RecordConflict."""
        ...

    async def put(self, row: Row) -> None:
        """Create or replace, whatever was there."""
        ...

    def between(self, partition: str, first: str, end: str, select: Sequence[str] = ()) -> AsyncIterator[Row]:
        """The rows whose RowKey is at least `first` and below `end`, in its order."""
        ...

    async def delete(self, partition: str, row_keys: Sequence[str]) -> None:
        """What is gone already is no trouble."""
        ...


class TableSweepRows:
    """`SweepRows` on Table Storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def read(self, address: RowAddress) -> Row | None:
        return await self._storage.read(SWEEPS, address)

    async def write(self, row: Row, etag: str) -> str:
        return await self._storage.write(SWEEPS, row, etag)

    async def put(self, row: Row) -> None:
        async def once() -> None:
            async with self._storage.table(SWEEPS, "write a page") as client:
                await client.upsert_entity(dict(row), mode=UpdateMode.REPLACE)

        await repeated()(once)

    async def between(self, partition: str, first: str, end: str, select: Sequence[str] = ()) -> AsyncIterator[Row]:
        async with self._storage.table(SWEEPS, "read pages") as client:
            rows: AsyncIterator[Row] = client.query_entities(
                "PartitionKey eq @partition and RowKey ge @first and RowKey lt @end",
                parameters={"partition": partition, "first": first, "end": end},
                select=list(select) or None,
            )
            async for row in rows:
                yield row

    async def delete(self, partition: str, row_keys: Sequence[str]) -> None:
        for keys in batched(row_keys, _TRANSACTION, strict=False):
            changes: list[Any] = [("delete", RowAddress(partition, key).as_columns()) for key in keys]
            try:
                await repeated()(self._delete_together, changes)
            except RecordConflict:  # one of them was gone
                for key in keys:
                    await repeated()(self._delete_one, partition, key)

    async def _delete_together(self, changes: Sequence[Any]) -> None:
        async with self._storage.table(SWEEPS, "forget a sweep") as client:
            await client.submit_transaction(changes)

    async def _delete_one(self, partition: str, key: str) -> None:
        async with self._storage.table(SWEEPS, "forget a page") as client:
            await client.delete_entity(partition, key)
