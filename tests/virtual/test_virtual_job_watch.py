"""Every ended job is found and taken in: over restarts, outages, steps of the clock, late rows and whatever else."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.errors import BlockedError
from shared.domain.jobs import EndedJob, OutOfMemorySign
from shared.domain.time import Moment
from shared.job_watch import Watched, mention_job, read_since, watch_jobs
from shared.ports import Watermark
from tests.virtual.effects import Effects, Failure, How, When
from tests.virtual.watch_world import (
    DAY,
    Watch,
    cluster,
    job_id,
)


@pytest.fixture
def world() -> Watch:
    return Watch()


async def test_an_ended_job_is_published_once_taken_in_and_forgotten_by_the_outbox(world: Watch) -> None:
    job = world.ends()
    assert await world.watch() == Watched(found=1, published=1)
    assert world.known() == job
    assert await world.outgoing() == 1
    for _ in range(3):
        assert await world.watch() == Watched()
    assert await world.outgoing() == 0
    assert world.published() == [job.key]
    assert world.api.asked == [], "a completed job needs no details"


async def test_a_job_with_warnings_is_published_with_what_is_missing(world: Watch) -> None:
    world.ends(status="completedwithwarnings")
    assert await world.watch() == Watched(found=1, published=1)
    known = world.known()
    assert known is not None
    assert [issue.resource for issue in known.warnings] == ["pvc-1"]
    await world.watch()
    assert world.api.asked == [job_id(1)]


async def test_two_sources_that_tell_of_the_same_job_make_one_event(world: Watch) -> None:
    world.add_source(name="logs", keeps=30 * DAY)
    job = world.ends()
    world.sources[1].rows = [(world.clock.now() + timedelta(minutes=25), replace(job, arm_id=job.arm_id.upper()))]
    await world.watch_for(3 * 3600)
    assert world.published() == [job.key]
    assert len(world.history.all_now()) == 1


async def test_an_out_of_memory_kill_is_published_and_taken_in_at_once(world: Watch) -> None:
    world.has_record(7)
    sign = OutOfMemorySign(cluster(7), "agent-1", "velero", world.clock.now())
    world.sources[0].rows.append((world.clock.now(), sign))
    assert await world.watch() == Watched(found=1, published=1)
    assert world.history.all_now() == (sign,)
    assert await world.outgoing() == 0
    record = world.record(cluster(7))
    assert record is not None
    assert record.news_at is not None


async def _busy_hours(world: Watch) -> None:
    """Jobs of every kind, one cluster each, and enough runs to be done with them. The first end while the app is down
    for longer than any source overlaps."""
    await world.watch()
    await world.watch()
    for number, status in enumerate(("completed", "completedwithwarnings", "failed", "cancelled"), 1):
        world.ends(number, status)
    await world.clock.advance(18 * 3600)
    await world.watch()
    await world.clock.advance(300)
    world.ends(5, "completedwithwarnings", late=700)
    await mention_somehow(world, world.ends(6, late=1e9).arm_id)
    await world.watch_for(3000)


async def mention_somehow(world: Watch, job: str) -> None:
    """Azure Monitor sends its alert again until it is taken."""
    while not await world._survives(mention_job(job, world.host)):
        await world.clock.advance(5)


@pytest.mark.parametrize("way", ["topic", "a topic that loses everything", "no topic"])
@pytest.mark.parametrize("how", ["error", "death"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_whatever_effect_fails_every_job_is_taken_in_with_its_details(when: When, how: How, way: str) -> None:
    def new_world(**given: Any) -> Watch:
        world = Watch(**given, **({"topic": None} if way == "no topic" else {}))
        world.loses = "loses" in way
        return world

    world = new_world()
    await _busy_hours(world)
    expected = {job.arm_id: job for job in world.history.all_now() if isinstance(job, EndedJob)}
    assert len(expected) == 6
    for number in range(1, len(world.effects.names) + 1):
        other = new_world(effects=Effects(Failure(number, when, how)))
        await _busy_hours(other)
        assert other.effects.struck, number
        for job in range(1, 7):
            assert other.known(job) == expected[job_id(job)], (number, other.effects.struck, job)
        assert await other.outgoing() == 0, (number, other.effects.struck)
        if other.topic is not None:
            assert set(other.published()) == {job.key for job in expected.values()}
            assert len(other.published()) <= 2 * len(expected)


async def test_a_source_that_is_down_hinders_no_other_and_loses_nothing(world: Watch) -> None:
    other = world.add_source(name="logs")
    await world.watch()
    world.sources[0].error = BlockedError("Forbidden", "no Reader role", recommended_action="Give Reader.")
    world.ends(1)
    other.rows.clear()
    await world.clock.advance(1)
    world.ends(2)
    world.sources[0].rows = world.sources[0].rows[:1]
    watched = await world.watch()
    assert watched == Watched(found=1, published=1, failing=1)
    assert world.known(2) is not None
    await world.watch_for(3000)
    assert await world.own_alerts() == {}
    await world.watch_for(2 * DAY, every=1800)
    alert = (await world.own_alerts())["JobSource:graph"]
    assert (alert.state, alert.cause.recommended_action) == ("Open", "Give Reader.")
    assert alert.cause.first_at < world.clock.now() - timedelta(days=1.9)
    world.sources[0].error = None
    await world.watch()
    assert world.known(1) is not None
    assert (await world.own_alerts())["JobSource:graph"].state == "Resolved"


async def test_a_source_that_breaks_in_no_known_way_keeps_nothing_else_back(world: Watch) -> None:
    world.add_source(name="logs")
    world.ends()
    world.sources[0].error = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        await watch_jobs(world.host)
    assert world.published() == [world.ends().key]


@pytest.mark.parametrize("step", [-3 * DAY, -7000, 7000, 3 * DAY, 40 * DAY])
async def test_a_step_of_our_clock_loses_no_job(world: Watch, step: float) -> None:
    class Stepped:
        """Our clock, some time before or after Azure's."""

        by = timedelta()

        def now(self) -> datetime:
            return world.clock.now() + self.by

    ours = Stepped()
    world.host = replace(world.host, clock=ours)
    number = 0
    for by in (0.0, step, 0.0):
        ours.by = timedelta(seconds=by)
        for _ in range(4):
            number += 1
            await world.clock.advance(290)
            world.ends(number, late=900)
            await world.clock.advance(10)
            await world.watch()
    ours.by = timedelta()
    await world.watch_for(2000)
    assert [n for n in range(1, number + 1) if world.known(n) is None] == []


