"""The emergency stop that an operator pulls: one row, read by every look."""

from datetime import datetime

from shared.ports import Stop
from shared.record.entity import as_column, as_time
from shared.record.keys import SWITCHES, RowAddress
from shared.record.storage import Storage

_ADDRESS = RowAddress.of("emergency-stop")


class TableEmergencyStop:
    """`ports.EmergencyStop` on the table `switches`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def pulled(self) -> Stop | None:
        """Raises TransientError: whoever cannot read the stop must not act."""
        row = await self._storage.read(SWITCHES, _ADDRESS)
        if row is None or not row.get("pulled"):
            return None
        return Stop(by=row["by"], reason=row["reason"], at=as_time(row["at"]))

    async def pull(self, by: str, reason: str, at: datetime) -> None:
        """Raises RecordConflict and TransientError."""
        await self._write({"pulled": True, "by": by, "reason": reason, "at": as_column(at)})

    async def release(self, by: str, at: datetime) -> None:
        """Raises RecordConflict and TransientError."""
        await self._write({"pulled": False, "by": by, "reason": "", "at": as_column(at)})

    async def _write(self, columns: dict[str, object]) -> None:
        row = await self._storage.read(SWITCHES, _ADDRESS)
        await self._storage.write(SWITCHES, {**_ADDRESS.as_columns(), **columns}, row["etag"] if row else "")
