"""What if a sweep dies after this line? Asked of every line of it that has an effect; and of two hosts, and of the time
an invocation has."""

import asyncio
import os
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.compliance import SweepSummary
from shared.domain.profile import ComplianceRules, Configuration, SweepRules
from shared.plan.compliance import scope as scopes
from shared.sweep import sweep
from tests.fakes.judged import judged
from tests.virtual.effects import Effects, Failure, How, Killed, When
from tests.virtual.sweep_world import DAY, OTHER, SweptWorld, finding_of, until_swept, verdict_of
from tests.virtual.world import configuration_of, enforcing

GROUPS = 4
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
VARIANTS: list[tuple[How, When, int]] = [("death", "before", 1), ("death", "after", 0)]
if DEEP:
    VARIANTS += [("death", "after", 1), ("error", "after", 1), ("error", "before", 0)]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "MOST_CLUSTERS", 1)


HELD, REPAIRED = 0.3, 0.9
"""Shares of the fleet above which the breaker of repairs opens: it does, and it does not."""
REPLAYS: dict[float, dict[tuple[object, ...], Any]] = {HELD: {}, REPAIRED: {}}
"""What dies here only reads Azure: it is asked once, and not in each of a hundred worlds."""


def grave(stop_above: float) -> Configuration:
    """A restore must have been tried: it was not, which is grave enough for an alert."""
    rules = ComplianceRules(restored_within=14 * DAY, severities={"restored-lately": "Error"})
    return configuration_of(enforcing(compliance=rules), sweep=SweepRules(stop_above=stop_above, stop_least=1))


async def eventful(stop_above: float, failure: Failure | None = None) -> tuple[SweptWorld, int, SweepSummary]:
    """Two sweeps over two batches; between them a cluster drifts, another is deleted unseen, and a third appears.
    The failures begin with the second one: how many effects came before is in the answer."""
    world = SweptWorld(configuration=grave(stop_above), effects=Effects(), replays=REPLAYS[stop_above])
    drifts, gone = await world.protected("drifts", "gone")
    await world.protected("stays", subscription=OTHER)
    await world.swept()
    await world.uninstall(drifts)
    await world.drop_quietly(gone)
    world.cluster("new", OTHER)
    await world.clock.advance(DAY)
    world.stage, before = 1, len(world.effects.names)
    if failure is not None:
        world.effects.failure = replace(failure, number=before + failure.number)
    summary = await world.swept()
    while not await world.survives(world.overdue_timer()):
        await world.clock.advance(300)
    await world.run(seconds=1800, together=True)
    return world, before, summary


async def world_of(world: SweptWorld, summary: SweepSummary) -> dict[str, Any]:
    """Everything that must be the same, however often it died; identifiers and times apart."""
    judged = await world.judged(summary)
    assert len(await world.host.sweeps.summaries(9)) == 2
    run = await world.host.sweeps.run()
    assert run is not None
    partitions = world.sweep_rows.partitions() - {"run", "summary"}
    assert partitions == {each.sweep_id for each in await world.host.sweeps.summaries(9)}, "half a sweep was left"
    of_this = {event.id for event in world.events("ClusterVerdictChanged") if event.data["sweepId"] == summary.sweep_id}
    delivered: Counter[str] = Counter()
    alerts = [alert async for alert in world.alert_book.all_of()]
    for alert in alerts:
        delivered[f"{alert.subject.rpartition('/')[2]} {alert.cause.key} {alert.state} {alert.episode}"] += 1
    announced = Counter(event.id for event in world.events("AlertOpened"))
    return {
        "judged": {
            name: (each.restorable, tuple((v.control, v.status, v.reason) for v in each.verdicts))
            for name, each in judged.items()
        },
        "since": {
            name: tuple(v.since is not None and v.since < summary.started_at for v in each.verdicts)
            for name, each in judged.items()
        },
        "summary": (summary.overall, summary.changes, summary.repairs),
        "findings": sorted((f.control, f.subject, f.reason, f.message) for f in summary.findings),
        "events": len(of_this),
        "completed": len({e.id for e in world.events("ComplianceSweepCompleted")}),
        "alerts": dict(delivered),
        "announced": len(announced),
        "held": (await world.breaker.held()) is not None,
        "known": sorted(record.subject.key.rpartition("/")[2] for record in world.records.all_now()),
    }


