"""The memory ladder over histories nobody thought of: jobs and kills that come twice, late, in any order; looks that
die before or after what they decided was kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.facts import Present
from shared.domain.jobs import ClusterHistory, EndedJob, OutOfMemorySign
from shared.domain.observed import ObservedCluster
from shared.domain.record import ExtensionMemory, Record, Rung
from shared.plan.evidence import limit_of
from shared.plan.memory_part import memory_part
from tests.property.memory_world import START, World, profile, settle
from tests.property.strategies import CLUSTER

events = st.lists(
    st.fixed_dictionaries(
        {
            "outcome": st.sampled_from(["clean", "clean", "failed", "restarted", "restarted"]),
            "sign": st.booleans(),
            "hours": st.floats(0.3, 30),
            "nodes_change": st.sampled_from([False, False, False, True]),
            "late": st.integers(0, 2),
            "doubled": st.booleans(),
            "kill": st.sampled_from(["", "", "before", "after"]),
            "runs": st.sampled_from(["nothing", "nothing", "a backup", "nobody knows"]),
        }
    ),
    min_size=1,
    max_size=14,
)


def lived(events: list[dict[str, Any]], world: World) -> World:
    """Each event is a job; news of it comes `late` events later; looks follow every event, the first two of them while
    the next job may be running."""
    waiting: list[tuple[int, Any]] = []
    for number, event in enumerate(events):
        world.now += timedelta(hours=float(event["hours"]))
        world.image = f"{world.image}+" if event["nodes_change"] else world.image
        sign = bool(event["sign"]) and event["outcome"] == "restarted"
        for news in world.job(number, str(event["outcome"]), sign=sign):
            waiting.append((number + int(event["late"]), news))
        for due, news in list(waiting):
            if due <= number:
                world.told += [news] * (2 if event["doubled"] else 1)
                waiting.remove((due, news))
        world.runs = event["runs"]
        world.look(event["kill"])
        world.look()
        world.runs = "nothing"
        settle(world)
    world.told += [news for _, news in waiting]
    settle(world)
    return world


@given(events)
def test_one_rung_for_one_failure_whatever_comes_twice_late_or_is_killed(events: list[dict[str, Any]]) -> None:
    world = lived(events, World(profile()))
    rungs = world.record.memory.rungs
    keys = {each.key for each in world.told}
    assert len({rung.evidence for rung in rungs}) == len(rungs)
    assert {rung.evidence for rung in rungs} <= keys
    restarted = [event for event in events if event["outcome"] == "restarted"]
    assert len(rungs) <= len(restarted)


@given(events)
def test_the_limit_never_falls_and_never_passes_the_ceiling(events: list[dict[str, Any]]) -> None:
    world = lived(events, World(profile(ceiling="6Gi")))
    assert world.limits == sorted(set(world.limits)), "each change raised it"
    assert all(limit <= 6144 for limit in world.limits)
    assert limit_of(world.extension()) >= 1280


@given(events)
def test_what_was_decided_comes_into_effect(events: list[dict[str, Any]]) -> None:
    world = lived(events, World(profile()))
    memory = world.record.memory
    assert memory.in_effect
    assert world.limit == memory.limit
    assert (world.limit or "1280Mi") == (memory.rungs[-1].after if memory.rungs else "1280Mi")
    assert world.patches <= 2 * len(memory.rungs)


@given(events, st.randoms(use_true_random=False))
def test_the_same_jobs_in_another_order_and_often_give_the_same_memory(
    events: list[dict[str, Any]], chance: Any
) -> None:
    def shuffled(world: World) -> ClusterHistory:
        jobs = [each for each in world.told if isinstance(each, EndedJob)] * 2
        signs = [each for each in world.told if isinstance(each, OutOfMemorySign)] * 2
        chance.shuffle(jobs)
        chance.shuffle(signs)
        return ClusterHistory(tuple(jobs), tuple(signs))

    class Disorderly(World):
        def history(self) -> ClusterHistory:
            return shuffled(self)

    assert lived(events, World(profile())).record.memory == lived(events, Disorderly(profile())).record.memory


@given(events)
def test_deaths_doubles_and_other_jobs_change_nothing_of_the_limit(events: list[dict[str, Any]]) -> None:
    quiet = [{**event, "kill": "", "doubled": False, "runs": "nothing"} for event in events]
    disturbed, undisturbed = lived(events, World(profile())), lived(quiet, World(profile()))
    assert disturbed.limit == undisturbed.limit
    climbed = [(rung.before, rung.after) for rung in disturbed.record.memory.rungs]
    assert climbed == [(rung.before, rung.after) for rung in undisturbed.record.memory.rungs]


@given(events)
def test_audit_and_a_ladder_that_is_off_decide_nothing(events: list[dict[str, Any]]) -> None:
    for left_alone in (replace(profile(), mode="audit"), profile(automatic=False)):
        world = lived(events, World(left_alone))
        assert world.record.memory.rungs == ()
        assert world.patches == 0


@settings(max_examples=30)
@given(st.integers(0, 24 * 60 - 1))
def test_nothing_is_sent_around_the_time_the_schedule_starts_a_backup(minutes: int) -> None:
    world = World(profile())
    world.now = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=minutes)
    memory = ExtensionMemory("2560Mi", rungs=(Rung(world.now, "memory", "1280Mi", "2560Mi", "k"),), in_effect=False)
    observed = ObservedCluster(
        cluster=Present(world.cluster(), world.now),
        extension=Present(world.extension(), world.now),
        running_jobs=Present((), world.now),
    )
    part = memory_part(world.subject(Record(CLUSTER, START, observed, memory=memory)))
    near = 110 <= minutes < 125
    assert bool(part.steps) != near
    if near:
        assert part.requeue_after is not None
        assert part.requeue_after / 60 == 125 - minutes
