"""How far each change of a profile has come through the fleet."""

from dataclasses import replace
from datetime import datetime

from shared.ports import RolloutRow
from shared.record.entity import as_column, as_int, as_time
from shared.record.keys import ROLLOUTS, RowAddress
from shared.record.storage import Storage


class TableRollouts:
    """`ports.Rollouts` on the table `rollouts`, a row per profile and digest."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def get(self, profile: str, digest: str, now: datetime) -> RolloutRow:
        """Raises TransientError."""
        row = await self._storage.read(ROLLOUTS, _address(profile, digest))
        if row is None:
            return RolloutRow(profile, digest, since=now, changed=0, hour=now, changed_this_hour=0)
        return RolloutRow(
            profile=row["profile"],
            digest=row["digest"],
            since=as_time(row["since"]),
            changed=as_int(row["changed"]),
            hour=as_time(row["hour"]),
            changed_this_hour=as_int(row["changed_this_hour"]),
            etag=row["etag"],
        )

    async def save(self, row: RolloutRow) -> RolloutRow:
        """Raises RecordConflict and TransientError."""
        columns = {
            **_address(row.profile, row.digest).as_columns(),
            "profile": row.profile,
            "digest": row.digest,
            "since": as_column(row.since),
            "changed": row.changed,
            "hour": as_column(row.hour),
            "changed_this_hour": row.changed_this_hour,
        }
        return replace(row, etag=await self._storage.write(ROLLOUTS, columns, row.etag))


def _address(profile: str, digest: str) -> RowAddress:
    return RowAddress.of(f"{profile}|{digest}")