async def test_a_row_that_comes_almost_a_day_late_is_found_by_the_look_back(world: Watch) -> None:
    late = world.ends(1, late=0.95 * DAY)
    for number in range(2, 50):
        await world.watch_for(3600, every=1800)
        world.ends(number)
    await world.watch()
    assert world.known(1) == late


async def test_an_outage_beyond_what_a_source_remembers_is_told_as_a_gap(world: Watch) -> None:
    world.ends(1)
    await world.watch()
    await world.clock.advance(DAY)
    world.ends(2)
    await world.clock.advance(15 * DAY)
    world.ends(3)
    await world.clock.advance(2 * DAY)
    watched = await world.watch()
    assert watched == Watched(found=1, published=1, gaps=1)
    assert world.known(3) is not None
    alert = (await world.own_alerts())["JobGap:graph"]
    assert alert.state == "Open"
    for day in ("2026-03-01 12:00", "2026-03-05 12:00"):
        assert day in alert.cause.message
    assert (await world.watch()) == Watched()
    await world.watch_for(1.1 * DAY, every=3600)
    assert (await world.own_alerts())["JobGap:graph"].state == "Resolved"


async def test_a_fleet_without_jobs_has_no_gap(world: Watch) -> None:
    world.ends()
    await world.watch_for(20 * DAY, every=6 * 3600)
    assert await world.own_alerts() == {}


async def test_an_app_that_was_down_before_the_first_job_finds_it_afterwards(world: Watch) -> None:
    await world.watch()
    await world.clock.advance(2 * DAY)
    world.ends()
    await world.clock.advance(5 * DAY)
    await world.watch()
    assert world.known() is not None


async def test_two_hosts_at_once_lose_nothing_and_keep_nothing_twice(world: Watch) -> None:
    for number in range(20):
        world.ends(number, "completedwithwarnings")
    second = world.new_host("host-2")
    for _ in range(4):
        await asyncio.gather(watch_jobs(world.host), watch_jobs(second))
        await world.watch()
        await world.clock.advance(300)
    assert all(world.known(number) for number in range(20))
    assert await world.outgoing() == 0
    assert len(world.history.all_now()) == 20


async def test_the_watermark_never_runs_ahead_of_what_was_seen(world: Watch) -> None:
    """A row with an end far in the future, from whatever fault, hides nothing that ends before."""
    world.ends(1, ended_at=world.clock.now() + timedelta(days=400))
    await world.watch()
    await world.clock.advance(3600)
    world.ends(2, late=1800)
    await world.clock.advance(5 * DAY)
    await world.watch()
    assert world.known(2) is not None


def test_a_watermark_ahead_of_our_clock_is_read_as_now() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ahead = Watermark("graph", now + timedelta(days=3))
    assert read_since(ahead, 3600, Moment(now), look_back=False) == now - timedelta(hours=1)
    assert read_since(ahead, 3600, Moment(now, 60), look_back=False) == now - timedelta(minutes=1)
