"""The audit trail: one row per line, append-only, in time order within a partition."""

from asyncio import gather
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from itertools import batched
from operator import itemgetter
from typing import Any
from uuid import uuid4

from shared.domain.record import Action
from shared.record.entity import as_column, as_time
from shared.record.keys import ACTIONS, SHARDS, RowAddress
from shared.record.retry import repeated
from shared.record.storage import Row, Storage

_TRANSACTION = 100
"""Operations a transaction may hold, all of one partition."""
_LONGEST_TEXT = 8_000
"""Characters of one column; a hundred rows stay below a transaction's 4 MiB."""
_BACK = (*(timedelta(minutes=minutes) for minutes in (15, 120, 960, 7_680, 61_440)), None)
"""How far back the newest lines are looked for, one after the other; None: to the beginning."""


class TableAuditTrail:
    """`ports.AuditTrail` on the table `actions`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def append(self, actions: Sequence[Action]) -> None:
        """After a TransientError some of the lines may be there; a line is never there twice."""
        partitions: dict[str, list[dict[str, Any]]] = {}
        for number, action in enumerate(actions):
            row = _row(action, number)
            partitions.setdefault(row["PartitionKey"], []).append(row)
        for rows in partitions.values():
            for batch in batched(rows, _TRANSACTION, strict=False):
                # The keys are fixed above, so a repeated append overwrites itself and adds nothing.
                await repeated()(self._put, batch)

    async def _put(self, rows: Sequence[dict[str, Any]]) -> None:
        async with self._storage.table(ACTIONS, "append actions") as client:
            await client.submit_transaction([("upsert", row) for row in rows])

    async def history(self, subject: str) -> AsyncIterator[Action]:
        """What was done about one subject (its key), oldest first. Raises TransientError."""
        async with self._storage.table(ACTIONS, "read actions") as client:
            rows = client.query_entities(
                "PartitionKey eq @partition and subject eq @subject",
                parameters={"partition": RowAddress.of(subject).partition, "subject": subject.lower()},
            )
            async for row in rows:
                yield _action(row)

    async def newest(self, limit: int, subject: str | None = None) -> Sequence[Action]:
        """Rows can only be read from their oldest on. So the last quarter of an hour is read first, and a longer time
        only while it did not hold enough. Raises TransientError."""
        now, partitions = datetime.now(UTC), SHARDS if subject is None else (RowAddress.of(subject).partition,)
        found: list[Row] = []
        for back in _BACK:
            since = "" if back is None else action_row_key(now - back, 0, "")
            scans: list[Awaitable[Sequence[Row]]] = [
                repeated()(self._newest_in, partition, since, subject, limit) for partition in partitions
            ]
            found = nlargest(limit, [row for rows in await gather(*scans) for row in rows], key=itemgetter("RowKey"))
            if len(found) == limit:
                break
        return [_action(row) for row in found]

    async def _newest_in(self, partition: str, since: str, subject: str | None, limit: int) -> Sequence[Row]:
        query, parameters = "PartitionKey eq @partition and RowKey ge @since", {"partition": partition, "since": since}
        if subject is not None:
            query, parameters = f"{query} and subject eq @subject", parameters | {"subject": subject.lower()}
        async with self._storage.table(ACTIONS, "read the newest actions") as client:
            newest: deque[Row] = deque(maxlen=limit)
            async for row in client.query_entities(query, parameters=parameters):
                newest.append(row)
            return newest


_TEXTS = ("subject", "step", "target", "outcome", "request_id", "detail", "actor")


def _action(row: Row) -> Action:
    return Action(at=as_time(row["at"]), **{name: row.get(name, "") for name in _TEXTS})


def action_row_key(at: datetime, number: int, unique: str) -> str:
    """Sorts by time, then by place in its batch; `unique` keeps two instances' lines apart."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z-{number:06d}-{unique}"


def _row(action: Action, number: int) -> dict[str, Any]:
    texts = {name: str(getattr(action, name))[:_LONGEST_TEXT] for name in _TEXTS}
    return {
        "PartitionKey": RowAddress.of(action.subject).partition,
        "RowKey": action_row_key(action.at, number, uuid4().hex[:12]),
        "at": as_column(action.at),
        **texts,
        "subject": texts["subject"].lower(),
    }
