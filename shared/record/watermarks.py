"""Up to where each source of ended jobs has been read."""

from dataclasses import replace
from typing import Any

from shared.ports import Watermark
from shared.record.entity import as_column, as_time
from shared.record.keys import WATERMARKS, RowAddress
from shared.record.storage import Storage


class TableWatermarks:
    """`ports.Watermarks` on the table `watermarks`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def get(self, source: str) -> Watermark | None:
        """Raises TransientError."""
        row = await self._storage.read(WATERMARKS, RowAddress.of(source))
        if row is None:
            return None
        failing_since = row.get("failing_since")
        return Watermark(
            source=row["source"],
            through=as_time(row["through"]),
            failing_since=as_time(failing_since) if failing_since else None,
            etag=row["etag"],
        )

    async def save(self, watermark: Watermark) -> Watermark:
        """Raises RecordConflict and TransientError."""
        row: dict[str, Any] = {
            **RowAddress.of(watermark.source).as_columns(),
            "source": watermark.source,
            "through": as_column(watermark.through),
        }
        if watermark.failing_since is not None:
            row["failing_since"] = as_column(watermark.failing_since)
        return replace(watermark, etag=await self._storage.write(WATERMARKS, row, watermark.etag))
