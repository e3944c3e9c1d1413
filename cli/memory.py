"""Records of one process: what a look writes down while nothing is deployed."""

from dataclasses import replace
from datetime import datetime

from shared.domain.ids import Subject
from shared.domain.record import Record
from shared.ports import RepairHold, RolloutRow


class MemoryRecords:
    """The part of `ports.Records` that a look uses."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}

    async def get(self, subject: Subject) -> Record | None:
        return self._records.get(subject.key)

    async def save(self, record: Record) -> Record:
        self._records[record.subject.key] = record
        return record


class MemoryRollouts:
    """`ports.Rollouts`: nothing has been rolled out yet."""

    async def get(self, profile: str, digest: str, now: datetime) -> RolloutRow:
        return RolloutRow(profile, digest, now, 0, now, 0)

    async def save(self, row: RolloutRow) -> RolloutRow:
        return replace(row, etag="here")


class NoHold:
    """The part of `ports.RepairBreaker` that a look uses: nothing is held back."""

    async def held(self) -> RepairHold | None:
        return None
