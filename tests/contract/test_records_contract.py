"""What the core may rely on from its tables and queue: the fakes and Azurite keep the same promises."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from functions_host.azurite import Azurite
from shared.domain.conditions import Condition
from shared.domain.errors import RecordConflict
from shared.domain.facts import Present
from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import ObservedCluster, ObservedRegion, TrustedAccessBinding
from shared.domain.record import Action, ReconcileRequest, Record
from shared.domain.steps import Intent, PendingOperation, StepHistory
from shared.ports import Records, Rollouts, SharedQuota, WorkQueue
from shared.record.audit import TableAuditTrail
from shared.record.entity import RecordUnreadableError, to_row
from shared.record.messages import parse_request
from shared.record.queue import StorageQueue
from shared.record.quota import TableQuota
from shared.record.rollouts import TableRollouts
from shared.record.storage import Storage
from shared.record.tables import TableRecords
from tests.fakes.clock import VirtualClock
from tests.fakes.queue import FakeQueue
from tests.fakes.storage import FakeAuditTrail, FakeQuota, FakeRecords, FakeRollouts

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
DISTANT_FUTURE = datetime(2999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """One implementation of every port."""

    records: Records
    audit: TableAuditTrail | FakeAuditTrail
    quota: SharedQuota
    rollouts: Rollouts
    queue: WorkQueue
    receive: Callable[[], Awaitable[str | None]]


@pytest.fixture(params=["fake", "azurite"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        queue = FakeQueue(VirtualClock())

        async def receive_fake() -> str | None:
            message = queue.receive()
            return message.text if message else None

        yield World(FakeRecords(), FakeAuditTrail(), FakeQuota(), FakeRollouts(), queue, receive_fake)
        return

    storage = Storage.by_connection_string(request.getfixturevalue("azurite").connection_string)
    name = f"reconcile-{uuid4().hex[:8]}"

    async def receive_azurite() -> str | None:
        async with storage.queue(name, "receive") as client:
            message = await client.receive_message()
            return base64.b64decode(message.content, validate=True).decode() if message else None

    yield World(
        TableRecords(storage),
        TableAuditTrail(storage),
        TableQuota(storage),
        TableRollouts(storage),
        StorageQueue(storage, name),
        receive_azurite,
    )
    await storage.close()


def a_cluster(name: str = "") -> ClusterId:
    """One no other test knows: they share the tables."""
    return ClusterId("00000000-0000-0000-0000-000000000001", "rg", name or f"aks-{uuid4().hex[:12]}")


def a_region() -> RegionId:
    return RegionId("00000000-0000-0000-0000-000000000001", "westeurope", f"class-{uuid4().hex[:8]}")


def a_record(subject: ClusterId | RegionId | None = None, **changes: object) -> Record:
    subject = subject or a_cluster()
    observed = ObservedCluster() if isinstance(subject, ClusterId) else ObservedRegion()
    record = Record(subject=subject, first_seen_at=NOW, observed=observed)
    return replace(record, **changes)  # type: ignore[arg-type]


async def test_an_unknown_subject_has_no_record(world: World) -> None:
    assert await world.records.get(a_cluster()) is None
    assert await world.records.get(a_region()) is None


async def test_a_record_comes_back_as_it_was_saved(world: World) -> None:
    binding = TrustedAccessBinding("/b", "b", "/vault", ("Microsoft.DataProtection/backupVaults/backup-operator",), "x")
    record = a_record(
        observed=ObservedCluster(bindings=Present((binding,), NOW)),
        conditions={"Ready": Condition("Ready", "False", "Waiting", "auf die Rolle warten ⏳", NOW)},
        steps=StepHistory(
            intents={"StartBackup": Intent("StartBackup", NOW)},
            pending={"ValidateForBackup": PendingOperation("ValidateForBackup", "https://x/?t=1", NOW, "digest")},
        ),
        due_at=NOW + timedelta(minutes=5),
        wake_id="w1",
        lease_id="l1",
        lease_until=NOW + timedelta(minutes=7),
        deleted_at=NOW,
        profile="gold",
        configuration_revision=20_260_301_001,
        failures=3,
    )
    saved = await world.records.save(record)
    assert saved.etag
    assert saved == replace(record, etag=saved.etag)
    assert await world.records.get(record.subject) == saved


async def test_a_region_has_a_record_too(world: World) -> None:
    record = a_record(a_region(), observed=ObservedRegion(providers={"microsoft.dataprotection": Present("x", NOW)}))
    saved = await world.records.save(record)
    assert await world.records.get(record.subject) == saved


async def test_a_record_of_hundreds_of_kilobytes_comes_back_whole(world: World) -> None:
    text = "0123456789äöü😀" * 6_000
    condition = Condition("Ready", "False", "Long", text, NOW)
    saved = await world.records.save(a_record(conditions={"Ready": condition}))
    shorter = await world.records.save(replace(saved, conditions={"Ready": replace(condition, message="short")}))
    assert await world.records.get(saved.subject) == shorter


async def test_what_is_none_again_is_gone(world: World) -> None:
    saved = await world.records.save(a_record(due_at=NOW, lease_id="l", lease_until=NOW))
    freed = await world.records.save(replace(saved, due_at=None, lease_id="", lease_until=None))
    assert await world.records.get(saved.subject) == freed


async def test_of_two_who_create_one_wins(world: World) -> None:
    record = a_record(wake_id="first")
    await world.records.save(record)
    with pytest.raises(RecordConflict):
        await world.records.save(replace(record, wake_id="second"))
    stored = await world.records.get(record.subject)
    assert stored is not None
    assert stored.wake_id == "first"


async def test_of_two_who_read_the_same_the_first_to_write_wins(world: World) -> None:
    read = await world.records.save(a_record())
    winner = await world.records.save(replace(read, lease_id="winner"))
    with pytest.raises(RecordConflict):
        await world.records.save(replace(read, lease_id="loser"))
    assert await world.records.get(read.subject) == winner


async def test_exactly_one_of_many_takes_the_lease(world: World) -> None:
    read = await world.records.save(a_record())
    results = await asyncio.gather(
        *(world.records.save(replace(read, lease_id=f"pass {number}")) for number in range(8)), return_exceptions=True
    )
    winners = [result for result in results if isinstance(result, Record)]
    assert len(winners) == 1
    assert sum(isinstance(result, RecordConflict) for result in results) == 7
    assert await world.records.get(read.subject) == winners[0]


async def test_an_etag_of_a_row_that_is_not_there_is_a_conflict(world: World) -> None:
    other = await world.records.save(a_record())
    with pytest.raises(RecordConflict):
        await world.records.save(a_record(etag=other.etag))


async def test_overdue_are_those_whose_time_has_come_oldest_first(world: World) -> None:
    # A century nobody else uses: the tables are shared by the tests of this file.
    past = datetime(1990, 1, 1, tzinfo=UTC)
    due = [await world.records.save(a_record(due_at=past + timedelta(minutes=minute))) for minute in range(20)]
    region = await world.records.save(a_record(a_region(), due_at=past - timedelta(minutes=1)))
    await world.records.save(a_record(due_at=past + timedelta(minutes=20)))
    await world.records.save(a_record(due_at=None))
    now = past + timedelta(minutes=19)
    found = [record async for record in world.records.overdue(now, limit=100)]
    assert found == [region, *due]
    assert [record async for record in world.records.overdue(now, limit=7)] == [region, *due[:6]]
    later = await world.records.save(replace(due[0], due_at=DISTANT_FUTURE))
    assert later not in [record async for record in world.records.overdue(now, limit=100)]
    for record in (region, *due[1:]):
        await world.records.save(replace(record, due_at=None))
    assert [record async for record in world.records.overdue(now, limit=100)] == []


async def test_everything_holds_clusters_and_regions_whole(world: World) -> None:
    saved = [await world.records.save(a_record(wake_id=str(number))) for number in range(30)]
    region = await world.records.save(a_record(a_region()))
    everything = {record.subject: record async for record in world.records.everything()}
    assert all(everything[record.subject] == record for record in (*saved, region))


async def test_a_request_stays_until_it_is_answered(world: World) -> None:
    cluster = a_cluster()
    assert await world.records.requested(cluster) is None
    await world.records.mark_requested(cluster, NOW)
    await world.records.mark_requested(a_cluster(), NOW)
    assert await world.records.requested(cluster) == NOW
    await world.records.clear_requested(cluster, NOW)
    assert await world.records.requested(cluster) is None


async def test_a_request_renewed_before_its_answer_stays(world: World) -> None:
    cluster, later = a_cluster(), NOW + timedelta(seconds=1)
    await world.records.mark_requested(cluster, NOW)
    await world.records.mark_requested(cluster, later)
    await world.records.clear_requested(cluster, NOW)
    assert await world.records.requested(cluster) == later


async def test_marking_does_not_touch_the_record(world: World) -> None:
    saved = await world.records.save(a_record())
    await world.records.mark_requested(saved.subject, NOW)
    assert await world.records.get(saved.subject) == saved


async def test_the_audit_trail_keeps_every_line_in_order(world: World) -> None:
    subject = a_cluster().key
    actions = [
        Action(NOW + timedelta(microseconds=number // 2), subject, "GrantRole", f"/target/{number}", "Started", "id")
        for number in range(250)
    ]
    await world.audit.append(actions)
    await world.audit.append([Action(NOW, a_cluster().key, "GrantRole", "/other", "Done")])
    await world.audit.append([])
    late = Action(NOW + timedelta(hours=1), subject.upper(), "GrantRole", "/late", "Done", detail="after", actor="me")
    await world.audit.append([late])
    assert [line async for line in world.audit.history(subject)] == [*actions, replace(late, subject=subject)]


async def test_a_subscription_nobody_wrote_about_is_free(world: World) -> None:
    row = await world.quota.get(str(uuid4()).upper())
    assert (row.not_before, row.in_flight, row.etag) == (None, {}, "")


async def test_quota_is_shared_and_written_by_one_at_a_time(world: World) -> None:
    subscription = str(uuid4())
    fresh = await world.quota.get(subscription)
    saved = await world.quota.save(replace(fresh, not_before=NOW, in_flight={"host-1": (3, NOW)}))
    assert await world.quota.get(subscription.upper()) == saved
    with pytest.raises(RecordConflict):
        await world.quota.save(replace(fresh, in_flight={"host-2": (1, NOW)}))
    freed = await world.quota.save(replace(saved, not_before=None, in_flight={}))
    with pytest.raises(RecordConflict):
        await world.quota.save(replace(saved, in_flight={"host-2": (1, NOW)}))
    assert await world.quota.get(subscription) == freed


async def test_a_rollout_starts_when_it_is_first_asked_for(world: World) -> None:
    digest = uuid4().hex
    fresh = await world.rollouts.get("gold", digest, NOW)
    assert (fresh.since, fresh.changed, fresh.changed_this_hour, fresh.etag) == (NOW, 0, 0, "")
    saved = await world.rollouts.save(replace(fresh, changed=1, changed_this_hour=1))
    assert await world.rollouts.get("gold", digest, NOW + timedelta(days=1)) == saved
    assert (await world.rollouts.get("silver", digest, NOW)).changed == 0
    with pytest.raises(RecordConflict):
        await world.rollouts.save(replace(fresh, changed=2))


async def test_a_request_arrives_as_it_was_sent(world: World) -> None:
    for subject in (a_cluster(), a_region()):
        request = ReconcileRequest(subject, "wake-1")
        await world.queue.send(request)
        text = await world.receive()
        assert text is not None
        assert parse_request(text) == request
        assert await world.receive() is None, "a received message is hidden"


async def test_a_delayed_request_is_not_there_yet(world: World) -> None:
    await world.queue.send(ReconcileRequest(a_cluster(), "wake-1"), delay=3600)
    await world.queue.send(ReconcileRequest(a_cluster(), "wake-2"), delay=30 * 24 * 3600)
    assert await world.receive() is None


async def test_a_row_nobody_can_read_does_not_hide_the_others(azurite: Azurite) -> None:
    storage = Storage.by_connection_string(azurite.connection_string)
    records = TableRecords(storage)
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    bad = await records.save(a_record(due_at=long_ago))
    good = await records.save(a_record(due_at=long_ago + timedelta(seconds=1)))
    etag = await storage.write("clusters", {**to_row(bad), "steps": "{"}, bad.etag)
    assert await until_unreadable(records.overdue(good.due_at or NOW, limit=10)) == [good]
    assert good in await until_unreadable(records.everything())
    with pytest.raises(RecordUnreadableError):
        await records.get(bad.subject)
    for record in (replace(bad, etag=etag), good):
        await records.save(replace(record, due_at=None))
    await storage.close()


async def until_unreadable(records: AsyncIterator[Record]) -> list[Record]:
    """What came before the error; it must come."""
    found: list[Record] = []

    async def collect() -> None:
        async for record in records:
            found.append(record)

    with pytest.raises(RecordUnreadableError):
        await collect()
    return found
