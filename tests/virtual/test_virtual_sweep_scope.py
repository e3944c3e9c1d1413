"""No cluster is lost, and none is believed to be gone before it is: unreadable, hidden, deleted, orphaned and unknown
ones."""

from dataclasses import replace

import pytest

from shared.domain.conditions import READY
from shared.domain.fleet import Scope
from shared.domain.profile import Exemption, Selector
from shared.plan.compliance import scope as scopes
from shared.sweep import is_in_scope, roll_call
from tests.virtual.azure import SUBSCRIPTION
from tests.virtual.sweep_world import DAY, DENIED, DOWN, OTHER, SweptWorld, finding_of, verdict_of
from tests.virtual.world import configuration_of, enforcing


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "MOST_CLUSTERS", 1)


@pytest.mark.parametrize("error", [DENIED, DOWN])
async def test_a_batch_that_cannot_be_listed_leaves_its_clusters_unknown(error: object) -> None:
    world = SweptWorld()
    await world.protected("here")
    await world.protected("there", subscription=OTHER)
    before = await world.swept()
    world.unreadable[OTHER] = error  # type: ignore[assignment]
    summary = await world.swept()
    judged = await world.judged(summary)
    assert {name: each.restorable for name, each in judged.items()} == {"here": "Yes", "there": "Unknown"}
    assert {(verdict.status, verdict.reason) for verdict in judged["there"].verdicts} == {("Unknown", "NotListed")}
    facts, unread = (await world.judged(before))["there"].facts, judged["there"].facts["unread"]
    assert judged["there"].facts == {**facts, "unread": unread}
    assert str(error) in str(unread), "the facts are those of the sweep before"
    found = finding_of(summary, "scope-readable")
    assert found is not None
    assert (found.subject, found.status) == (OTHER, "NonCompliant")
    alert = (await world.own_alerts())["Fleet:scope-readable"]
    assert OTHER in alert.cause.message
    assert world.confirmed == []

    world.unreadable.clear()
    healed = await world.swept()
    assert (healed.overall.yes, finding_of(healed, "scope-readable")) == (2, None)
    assert await world.own_alerts() == {}
    changes = [c async for c in world.host.sweeps.changes(before.started_at)]
    assert {(c.before, c.after) for c in changes} == {("Compliant", "Unknown"), ("Unknown", "Compliant")}


async def test_what_is_not_answered_at_once_is_asked_again_before_it_counts() -> None:
    world = SweptWorld()
    await world.protected("shop")
    world.unreadable[SUBSCRIPTION] = DOWN
    assert await world.sweep() is not None
    assert await world.host.sweeps.latest() is None
    world.unreadable.clear()
    summary = await world.swept()
    assert (summary.overall.yes, summary.findings) == (1, ())


async def test_a_named_subscription_that_does_not_show_is_said_and_its_clusters_are_kept() -> None:
    nowhere = "00000000-0000-0000-0000-00000000dead"
    world = SweptWorld(scope=Scope((SUBSCRIPTION, nowhere)))
    await world.protected("shop")
    summary = await world.swept()
    found = finding_of(summary, "scope-readable")
    assert found is not None
    assert found.subject == nowhere


async def test_a_cluster_that_is_hidden_is_asked_for_and_kept_as_unknown() -> None:
    world = SweptWorld()
    cluster, _ = await world.protected("hidden", "shown")
    await world.swept()
    world.hidden.add(cluster)
    for _ in range(2):
        summary = await world.swept()
        judged = await world.judged(summary)
        assert judged["hidden"].restorable == "Unknown"
        assert verdict_of(judged["hidden"], "protected").reason == "NotListed"
        found = finding_of(summary, "scope-complete")
        assert found is not None
        assert found.subject == SUBSCRIPTION
        assert "hidden" in found.message
    assert world.confirmed == [cluster, cluster]
    world.unreadable[cluster.arm_id] = DENIED
    assert verdict_of((await world.judged(await world.swept()))["hidden"], "protected").reason == "NotConfirmed"
    world.unreadable.clear()
    world.hidden.clear()
    assert finding_of(await world.swept(), "scope-complete") is None
    assert "Fleet:scope-complete" not in await world.own_alerts()


async def test_a_deleted_cluster_goes_without_a_word_when_the_guard_knows_of_it() -> None:
    world = SweptWorld()
    gone, _ = await world.protected("gone", "stays")
    await world.swept()
    await world.operator.delete_cluster(gone)
    await world.notice(gone)
    await world.run_until_says(gone, READY, "ClusterDeleted")
    await world.clock.advance(600)
    summary = await world.swept()
    assert set(await world.judged(summary)) == {"stays"}
    assert finding_of(summary, "scope-complete") is None
    assert world.confirmed == []
    found = finding_of(summary, "orphaned-instance")
    assert found is not None
    assert (found.status, found.reason) == ("NonCompliant", "ClusterDeleted")
    assert "orphaned" not in str(found.subject)
    assert "Fleet:orphaned-instance" in await world.own_alerts()


