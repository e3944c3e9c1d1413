"""What was found is published with its details, whatever becomes of the topic and of the jobs API."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import GuardError
from shared.domain.jobs import EndedJob, JobIssue
from shared.hand_on import MOST_DETAILS
from shared.job_watch import Watched, mention_job, watch_jobs
from tests.virtual.watch_world import DAY, DOWN, REFUSED, THROTTLED, Topic, Watch, job_id


@pytest.fixture
def world() -> Watch:
    return Watch()


async def test_a_topic_that_loses_everything_delays_a_job_and_loses_none(world: Watch) -> None:
    assert world.topic is not None
    world.ends()
    await watch_jobs(world.host)
    world.topic.lose_everything()
    await world.watch_for(600, every=150)
    assert world.known() is not None
    await world.watch()
    assert await world.outgoing() == 0


@pytest.mark.parametrize("error", [REFUSED, DOWN])
async def test_a_topic_that_takes_nothing_delays_a_job_and_is_told_of_when_a_person_must_act(
    world: Watch, error: GuardError
) -> None:
    assert isinstance(world.topic, Topic)
    world.topic.error = error
    job = world.ends(status="failed", errors=(JobIssue("X"),))
    await world.watch()
    assert world.known() is None
    await world.watch_for(1800)
    assert world.known() == job
    told = (await world.own_alerts()).get("EventTopic")
    assert (told is not None) == (error is REFUSED)
    world.topic.error = None
    await world.watch_for(600)
    assert world.published() == [job.key]
    assert await world.outgoing() == 0
    assert {alert.state for alert in (await world.own_alerts()).values()} <= {"Resolved"}


async def test_a_topic_that_never_works_leaves_no_outbox_behind(world: Watch) -> None:
    assert isinstance(world.topic, Topic)
    world.topic.error = REFUSED
    world.ends()
    await world.watch_for(3.2 * DAY, every=3600)
    assert world.known() is not None
    assert await world.outgoing() == 0


async def test_without_a_topic_news_is_taken_in_at_once() -> None:
    world = Watch(topic=None)
    world.ends(1)
    world.ends(2, "completedwithwarnings")
    assert await world.watch() == Watched(found=2, published=2)
    assert world.known(1) is not None
    assert world.known(2) == world.api.jobs[job_id(2).lower()]
    assert await world.outgoing() == 0


async def test_many_jobs_with_warnings_ask_for_no_more_than_the_allowance_and_get_their_details_in_the_end(
    world: Watch,
) -> None:
    count, began = 4 * MOST_DETAILS, world.clock.now()
    for number in range(count):
        world.ends(number, "completedwithwarnings")
    spent = 0
    for _ in range(12):
        await world.watch()
        assert len(world.api.asked) - spent <= MOST_DETAILS
        spent = len(world.api.asked)
        await world.clock.advance(300)
        if world.clock.now() - began >= timedelta(minutes=20):
            assert len(world.history.all_now()) == count, "told of, with or without details"
    assert all(isinstance(job, EndedJob) and job.detailed for job in world.history.all_now())
    assert world.known(count - 1) is not None
    assert spent == count
    assert sorted(world.published()) == sorted({job.key for job in world.history.all_now()})


async def test_a_throttle_ends_the_asking_and_patience_ends_the_waiting(world: Watch) -> None:
    for number in range(5):
        world.ends(number, "completedwithwarnings")
    world.api.error = THROTTLED
    assert await world.watch() == Watched(found=5, waiting=5)
    assert len(world.api.asked) == 1
    await world.watch_for(900)
    assert all((job := world.known(number)) and not job.detailed for number in range(5))
    world.api.error = None
    await world.watch()
    assert all((job := world.known(number)) and job.detailed for number in range(5))


async def test_a_job_whose_details_cannot_be_read_keeps_no_other_back(world: Watch) -> None:
    for number in range(4):
        world.ends(number, "completedwithwarnings")
    world.api.errors = {job_id(0): ZeroDivisionError("a bug"), job_id(1): REFUSED, job_id(2): DOWN}
    with pytest.raises(ZeroDivisionError):
        await watch_jobs(world.host)
    await world.watch_for(0)
    assert len(world.published()) == 1
    world.api.errors[job_id(0)] = REFUSED
    await world.watch_for(1200)
    assert all(world.known(number) for number in range(4))
    await world.watch_for(2 * 3600)
    assert await world.outgoing() == 0, "at some time it is enough"


async def test_a_job_that_is_only_mentioned_is_read_once_and_told_once(world: Watch) -> None:
    job = world.ends(late=1e9)
    for _ in range(3):
        await mention_job(job.arm_id, world.host)
    await mention_job(job.arm_id.upper(), world.host)
    await world.watch()
    await world.watch()
    await mention_job(job.arm_id, world.host)
    await world.watch()
    assert world.known() == replace(job, detailed=True)
    assert world.published() == [job.key]
    assert len(world.api.asked) == 2


async def test_a_mentioned_job_is_kept_while_nobody_can_be_asked(world: Watch) -> None:
    job = world.ends(late=1e9)
    world.api.error = DOWN
    await mention_job(job.arm_id, world.host)
    await world.watch_for(2 * 3600)
    assert world.known() is None
    world.api.error = None
    await world.watch()
    assert world.known() == replace(job, detailed=True)

    world.api.error = REFUSED
    await mention_job(job_id(99), world.host)
    await world.watch_for(3.1 * DAY, every=3600)
    assert await world.outgoing() == 0, "at some time it is enough"


async def test_a_job_that_is_mentioned_and_does_not_exist_is_forgotten(world: Watch) -> None:
    await mention_job(job_id(99), world.host)
    world.ends(1)
    await world.watch()
    assert world.known(1) is not None
    await world.watch_for(1200)
    assert await world.outgoing() == 0
    assert world.published() == [world.ends(1).key]
