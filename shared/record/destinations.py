"""How delivering to each destination goes, one row each."""

from dataclasses import replace
from typing import Any

from shared.ports import Destination
from shared.record.entity import RecordUnreadableError, as_column, as_time, dump, get_json, load, put_json
from shared.record.keys import DESTINATIONS, RowAddress
from shared.record.storage import Row, Storage

_TIMES = ("lease_until", "not_before", "failing_since")
_FAILING, _SENT = dict[str, int], tuple[str, ...]


class TableDestinations:
    """`ports.Destinations` on the table `destinations`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def get(self, name: str) -> Destination:
        """Raises TransientError and RecordUnreadableError."""
        row = await self._storage.read(DESTINATIONS, RowAddress.of(name))
        return from_destination_row(row) if row else Destination(name)

    async def save(self, destination: Destination) -> Destination:
        """Raises RecordConflict and TransientError."""
        row = to_destination_row(destination)
        return replace(destination, etag=await self._storage.write(DESTINATIONS, row, destination.etag))


def to_destination_row(destination: Destination) -> dict[str, Any]:
    row: dict[str, Any] = RowAddress.of(destination.name).as_columns()
    row |= {"name": destination.name, "lease_id": destination.lease_id}
    row |= {name: as_column(time) for name in _TIMES if (time := getattr(destination, name)) is not None}
    put_json(row, "failing", dump(_FAILING, dict(destination.failing)))
    put_json(row, "sent", dump(_SENT, destination.sent))
    return row


def from_destination_row(row: Row) -> Destination:
    """Raises RecordUnreadableError: who was reached is not guessed."""
    try:
        return Destination(
            name=row["name"],
            lease_id=row["lease_id"],
            **{name: as_time(row[name]) for name in _TIMES if row.get(name) is not None},
            failing=load(_FAILING, get_json(row, "failing")),
            sent=load(_SENT, get_json(row, "sent")),
            etag=row["etag"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordUnreadableError(f"the destination {row.get('name')} cannot be read: {error}") from error
