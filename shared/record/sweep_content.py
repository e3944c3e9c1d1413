"""Content of a row of the table `sweeps` that may be too much for it: a fleet's names may be any text, and as much of
it. What does not fit lies beside the sweep's pages, under keys that follow from the content, so that a row never points
at half of it, nor at another's. It goes when the sweep goes."""

import hashlib
from itertools import batched
from typing import Any

from shared.record.judged_page import LARGEST, get_bytes, put_bytes
from shared.record.keys import RowAddress
from shared.record.storage import Row
from shared.record.sweep_rows import SweepRows

_REST = "r"
"""Before the RowKeys, in the sweep's partition."""


async def put_content(rows: SweepRows, row: dict[str, Any], sweep_id: str, content: bytes) -> None:
    """Into `row`, which has still to be written. Raises TransientError."""
    put_bytes(row, content[:LARGEST])
    if len(content) <= LARGEST:
        return
    key = f"{_REST}{hashlib.sha256(content).hexdigest()[:32]}"
    rest = list(map(bytes, batched(content[LARGEST:], LARGEST, strict=False)))
    for number, part in enumerate(rest):
        beside: dict[str, Any] = RowAddress(sweep_id, f"{key}-{number:04}").as_columns()
        put_bytes(beside, part)
        await rows.put(beside)
    row |= {"sweep_id": sweep_id, "rest": key, "rest_rows": len(rest)}


async def get_content(rows: SweepRows, row: Row) -> bytes:
    """The inverse of `put_content`. Raises TransientError, and ValueError when a part is no longer there."""
    content = get_bytes(row)
    if not (key := row.get("rest")):
        return content
    parts = [get_bytes(part) async for part in rows.between(row["sweep_id"], f"{key}-", f"{key}-~")]
    if len(parts) != row["rest_rows"]:
        raise ValueError(f"{len(parts)} of {row['rest_rows']} parts are there")
    return b"".join((content, *parts))
