"""What the app's instances share about one subscription's ARM quota."""

import json
from dataclasses import replace
from datetime import datetime

from shared.ports import QuotaRow
from shared.record.entity import as_column, as_time, dump, load
from shared.record.keys import SUBSCRIPTIONS, RowAddress
from shared.record.storage import Storage

_IN_FLIGHT = dict[str, tuple[int, datetime]]


class TableQuota:
    """`ports.SharedQuota` on the table `subscriptions`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def get(self, subscription_id: str) -> QuotaRow:
        """Raises TransientError."""
        row = await self._storage.read(SUBSCRIPTIONS, _address(subscription_id))
        if row is None:
            return QuotaRow(subscription_id.lower(), not_before=None, in_flight={})
        not_before = row.get("not_before")
        return QuotaRow(
            subscription_id=row["subscription_id"],
            not_before=as_time(not_before) if not_before else None,
            in_flight=load(_IN_FLIGHT, json.loads(row.get("in_flight", "{}"))),
            etag=row["etag"],
        )

    async def save(self, row: QuotaRow) -> QuotaRow:
        """Raises RecordConflict and TransientError."""
        columns = {
            **_address(row.subscription_id).as_columns(),
            "subscription_id": row.subscription_id.lower(),
            "in_flight": json.dumps(dump(_IN_FLIGHT, dict(row.in_flight))),
        }
        not_before = {"not_before": as_column(row.not_before)} if row.not_before else {}
        return replace(row, etag=await self._storage.write(SUBSCRIPTIONS, {**columns, **not_before}, row.etag))


def _address(subscription_id: str) -> RowAddress:
    return RowAddress.of(f"/subscriptions/{subscription_id}")
