"""Events come twice, late, out of order or never; messages are stale; a lease is held, or left behind by the dead."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.reconcile import requeue_overdue as timer_trigger
from shared import bootstrap
from shared.domain.ids import Subject
from shared.domain.record import ReconcileRequest, Record
from shared.reconcile import reconcile
from shared.record.entity import RecordUnreadableError
from shared.record.messages import request_message
from shared.sweep import roll_call
from shared.wake import request_look
from tests.fakes.storage import FakeRecords
from tests.virtual.effects import Effects, Failure, Killed
from tests.virtual.world import QUICK, VirtualWorld


def quick_world() -> VirtualWorld:
    return VirtualWorld(timings=QUICK)


async def test_the_same_event_many_times_leads_to_one_instance_and_one_backup() -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)

    for _ in range(20):
        await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=600)

    protection = await world.operator.protection(cluster)
    assert (len(protection.instances), len(protection.vaults), protection.on_demand_jobs) == (1, 1, 1)


async def test_events_never_multiply_messages() -> None:
    """Whatever comes in while a cluster is worked on, its queue does not grow."""
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    for _ in range(12):
        await world.step()
        await world.notice(cluster)
        await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)

    await world.run(seconds=60)

    assert len(world.queue) <= len(world.records.all_now()), "one sleeping wake-up a record, no more"


async def test_events_of_two_clusters_in_any_order_lead_to_the_same_world() -> None:
    worlds = []
    for order in (1, -1):
        world = quick_world()
        clusters = [world.create_cluster(settled=True, name=name) for name in ("one", "two")]
        await world.notice(*clusters[::order])
        assert await world.run_until_ready(*clusters, seconds=900)
        worlds.append([await world.operator.protection(cluster) for cluster in clusters])
    assert worlds[0] == worlds[1]


async def test_an_event_about_a_protected_cluster_changes_nothing() -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=600)
    world.cloud.front_door.calls.clear()

    await world.notice(cluster)
    await world.run(seconds=3600)

    assert world.is_ready(cluster)
    assert not world.operator.changes_by_the_app()


async def test_a_cluster_no_event_told_about_is_discovered() -> None:
    world = quick_world()
    world.start_timer()
    cluster = world.create_cluster(settled=True)

    assert await world.run_until_ready(cluster, seconds=1200)
    assert len(await world.operator.instances(cluster)) == 1


async def test_a_wake_up_that_was_lost_is_sent_again_by_the_timer() -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.step()
    while (message := world.queue.receive(world.clock.after(86400))) is not None:
        world.queue.delete(message)  # every message is lost
    assert len(world.queue) == 0

    world.start_timer()

    assert await world.run_until_ready(cluster, seconds=3600)
    assert len(await world.operator.jobs_of(cluster)) == 1


async def test_a_message_with_a_stale_wake_id_is_dropped_unread() -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.step()
    before = world.record(cluster)
    world.cloud.front_door.calls.clear()

    await reconcile(ReconcileRequest(cluster, "of-yesterday"), world.host)

    assert world.record(cluster) == before
    assert not world.cloud.front_door.calls.all()


async def test_a_message_about_a_cluster_nobody_knows_is_dropped() -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)

    await reconcile(ReconcileRequest(cluster, "id"), world.host)

    assert world.record(cluster) is None
    assert not world.cloud.front_door.calls.all()


async def held_lease(world: VirtualWorld) -> ReconcileRequest:
    """A host dies right after it took the lease; its message would come back in ten minutes."""
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    names = len(world.effects.names)
    world.effects.failure = Failure(names + 1, "after", "death")
    await world.step()
    record = world.record(cluster)
    assert record is not None
    assert record.lease_until is not None
    return ReconcileRequest(cluster, record.wake_id)


async def test_nobody_acts_while_a_lease_is_held() -> None:
    world = VirtualWorld(timings=QUICK, effects=Effects())
    request = await held_lease(world)
    world.cloud.front_door.calls.clear()

    await reconcile(request, world.host)

    assert not world.cloud.front_door.calls.all()


async def test_after_a_crash_with_the_lease_the_next_pass_comes_when_the_lease_has_ended() -> None:
    world = VirtualWorld(timings=QUICK, effects=Effects())
    request = await held_lease(world)
    started = world.clock.now()
    world.start_timer()

    async def somebody_looked() -> bool:
        record = world.record(request.subject)
        return record is not None and record.wake_id != request.wake_id

    assert await world.run(somebody_looked)

    waited = world.clock.now() - started
    assert timedelta(seconds=420) <= waited <= timedelta(seconds=420 + 30 + 300 + 60)


async def test_requests_during_a_held_lease_are_answered_by_one_requeue() -> None:
    world = VirtualWorld(timings=QUICK, effects=Effects())
    request = await held_lease(world)
    waiting = len(world.queue)

    for _ in range(5):
        await request_look(request.subject, world.host)
    assert len(world.queue) == waiting
    assert await world.records.requested(request.subject) is not None

    world.start_timer()
    assert await world.run_until_ready(request.subject, seconds=3600)  # type: ignore[arg-type]
    assert await world.records.requested(request.subject) is None
    assert len(world.queue) <= 2 * len(world.records.all_now())


async def test_a_request_is_not_lost_when_the_next_pass_begins_before_the_last_one_read_it() -> None:
    """The word is left while pass one holds the lease; pass two has the lease when pass one comes to read it."""
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.records.mark_requested(cluster, world.clock.now())
    record = world.record(cluster)
    assert record is not None
    later = world.clock.after(420)
    await world.records.save(replace(record, lease_id="pass-two", lease_until=later, due_at=later))

    await reconcile(ReconcileRequest(cluster, "of-pass-one"), world.host)

    assert await world.records.requested(cluster) is not None


async def test_a_request_is_not_lost_when_the_pass_dies_before_it_reads_it() -> None:
    """The release is written, the process dies, the message comes back: stale, but it brings the word."""
    world = VirtualWorld(timings=QUICK, effects=Effects())
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)
    asked_at = world.clock.now()
    await world.records.mark_requested(cluster, asked_at)

    await reconcile(ReconcileRequest(cluster, "of-the-dead"), world.host)

    record = world.record(cluster)
    assert record is not None
    assert record.requested_at == asked_at
    assert record.due_at is not None
    assert record.due_at <= world.clock.now()
    assert await world.records.requested(cluster) is None


async def test_two_hosts_that_get_the_same_message_do_the_work_once() -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    for _ in range(4):
        await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=1200, together=True)

    protection = await world.operator.protection(cluster)
    assert (len(protection.instances), protection.on_demand_jobs) == (1, 1)
    started = [a for a in world.trail.actions if a.step == "StartBackup" and a.outcome == "Started"]
    assert len(started) == 1


async def test_what_failed_too_often_is_set_aside_said_and_looked_at_within_the_hour() -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    message = world.queue.receive()
    assert message is not None
    world.queue.delete(message)

    await world.set_aside(message.text)

    said = world.condition(cluster)
    assert (said.status, said.reason) == ("Unknown", "ReconcileFailed")
    assert said.recommended_action
    assert await world.run_until_ready(cluster, seconds=3600 + 900)


async def test_a_poison_message_that_is_stale_says_nothing() -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)
    due_at = world.records.now_of(cluster.key).due_at

    await world.set_aside(request_message(ReconcileRequest(cluster, "of-long-ago")))

    assert world.is_ready(cluster)
    assert world.records.now_of(cluster.key).due_at == due_at


async def test_a_request_that_is_answered_late_never_hides_a_newer_one() -> None:
    """What was read between the two requests must be read again."""
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    asked_first = world.clock.now()
    await world.clock.advance(60)
    await world.notice(cluster)
    newest = world.records.now_of(cluster.key).requested_at

    await request_look(cluster, world.host, asked_first)

    assert world.records.now_of(cluster.key).requested_at == newest


async def test_of_two_requests_at_the_same_time_the_newer_one_counts() -> None:
    """Both write the same wake-up; the one that comes second must not take the first one's write for its own."""
    world = quick_world()
    cluster = world.create_cluster(settled=True)
    earlier, later = world.clock.after(1), world.clock.after(2)
    races = iter([True])

    class Race(FakeRecords):
        async def save(self, record: Record) -> Record:
            if record.requested_at == later and next(races, False):
                await super().save(replace(self.now_of(cluster.key), requested_at=earlier))
            return await super().save(record)

    host = replace(world.host, records=Race())
    await request_look(cluster, host)
    await world.clock.advance(3)
    await request_look(cluster, host, later)

    record = await host.records.get(cluster)
    assert record is not None
    assert record.requested_at == later


