"""What has drifted is looked at and put back, a few at a time; too much at once waits for a person."""

from datetime import timedelta

import pytest

from shared.domain.profile import SweepRules
from shared.plan.repairs import APPROVED_FOR
from tests.virtual.sweep_world import DAY, SweptWorld, verdict_of
from tests.virtual.world import configuration_of, enforcing


def swept_world(**rules: float) -> SweptWorld:
    return SweptWorld(configuration=configuration_of(enforcing(), sweep=SweepRules(**rules)))  # type: ignore[arg-type]


async def test_what_somebody_took_away_is_found_and_put_back() -> None:
    world = swept_world()
    cluster, _, _ = await world.protected("one", "two", "three")
    await world.swept()
    await world.uninstall(cluster)
    assert await world.operator.extensions(cluster) == []
    summary = await world.swept()
    assert (summary.repairs.drifted, summary.repairs.asked, summary.repairs.held) == (1, 1, "")
    assert verdict_of((await world.judged(summary))["one"], "extension-healthy").status == "NonCompliant"
    assert await world.run_until_ready(cluster, seconds=3600)
    await world.clock.advance(600)
    assert len(await world.operator.extensions(cluster)) == 1
    healed = await world.swept()
    assert healed.repairs.drifted == 0
    assert verdict_of((await world.judged(healed))["one"], "extension-healthy").status == "Compliant"


async def test_no_more_looks_are_asked_for_than_guard_yaml_allows() -> None:
    world = swept_world(repairs_per_sweep=1, stop_least=10)
    clusters = await world.protected("one", "two", "three")
    await world.swept()
    for cluster in clusters:
        await world.uninstall(cluster)
    await world.sweep()
    summary = await world.host.sweeps.latest()
    assert summary is not None
    assert (summary.repairs.drifted, summary.repairs.asked) == (3, 1)
    assert "2 more" in summary.repairs.held
    now = world.clock.now()
    asked = [cluster for cluster in clusters if (r := world.record(cluster)) and r.requested_at == now]
    assert len(asked) == 1


async def test_too_much_at_once_is_held_until_a_person_says_so() -> None:
    world = swept_world(stop_above=0.5, stop_least=2)
    clusters = await world.protected("one", "two", "three")
    await world.swept()
    for cluster in clusters[:2]:
        await world.uninstall(cluster)
    summary = await world.swept()
    assert (summary.repairs.drifted, summary.repairs.asked) == (2, 0)
    assert "person" in summary.repairs.held
    hold = await world.breaker.held()
    assert hold is not None
    assert (hold.clusters, hold.fleet, hold.sweep_id) == (2, 3, summary.sweep_id)
    alert = (await world.own_alerts())["RepairBreaker"]
    assert (alert.severity, alert.episode) == ("Error", 1)
    assert "approve" in alert.cause.recommended_action

    again = await world.swept()
    assert again.repairs.asked == 0
    assert await world.breaker.held() == hold
    assert (await world.own_alerts())["RepairBreaker"].episode == 1

    now = world.clock.now()
    await world.breaker.approve("ada", now, now + APPROVED_FOR)
    await world.overdue_timer()  # notices it, and sweeps
    assert "RepairBreaker" not in await world.own_alerts()
    repaired = await world.host.sweeps.latest()
    assert repaired is not None
    assert repaired.repairs.asked == repaired.repairs.drifted > 0
    await world.run(seconds=3600)
    for cluster in clusters:
        assert world.is_ready(cluster)
        assert len(await world.operator.extensions(cluster)) == 1


async def test_an_approval_lasts_a_day() -> None:
    world = swept_world(stop_above=0.1, stop_least=1)
    (cluster,) = await world.protected("one")
    await world.swept()
    now = world.clock.now()
    await world.breaker.approve("ada", now, now + APPROVED_FOR)
    await world.uninstall(cluster)
    assert (await world.swept()).repairs.asked == 1
    assert await world.run_until_ready(cluster, seconds=3600)
    await world.run(seconds=DAY, together=True)
    assert world.clock.now() > now + timedelta(days=1)
    await world.uninstall(cluster)
    summary = await world.swept()
    assert (summary.repairs.drifted, summary.repairs.asked) == (1, 0)
    assert await world.breaker.held() is not None


@pytest.mark.parametrize("mode", ["audit", "enforce"])
async def test_what_was_never_protected_is_no_drift(mode: str) -> None:
    profile = enforcing(mode=mode)
    world = SweptWorld(configuration=configuration_of(profile, sweep=SweepRules(stop_above=0, stop_least=1)))
    cluster = world.cluster("shop")
    await world.notice(cluster)
    await world.clock.advance(600)
    summary = await world.swept()
    assert summary.overall.no == 1
    assert summary.repairs.drifted == 0
    assert await world.breaker.held() is None