async def test_a_deletion_nobody_told_of_is_found_and_the_record_learns_it() -> None:
    world = SweptWorld()
    gone, _ = await world.protected("gone", "stays")
    await world.swept()
    await world.drop_quietly(gone)
    summary = await world.swept()
    assert set(await world.judged(summary)) == {"stays"}
    found = finding_of(summary, "scope-complete")
    assert found is not None
    assert "gone" in found.message
    record = world.record(gone)
    assert record is not None
    assert record.deleted_at is not None
    orphan = finding_of(summary, "orphaned-instance")
    assert orphan is not None
    assert orphan.status == "NonCompliant"
    assert finding_of(await world.swept(), "scope-complete") is None


async def test_an_instance_whose_cluster_nobody_can_tell_about_is_not_called_an_orphan() -> None:
    world = SweptWorld()
    (gone,) = await world.protected("gone")
    await world.drop_quietly(gone)
    world.unreadable[gone.arm_id] = DENIED
    summary = await world.swept()
    found = finding_of(summary, "orphaned-instance")
    assert found is not None
    assert (found.status, found.reason) == ("Unknown", "NotConfirmed")
    assert "Fleet:orphaned-instance" not in await world.own_alerts()


async def test_what_left_a_management_group_keeps_its_name_and_its_exemption_is_no_mistake() -> None:
    exempt = Exemption(Selector(names=("there",)), "moving")
    world = SweptWorld(configuration=configuration_of(enforcing(), exemptions=(exempt,)), scope=Scope((), ("landing",)))
    world.cloud.management.put("landing", None, None, [SUBSCRIPTION, OTHER])
    world.cluster("there", OTHER)
    await world.protected("here")
    assert (await world.swept()).findings == ()
    world.cloud.management.put("elsewhere", None, None, [OTHER])
    await world.clock.advance(600)
    summary = await world.swept()
    assert [finding.control for finding in summary.findings] == ["scope-complete"], (
        "that it matches nobody is not known"
    )
    assert summary.subscription_names[OTHER] == "The second"
    assert (await world.judged(summary))["there"].restorable == "Exempt"


async def test_what_a_management_group_holds_is_the_guards_business_too() -> None:
    world = SweptWorld(scope=Scope((), ("landing",)))
    world.cloud.management.put("landing", None, None, [OTHER])
    world.cluster("there", OTHER)
    await world.clock.advance(600)
    assert not await is_in_scope(OTHER, world.host), "before the first sweep nobody knows"
    await world.swept()
    assert await is_in_scope(OTHER.upper(), world.host)
    assert not await is_in_scope(SUBSCRIPTION, world.host)
    assert await is_in_scope(SUBSCRIPTION.upper(), replace(world.host, scope=Scope((SUBSCRIPTION,))))
    assert not await is_in_scope(OTHER, replace(world.host, scope=Scope((SUBSCRIPTION,))))


async def test_a_cluster_nobody_told_of_is_found_within_the_hour() -> None:
    world = SweptWorld()
    await roll_call(world.host)
    cluster, other = world.cluster("forgotten"), world.cluster("elsewhere", OTHER)
    world.start_timer()
    assert await world.run_until_ready(cluster, other, seconds=3600 + 1800)


async def test_the_roll_is_called_once_an_hour() -> None:
    world = SweptWorld()
    world.cluster("one")
    await world.clock.advance(600)
    assert await roll_call(world.host) == 1
    world.cluster("two")
    await world.clock.advance(3000)
    assert await roll_call(world.host) is None
    await world.clock.advance(600)
    assert await roll_call(world.host) == 1


async def test_the_roll_is_called_also_when_everything_is_stopped() -> None:
    world = SweptWorld(stopped=True)
    cluster = world.cluster("shop")
    world.start_timer()
    await world.run(seconds=1200)
    assert world.condition(cluster).reason == "EmergencyStop"
    summary = await world.swept()
    assert summary.overall.no == 1
    assert world.operator.changes_by_the_app() == [
        change for change in world.operator.changes_by_the_app() if "microsoft.resourcegraph" in change.lower()
    ]


async def test_a_sweep_finds_who_is_new_and_who_is_back() -> None:
    world = SweptWorld()
    (cluster,) = await world.protected("shop")
    await world.operator.delete_cluster(cluster)
    await world.notice(cluster)
    await world.run_until_says(cluster, READY, "ClusterDeleted")
    world.cluster("shop")
    new = world.cluster("new")
    await world.clock.advance(600)
    await world.swept()
    assert await world.run_until_ready(cluster, new, seconds=4 * 3600)


async def test_old_sweeps_are_forgotten_and_what_they_said_is_not() -> None:
    world = SweptWorld()
    await world.protected("shop")
    first = await world.swept()
    await world.clock.advance(91 * DAY)
    second = await world.swept()
    assert [each.sweep_id for each in await world.host.sweeps.summaries(9)] == [second.sweep_id, first.sweep_id]
    fresh = world.new_host().sweeps
    assert [each async for each in fresh.clusters(first.sweep_id)] == []
    await world.clock.advance(900 * DAY)
    third = await world.swept()
    assert first.sweep_id not in world.sweep_rows.partitions()
    assert {each.sweep_id for each in await world.host.sweeps.summaries(9)} >= {third.sweep_id}