@pytest.mark.parametrize(("how", "when", "again"), VARIANTS)
@pytest.mark.parametrize("group", range(GROUPS))
async def test_a_sweep_survives_the_failure_of_any_effect(group: int, how: How, when: When, again: int) -> None:
    stop_above = (HELD, REPAIRED)[group % 2]
    clean, before, summary = await eventful(stop_above)
    expected = await world_of(clean, summary)
    assert set(expected["judged"]) == {"drifts", "stays", "new"}
    assert expected["events"] >= 1
    assert expected["held"] is (stop_above == HELD)
    assert {control for control, *_ in expected["findings"]} == {"orphaned-instance", "scope-complete"}
    names = clean.effects.names[before:]
    last = max(number for number, name in enumerate(names, 1) if name.startswith("topic.publish_sweep")) + 2
    numbers = [number for number, name in enumerate(names[:last], 1) if not name.startswith(("quota", "POST"))]
    first = group // 2 if DEEP or when == "before" else group // 2 + GROUPS // 2  # in a hurry each is asked one way
    for number in numbers[first :: GROUPS // 2 if DEEP else GROUPS]:
        world, _, summary = await eventful(stop_above, Failure(number, when, how, again))
        assert world.effects.struck, number
        assert await world_of(world, summary) == expected, (number, names[number - 1], world.effects.struck)


async def test_the_clean_runs_have_every_kind_of_effect() -> None:
    """Else the enumeration above would prove less than it says."""
    kinds: set[str] = set()
    for stop_above in (HELD, REPAIRED):
        world, before, _ = await eventful(stop_above)
        kinds |= {name.split()[0] for name in world.effects.names[before:]}
    assert {"sweeps.write", "sweeps.put", "save", "send", "alerts.show", "outbox.put"} <= kinds
    assert {"topic.publish_changes", "topic.publish_sweep", "watermarks.save", "breaker.hold"} <= kinds


async def test_two_hosts_that_begin_at_once_make_one_sweep() -> None:
    world = SweptWorld()
    await world.protected("shop")
    hosts = [world.host, world.new_host("host-2"), world.new_host("host-3")]
    swept = await asyncio.gather(*(sweep(host, begin=True) for host in hosts))
    assert len([each for each in swept if each is not None]) == 1
    summary = await world.swept() if await world.host.sweeps.latest() is None else await world.host.sweeps.latest()
    assert summary is not None
    assert len(await world.host.sweeps.summaries(5)) == 1
    assert set(await world.judged(summary)) == {"shop"}


async def test_a_fleet_that_takes_longer_than_an_invocation_is_judged_over_several() -> None:
    world = SweptWorld()
    third = "00000000-0000-0000-0000-000000000003"
    world.cloud.resources.add_subscription(third, "The third")
    await world.granted.in_subscription(third)
    world.scope = replace(world.scope, subscriptions=(*world.scope.subscriptions, third))
    world.cluster("one"), world.cluster("two", OTHER), world.cluster("three", third)
    await world.clock.advance(600)
    world.seconds_a_batch, world.pass_seconds = 150.0, 100.0
    world.restart()
    world.asked.clear()
    assert await until_swept(world, world.sweep) == 3
    assert [subscriptions for (*subscriptions,) in world.asked] == [[s] for s in world.scope.subscriptions]
    assert set(await world.judged()) == {"one", "two", "three"}


async def test_a_batch_that_never_ends_is_divided_and_in_the_end_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two subscriptions in one batch; one of them kills whoever reads it."""
    world = SweptWorld()
    await world.protected("good")
    await world.protected("bad", subscription=OTHER)
    monkeypatch.setattr(scopes, "MOST_CLUSTERS", 5000)
    first = await world.swept()
    assert world.asked[-1] == world.scope.subscriptions
    world.unreadable[OTHER] = Killed("out of memory")  # type: ignore[assignment]
    summary = await world.swept()
    judged = await world.judged(summary)
    assert {name: each.restorable for name, each in judged.items()} == {"good": "Yes", "bad": "Unknown"}
    found = finding_of(summary, "scope-readable")
    assert found is not None
    assert found.subject == OTHER
    assert verdict_of(judged["bad"], "protected").status == "Unknown"
    assert first.sweep_id < summary.sweep_id
    world.unreadable.clear()
    assert (await world.swept()).overall.yes == 2


@pytest.mark.parametrize("shows", [True, False])
async def test_a_sweep_that_cannot_be_told_of_keeps_no_other_from_beginning(shows: bool) -> None:
    world = SweptWorld()
    world.cluster("shop")
    await world.clock.advance(600)
    first = await world.swept()
    run = await world.host.sweeps.run()
    assert run is not None
    stuck = replace(run, stage="telling") if shows else replace(run, stage="telling", sweep_id=f"{run.sweep_id}x")
    await world.host.sweeps.save_run(stuck)
    await world.host.sweeps.write_batch(stuck.sweep_id, 7, [judged("half")], [])
    await world.clock.advance(DAY + 3600)
    second = await world.swept()
    assert second.sweep_id not in (first.sweep_id, stuck.sweep_id)
    assert set(await world.judged(first)) == set(await world.judged(second)) == {"shop"}
    assert world.sweep_rows.partitions() == {"run", "summary", first.sweep_id, second.sweep_id}


async def test_pages_that_this_version_cannot_read_keep_no_sweep_from_its_end() -> None:
    world = SweptWorld()
    world.cluster("shop")
    await world.clock.advance(600)
    first = await world.swept()
    pages = [row async for row in world.sweep_rows.between(first.sweep_id, "b", "c")]
    for page in pages:
        await world.sweep_rows.put({**page, "data_00": b"of another version"})
    assert pages
    second = await world.swept()
    assert set(await world.judged(second)) == {"shop"}
    assert second.changes == 0


async def test_a_host_that_dies_is_replaced_when_its_lease_has_ended() -> None:
    world = SweptWorld()
    await world.protected("shop")
    run = await world.host.sweeps.run()
    assert run is None
    world.effects.failure = Failure(len(world.effects.names) + 3, "after", "death")
    await world.survives(world.sweep())
    assert world.effects.struck
    assert await world.sweep() is None  # the dead one's lease
    await world.clock.advance(world.host.lease_seconds + 1)
    assert await until_swept(world, world.sweep) == 1
