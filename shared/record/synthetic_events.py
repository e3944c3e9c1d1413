"""The synthetic event that was handled last: one row."""

from shared.ports import HandledEvent
from shared.record.entity import as_column, as_time
from shared.record.keys import SWITCHES, RowAddress
from shared.record.retry import repeated
from shared.record.storage import Storage

_ADDRESS = RowAddress.of("synthetic-event")


class TableSyntheticEvents:
    """`ports.SyntheticEvents` on the table `switches`, beside what people set by hand."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def keep(self, event: HandledEvent) -> None:
        """Whichever comes later stays. Raises TransientError."""
        row = {**_ADDRESS.as_columns(), "event_id": event.id, "handled_at": as_column(event.handled_at)}

        async def once() -> None:
            async with self._storage.table(SWITCHES, "keep a synthetic event") as client:
                await client.upsert_entity(row)

        await repeated()(once)

    async def latest(self) -> HandledEvent | None:
        """Raises TransientError."""
        row = await self._storage.read(SWITCHES, _ADDRESS)
        return HandledEvent(row["event_id"], as_time(row["handled_at"])) if row else None