async def test_a_row_that_cannot_be_read_hides_no_new_cluster() -> None:
    world = quick_world()
    bad, good = (world.create_cluster(settled=True, name=name) for name in ("aaa", "zzz"))

    class OneBadRow(FakeRecords):
        async def get(self, subject: Subject) -> Record | None:
            if subject == bad:
                raise RecordUnreadableError("not by this version")
            return await super().get(subject)

    records = OneBadRow()
    await world.clock.advance(900)  # Resource Graph has them by then
    await roll_call(replace(world.host, records=records))

    assert [record.subject for record in records.all_now()] == [good]


async def test_an_overdue_row_that_cannot_be_read_hides_no_new_cluster_from_the_timer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = quick_world()
    cluster = world.create_cluster(settled=True)

    class OneBadRow(FakeRecords):
        async def overdue(self, now: datetime, limit: int) -> AsyncIterator[Record]:
            async for record in super().overdue(now, limit):
                yield record
            raise RecordUnreadableError("not by this version")

    records = OneBadRow()
    monkeypatch.setattr(bootstrap, "_worlds", [replace(world.host, records=records)])
    await world.clock.advance(900)  # Resource Graph has it by then

    timer: Any = timer_trigger
    with pytest.raises(RecordUnreadableError):
        await timer(None)

    assert [record.subject for record in records.all_now()] == [cluster]


async def test_a_dead_process_does_nothing_more() -> None:
    """Of the harness itself: else the tests of deaths would prove nothing."""
    world = VirtualWorld(effects=Effects(Failure(1, "before", "death")))
    request = ReconcileRequest(world.create_cluster(settled=True), "id")

    for _ in range(2):
        with pytest.raises(Killed):
            await world.host.queue.send(request)
    assert len(world.queue) == 0

    await world.new_host().queue.send(request)
    assert len(world.queue) == 1
