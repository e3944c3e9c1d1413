"""The fleet is judged: what holds, since when, what changed, and who is told."""

import pytest

from shared.domain.conditions import COMPLIANT
from shared.domain.errors import TransientError
from shared.domain.fleet import Scope
from shared.domain.profile import Alerting, ComplianceRules, Exemption, Selector
from shared.plan.compliance import scope as scopes
from shared.sweep import ask_for_sweep, sweep, told
from tests.fakes.topic import FakeTopic
from tests.virtual.sweep_world import DAY, OTHER, SweptWorld, verdict_of
from tests.virtual.world import configuration_of, enforcing


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each subscription is a batch of its own."""
    monkeypatch.setattr(scopes, "MOST_CLUSTERS", 1)


async def test_a_protected_fleet_is_found_so_and_programs_hear_of_it() -> None:
    world = SweptWorld()
    one, other = await world.protected("one", "other")
    (third,) = await world.protected("third", subscription=OTHER)
    summary = await world.swept()
    judged = await world.judged(summary)
    assert {name: each.restorable for name, each in judged.items()} == {"one": "Yes", "other": "Yes", "third": "Yes"}
    assert (summary.overall.clusters, summary.overall.yes, summary.overall.score) == (3, 3, 100.0)
    assert {name: tally.clusters for name, tally in summary.by_subscription.items()} == {
        one.subscription_id: 2,
        third.subscription_id: 1,
    }
    assert summary.subscription_names[OTHER] == "The second"
    assert summary.findings == ()
    assert summary.calls == sum(max(1, len(source.request_ids)) for source in summary.sources)
    (event,) = world.events("ComplianceSweepCompleted")
    assert event.data["overall"]["yes"] == 3
    assert event.id == summary.sweep_id
    assert world.events("ClusterVerdictChanged") == []
    record = world.record(other)
    assert record is not None
    assert COMPLIANT not in record.conditions  # there is nothing to say


async def test_since_when_and_what_changed_over_three_sweeps() -> None:
    world = SweptWorld(configuration=configuration_of(enforcing(compliance=ComplianceRules(alert_from=None))))
    (cluster,) = await world.protected("shop")
    first = await world.swept()
    await world.stop_protection(cluster)
    await world.clock.advance(DAY / 2)
    second = await world.swept()
    stopped = (await world.judged(second))["shop"]
    healthy = verdict_of(stopped, "protection-healthy")
    assert (healthy.status, stopped.restorable) == ("NonCompliant", "No")
    assert healthy.since is not None
    assert second.started_at <= healthy.since <= second.ended_at
    known = verdict_of(stopped, "extension-healthy").since
    assert known is not None
    assert first.started_at <= known <= first.ended_at

    await world.clock.advance(DAY / 2)
    third = await world.swept()
    assert verdict_of((await world.judged(third))["shop"], "protection-healthy").since == healthy.since
    changes = [change async for change in world.host.sweeps.changes(first.started_at)]
    assert ("protection-healthy", "Compliant", "NonCompliant") in {(c.control, c.before, c.after) for c in changes}
    of_second = [change for change in changes if change.sweep_id == second.sweep_id]
    assert second.changes == len(of_second) >= 1
    (event,) = [e for e in world.events("ClusterVerdictChanged") if e.data["sweepId"] == second.sweep_id]
    assert event.subject == cluster.arm_id
    assert len(event.data["changes"]) == len(of_second)
    assert len({e.id for e in world.events("ComplianceSweepCompleted")}) == 3


async def test_a_grave_verdict_opens_one_alert_and_its_end_resolves_it() -> None:
    """The loop has nothing to say about the cluster: only the sweep knows that no restore was ever tried."""
    rules = ComplianceRules(restored_within=14 * DAY, severities={"restored-lately": "Error"})
    world = SweptWorld(configuration=configuration_of(enforcing(compliance=rules)))
    (cluster,) = await world.protected("shop")
    await world.swept()
    await world.run(seconds=600)
    assert world.is_ready(cluster)
    (alert,) = (await world.alerts(cluster)).values()
    assert (alert.cause.key, alert.severity, alert.episode) == ("Condition:Compliant", "Error", 1)
    assert "restored-lately" in alert.cause.message
    condition = world.condition(cluster, COMPLIANT)

    await world.clock.advance(DAY)
    await world.swept()
    assert world.condition(cluster, COMPLIANT) == condition
    (alert,) = (await world.alerts(cluster)).values()
    assert alert.episode == 1

    lenient = enforcing(compliance=ComplianceRules(), digest="second")
    world.restart(configuration_of(lenient, revision=2, digest="configuration-2"))
    await world.swept()
    await world.run(seconds=600)
    assert await world.alerts(cluster) == {}
    assert world.condition(cluster, COMPLIANT).status == "True"


async def test_nobody_is_told_of_what_is_only_looked_on_or_exempt_or_slight() -> None:
    rules = ComplianceRules(restored_within=14 * DAY, severities={"restored-lately": "Error"})
    audit = enforcing(name="audit", mode="audit", compliance=rules)
    slight = enforcing(compliance=ComplianceRules(restored_within=14 * DAY))
    exempt = Exemption(Selector(names=("exempt",)), "is a toy")
    world = SweptWorld(configuration=configuration_of(slight, audit, exemptions=(exempt,)))
    (cluster,) = await world.protected("shop")
    others = [world.cluster("looked-on", tags={"aks-backup-guard-profile": "audit"}), world.cluster("exempt")]
    await world.notice(*others)
    await world.run(seconds=3600)
    summary = await world.swept()
    assert summary.overall.exempt == 1
    judged = await world.judged()
    assert verdict_of(judged["shop"], "restored-lately").status == "NonCompliant"
    assert verdict_of(judged["exempt"], "protected").status == "Exempt"
    for each in (cluster, *others):
        assert "Condition:Compliant" not in await world.alerts(each)


async def test_a_sweep_is_asked_for_once_and_the_timer_does_it() -> None:
    world = SweptWorld()
    await world.protected("shop")
    asked = await ask_for_sweep(world.host)
    again = await ask_for_sweep(world.host)
    assert (asked.begun, again.begun, again.sweep_id) == (True, False, asked.sweep_id)
    assert await world.host.sweeps.latest() is None
    await world.overdue_timer()
    summary = await world.host.sweeps.latest()
    assert summary is not None
    assert summary.sweep_id == asked.sweep_id
    await world.overdue_timer()
    assert await world.host.sweeps.summaries(5) == [summary]


async def test_what_azure_has_of_a_deleted_cluster_protects_no_other_of_its_name() -> None:
    world = SweptWorld()
    (cluster,) = await world.protected("shop")
    assert (await world.swept()).overall.yes == 1
    await world.drop_quietly(cluster)
    world.cluster("shop")
    await world.clock.advance(600)
    await world.swept()
    said = verdict_of((await world.judged())["shop"], "recovery-point-within-rpo")
    assert (said.status, said.reason) == ("Unknown", "PerhapsOfAnEarlierCluster"), "nobody has looked at it yet"
    record = world.record(cluster)
    assert record is not None
    assert record.reborn_at is not None, "the sweep has asked for a look"
    assert await world.run_until_ready(cluster, seconds=3600)
    await world.clock.advance(600)
    await world.swept()
    assert verdict_of((await world.judged())["shop"], "recovery-point-within-rpo").status == "Compliant"


async def test_a_day_whose_timer_failed_is_not_left_out() -> None:
    world = SweptWorld()
    world.cluster("shop")
    await world.overdue_timer()
    assert await world.host.sweeps.latest() is None, "the first one is the daily timer's, or somebody's"
    first = await world.swept()
    await world.clock.advance(25 * 3600)
    await world.overdue_timer()
    assert await world.host.sweeps.latest() == first, "the daily timer may be late"
    await world.clock.advance(3600)
    await world.overdue_timer()
    second = await world.host.sweeps.latest()
    assert second is not None
    assert second.sweep_id > first.sweep_id


async def test_exemptions_that_match_nothing_or_are_over_are_said() -> None:
    world = SweptWorld()
    now = world.clock.now()
    exemptions = (
        Exemption(Selector(names=("shop",)), "in use"),
        Exemption(Selector(names=("nobody",)), "a typing error"),
        Exemption(Selector(names=("shop",)), "was for a week", now),
    )
    world.restart(configuration_of(enforcing(), exemptions=exemptions))
    world.cluster("shop")
    await world.clock.advance(600)
    summary = await world.swept()
    found = [finding for finding in summary.findings if finding.control == "exemption-in-use"]
    assert [finding.reason for finding in found] == ["MatchesNothing", "Expired"]
    alert = (await world.own_alerts())["Fleet:exemption-in-use"]
    assert "nobody" in alert.cause.message
    world.restart(configuration_of(enforcing(), exemptions=exemptions[:1], revision=2, digest="configuration-2"))
    await world.swept()
    assert await world.own_alerts() == {}


async def test_a_topic_that_is_dead_holds_up_no_sweep_and_hears_of_all_later() -> None:
    class Dead(FakeTopic):
        dead = True

        async def publish_sweep(self, summary: object) -> None:
            if self.dead:
                raise TransientError("Down", "the topic is down")
            await super().publish_sweep(summary)  # type: ignore[arg-type]

    topic = Dead()
    world = SweptWorld(topic=topic)
    await world.protected("shop")
    first, second = await world.swept(), await world.swept()
    assert world.events("ComplianceSweepCompleted") == []
    topic.dead = False
    assert await told(world.host) in (1, 2)
    assert {event.id for event in world.events("ComplianceSweepCompleted")} >= {second.sweep_id}
    assert first.sweep_id != second.sweep_id
    count = len(world.events("ComplianceSweepCompleted"))
    assert await told(world.host) == 0
    assert len(world.events("ComplianceSweepCompleted")) == count


async def test_an_older_configuration_leaves_the_sweep_to_the_newer_which_begins_anew() -> None:
    world = SweptWorld()
    await world.protected("shop")
    old = world.host
    asked = await ask_for_sweep(old)
    newer = configuration_of(enforcing(alerts=Alerting()), revision=2, digest="configuration-2")
    world.restart(newer)
    swept = await sweep(world.host, begin=False)
    assert swept is not None
    assert swept.complete
    assert swept.sweep_id != asked.sweep_id
    await ask_for_sweep(world.host)
    assert await sweep(old, begin=True) is None


async def test_an_app_with_nothing_in_scope_judges_what_it_knows_and_adopts_nobody() -> None:
    world = SweptWorld(scope=Scope())
    empty = await world.swept()
    assert empty.overall.clusters == 0
    assert world.asked == []
    await world.protected("known")
    world.cluster("stranger")
    await world.clock.advance(600)
    await world.swept()
    assert set(await world.judged()) == {"known", "stranger"}
    await world.overdue_timer()
    assert {record.subject.key.rpartition("/")[2] for record in world.records.all_now()} & {"stranger"} == set()
