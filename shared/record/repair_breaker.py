"""The circuit breaker of repairs: one row, read by every sweep and by every look that would repair."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.errors import RecordConflict
from shared.ports import RepairHold
from shared.record.entity import as_column, as_int, as_time
from shared.record.keys import SWITCHES, RowAddress
from shared.record.storage import Row, Storage

_ADDRESS = RowAddress.of("repair-breaker")
_TRIES = 5


@dataclass(frozen=True, slots=True)
class BreakerState:
    """What the row says. `by` approved the repairs last."""

    hold: RepairHold | None = None
    approved_until: datetime | None = None
    by: str = ""


def holding(state: BreakerState, hold: RepairHold) -> BreakerState:
    """A first hold stays as it is; none begins while a person's approval lasts."""
    if state.hold is not None or (state.approved_until is not None and hold.at < state.approved_until):
        return state
    return BreakerState(hold, state.approved_until, state.by)


class TableRepairBreaker:
    """`ports.RepairBreaker` on the table `switches`. Everything raises TransientError."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def held(self) -> RepairHold | None:
        state, _ = await self._read()
        return state.hold

    async def approved_until(self) -> datetime | None:
        state, _ = await self._read()
        return state.approved_until

    async def hold(self, hold: RepairHold) -> None:
        """Raises RecordConflict when others keep writing first."""
        await self._change(lambda state: holding(state, hold))

    async def approve(self, by: str, at: datetime, until: datetime) -> RepairHold | None:
        """Raises RecordConflict when others keep writing first."""
        return (await self._change(lambda state: BreakerState(None, until, by))).hold

    async def _change(self, change: Callable[[BreakerState], BreakerState]) -> BreakerState:
        """The state as it was."""
        for _ in range(_TRIES):
            state, etag = await self._read()
            after = change(state)
            if after == state:
                return state
            try:
                await self._storage.write(SWITCHES, to_breaker_row(after), etag)
            except RecordConflict:
                continue
            return state
        raise RecordConflict("the circuit breaker of repairs: others kept writing first")

    async def _read(self) -> tuple[BreakerState, str]:
        row: Row | None = await self._storage.read(SWITCHES, _ADDRESS)
        return (from_breaker_row(row), row["etag"]) if row else (BreakerState(), "")


def to_breaker_row(state: BreakerState) -> dict[str, Any]:
    row: dict[str, Any] = {**_ADDRESS.as_columns(), "by": state.by[:1000]}
    if state.approved_until is not None:
        row["approved_until"] = as_column(state.approved_until)
    if (hold := state.hold) is not None:
        row |= {"sweep_id": hold.sweep_id, "at": as_column(hold.at), "clusters": hold.clusters, "fleet": hold.fleet}
    return row


def from_breaker_row(row: Mapping[str, Any]) -> BreakerState:
    until = row.get("approved_until")
    hold = None
    if row.get("sweep_id"):
        hold = RepairHold(row["sweep_id"], as_time(row["at"]), as_int(row["clusters"]), as_int(row["fleet"]))
    return BreakerState(hold, as_time(until) if until else None, row.get("by", ""))
