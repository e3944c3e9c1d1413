"""The newest lines of the audit trail, of the fake and of the real table alike."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.domain.record import Action
from shared.ports import AuditTrail
from shared.record.audit import TableAuditTrail
from shared.record.storage import Storage
from tests.fakes.storage import FakeAuditTrail

AGES = (
    timedelta(minutes=-2),  # another instance's clock is ahead
    timedelta(),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=30),
    timedelta(days=400),
)


@pytest.fixture(params=["fake", "azurite"])
async def trail(request: pytest.FixtureRequest) -> AsyncIterator[AuditTrail]:
    if request.param == "fake":
        yield FakeAuditTrail()
        return
    storage = Storage.by_connection_string(request.getfixturevalue("azurite").connection_string)
    yield TableAuditTrail(storage)
    await storage.close()


@pytest.fixture
def mine() -> str:
    """In what each test writes: the real table is shared with other tests."""
    return uuid4().hex


async def steps(trail: AuditTrail, mine: str, limit: int, subject: str | None = None) -> list[str]:
    return [action.step for action in await trail.newest(limit, subject) if mine in action.detail]


def line(mine: str, step: str, at: datetime, subject: str) -> Action:
    return Action(at, subject, step, "target", "Done", detail=mine)


async def test_the_newest_of_one_subject_come_first_however_old_they_are(trail: AuditTrail, mine: str) -> None:
    now, subject = datetime.now(UTC), f"/clusters/{mine}"
    lines = [line(mine, str(n), now - age, subject) for n, age in enumerate(AGES)]
    await trail.append(lines[3:])
    await trail.append(lines[:3])
    await trail.append([line(mine, "another", now, f"/others/{mine}")])
    for limit in range(1, len(AGES) + 3):
        assert await steps(trail, mine, limit, subject.upper()) == [str(n) for n in range(len(AGES))][:limit]
    assert await trail.newest(5, f"/nobody/{mine}") == []


async def test_the_newest_of_all_come_from_every_partition(trail: AuditTrail, mine: str) -> None:
    ahead = datetime.now(UTC) + timedelta(days=1)  # newer than what other tests write
    many = 60
    for n in range(many):
        await trail.append([line(mine, str(n), ahead - timedelta(seconds=n), f"/clusters/{mine}/{n}")])
    assert await steps(trail, mine, many) == [str(n) for n in range(many)]
    assert await steps(trail, mine, 7) == [str(n) for n in range(7)]


async def test_of_one_moment_the_line_written_last_is_the_newest(trail: AuditTrail, mine: str) -> None:
    now, subject = datetime.now(UTC), f"/clusters/{mine}"
    await trail.append([line(mine, step, now, subject) for step in ("first", "second", "third")])
    assert await steps(trail, mine, 2, subject) == ["third", "second"]
