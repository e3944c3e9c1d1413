"""Every effect of the app, numbered, and failed at will: by an error, or by the death of the process."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from azure.core.exceptions import ServiceRequestError

from shared.domain.errors import TransientError
from shared.domain.fleet import Remembered
from shared.domain.ids import ClusterId, Subject
from shared.domain.record import Action, ReconcileRequest, Record
from shared.ports import QuotaRow, RolloutRow
from simulator.transport import SimulatedTransport
from tests.fakes.queue import FakeQueue
from tests.fakes.storage import FakeAuditTrail, FakeQuota, FakeRecords, FakeRollouts

_MUTATING = ("PUT", "PATCH", "POST", "DELETE")

When = Literal["before", "after"]
How = Literal["error", "death"]


class Killed(BaseException):
    """The process died here. Nothing in the app may catch it, as nothing can catch a SIGKILL."""


@dataclass(frozen=True)
class Failure:
    """Fail the `number`th effect, and the next `again` ones of the same name: before it happens, or after it has
    happened and before its answer came back."""

    number: int
    when: When
    how: How
    again: int = 0


@dataclass
class Effects:
    """Counts effects in the order they begin, over all lives of the app."""

    failure: Failure | None = None
    names: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)

    def strikes(self, name: str) -> bool:
        self.names.append(name)
        if self.failure is None or len(self.struck) > self.failure.again:
            return False
        if len(self.names) == self.failure.number or self.struck[:1] == [name]:
            self.struck.append(name)
            return True
        return False


class Life:
    """One process of the app. Once it is dead it does nothing more, whatever still runs in it."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self.dead = False

    async def happen[T](self, name: str, do: Callable[[], Awaitable[T]], error: Exception) -> T:
        """Let it happen, unless this is what shall fail."""
        self.breathe()
        strikes, failure = self._effects.strikes(name), self._effects.failure
        if strikes and failure is not None and failure.when == "before":
            self._fail(failure, error)
        result = await do()
        if strikes and failure is not None:
            self._fail(failure, error)
        return result

    def breathe(self) -> None:
        if self.dead:
            raise Killed

    def _fail(self, failure: Failure, error: Exception) -> None:
        if failure.how == "death":
            self.dead = True
            raise Killed
        raise error


def _storage_down() -> Exception:
    return TransientError("StorageUnavailable", "storage did not answer")


class MortalTransport(SimulatedTransport):
    """The way to ARM of one life."""

    def __init__(self, cloud: Any, life: Life) -> None:
        super().__init__(cloud)
        self._life = life

    async def send(self, request: Any, **kwargs: Any) -> Any:
        if request.method not in _MUTATING:
            self._life.breathe()
            return await super().send(request, **kwargs)
        name = f"{request.method} {request.url.partition('?')[0].lower()}"
        sent = super().send
        return await self._life.happen(name, lambda: sent(request, **kwargs), ServiceRequestError("connection lost"))


class MortalRecords:
    """`ports.Records` of one life over the tables that all lives share."""

    def __init__(self, records: FakeRecords, life: Life) -> None:
        self._records, self._life = records, life

    async def get(self, subject: Subject) -> Record | None:
        self._life.breathe()
        return await self._records.get(subject)

    async def save(self, record: Record) -> Record:
        return await self._life.happen(f"save {record.subject}", lambda: self._records.save(record), _storage_down())

    def overdue(self, now: datetime, limit: int) -> AsyncIterator[Record]:
        self._life.breathe()
        return self._records.overdue(now, limit)

    def everything(self) -> AsyncIterator[Record]:
        self._life.breathe()
        return self._records.everything()

    def remembered(self) -> AsyncIterator[tuple[ClusterId, Remembered]]:
        self._life.breathe()
        return self._records.remembered()

    async def mark_requested(self, subject: Subject, at: datetime) -> None:
        await self._life.happen(f"mark {subject}", lambda: self._records.mark_requested(subject, at), _storage_down())

    async def requested(self, subject: Subject) -> datetime | None:
        self._life.breathe()
        return await self._records.requested(subject)

    async def clear_requested(self, subject: Subject, at: datetime) -> None:
        await self._life.happen(f"clear {subject}", lambda: self._records.clear_requested(subject, at), _storage_down())


class MortalQueue:
    """`ports.WorkQueue`."""

    def __init__(self, queue: FakeQueue, life: Life) -> None:
        self._queue, self._life = queue, life

    async def send(self, request: ReconcileRequest, delay: float = 0) -> None:
        await self._life.happen(f"send {request.subject}", lambda: self._queue.send(request, delay), _storage_down())


class MortalTrail:
    """`ports.AuditTrail`."""

    def __init__(self, trail: FakeAuditTrail, life: Life) -> None:
        self._trail, self._life = trail, life

    async def append(self, actions: Sequence[Action]) -> None:
        name = f"append {actions[0].subject} {actions[0].step}"
        await self._life.happen(name, lambda: self._trail.append(actions), _storage_down())

    async def newest(self, limit: int, subject: str | None = None) -> Sequence[Action]:
        self._life.breathe()
        return await self._trail.newest(limit, subject)


class MortalQuota:
    """`ports.SharedQuota`."""

    def __init__(self, quota: FakeQuota, life: Life) -> None:
        self._quota, self._life = quota, life

    async def get(self, subscription_id: str) -> QuotaRow:
        self._life.breathe()
        return await self._quota.get(subscription_id)

    async def save(self, row: QuotaRow) -> QuotaRow:
        return await self._life.happen(f"quota {row.subscription_id}", lambda: self._quota.save(row), _storage_down())


class MortalRollouts:
    """`ports.Rollouts`."""

    def __init__(self, rollouts: FakeRollouts, life: Life) -> None:
        self._rollouts, self._life = rollouts, life

    async def get(self, profile: str, digest: str, now: datetime) -> RolloutRow:
        self._life.breathe()
        return await self._rollouts.get(profile, digest, now)

    async def save(self, row: RolloutRow) -> RolloutRow:
        return await self._life.happen(f"rollout {row.profile}", lambda: self._rollouts.save(row), _storage_down())
