"""The audit trail: one row per line, append-only, in time order within a partition."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import Any
from uuid import uuid4

from shared.domain.record import Action
from shared.record.entity import as_column, as_time
from shared.record.keys import ACTIONS, RowAddress
from shared.record.retry import repeated
from shared.record.storage import Storage

_TRANSACTION = 100
"""Operations a transaction may hold, all of one partition."""
_LONGEST_TEXT = 8_000
"""Characters of one column; a hundred rows stay below a transaction's 4 MiB."""


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
                yield Action(
                    at=as_time(row["at"]),
                    **{name: row.get(name, "") for name in _TEXTS},
                )


_TEXTS = ("subject", "step", "target", "outcome", "request_id", "detail", "actor")


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
