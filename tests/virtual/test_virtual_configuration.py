"""guard.yaml decides: who is left alone, who is only looked at, and how a change reaches the fleet."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.ids import ClusterId
from shared.domain.profile import (
    BackupSchedule,
    BackupScope,
    Configuration,
    Exemption,
    ProtectionProfile,
    Retention,
    Ring,
    Rollout,
    Selector,
)
from shared.plan import names
from shared.plan.selection import EXEMPT_TAG, PROFILE_TAG
from shared.wake import request_look
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing


def world_of(*profiles: ProtectionProfile, **changes: object) -> VirtualWorld:
    return VirtualWorld(configuration_of(*profiles, **changes), timings=QUICK)


def second_revision(*profiles: ProtectionProfile, **changes: object) -> Configuration:
    return configuration_of(*profiles, revision=2, digest="configuration-2", **changes)


def changed(**changes: object) -> ProtectionProfile:
    return enforcing(**{"retention": Retention(14), "digest": "second", **changes})


async def policy_of(world: VirtualWorld, cluster: ClusterId) -> str:
    instance = (await world.operator.instances(cluster))[0]
    return str(instance["properties"]["policyInfo"]["policyId"]).rsplit("/", 1)[-1]


async def test_audit_mode_observes_says_what_it_would_do_and_changes_nothing() -> None:
    world = world_of(enforcing(mode="audit"))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=3 * 86400)

    said = world.condition(cluster)
    assert (said.status, said.reason) == ("False", "AuditMode")
    assert "InstallExtension" in said.message
    assert not world.operator.changes_by_the_app()


async def test_in_audit_mode_no_condition_says_that_something_is_being_done() -> None:
    world = world_of(enforcing(mode="audit"))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=86400)

    record = world.record(cluster)
    assert record is not None
    regions = [r for r in world.records.all_now() if r.subject != cluster]
    assert regions
    said = [c for r in (record, *regions) for c in r.conditions.values() if c.status != "True"]
    assert not [c.message for c in said if " being " in c.message or "Creating" in (c.reason, c.message)]
    assert "CreateVault" in regions[0].conditions["RegionReady"].message


async def test_what_stands_in_the_way_of_an_audited_cluster_is_said_before_its_mode() -> None:
    world = world_of(enforcing(mode="audit"))
    cluster = world.create_cluster(settled=True, identity="ServicePrincipal")
    await world.notice(cluster)
    await world.run(seconds=3600)

    said = world.condition(cluster)
    assert said.reason == "ServicePrincipalCluster"
    assert "managed identity" in said.recommended_action


async def test_an_audited_cluster_does_not_make_its_region_act_for_a_profile_nobody_there_has() -> None:
    world = world_of(enforcing(name="watched", mode="audit"), enforcing(name="elsewhere"))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=86400)

    assert world.condition(cluster).reason == "AuditMode"
    assert not world.operator.changes_by_the_app()


async def test_a_protected_cluster_is_ready_in_audit_mode_too() -> None:
    world = world_of(enforcing())
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)
    world.cloud.front_door.calls.clear()

    world.restart(second_revision(enforcing(mode="audit", digest="second")))
    await world.notice(cluster)
    await world.run(seconds=86400)

    assert world.is_ready(cluster)
    assert not world.operator.changes_by_the_app()


async def test_the_emergency_stop_changes_nothing_and_ends() -> None:
    world = VirtualWorld(timings=QUICK, stopped=True)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=7200)
    assert world.condition(cluster).reason == "EmergencyStop"
    assert not world.operator.changes_by_the_app()

    world.restart(stopped=False)

    assert await world.run_until_ready(cluster, seconds=3600)


async def test_the_emergency_stop_in_the_middle_lets_nothing_new_begin() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run_until_says(cluster, "ExtensionReady", "Installing")

    world.restart(stopped=True)
    world.cloud.front_door.calls.clear()
    await world.run(seconds=7200)

    assert world.condition(cluster).reason == "EmergencyStop"
    assert not world.operator.changes_by_the_app()


@pytest.mark.parametrize("value", ["test cluster", ""])
async def test_a_cluster_exempt_by_tag_is_left_alone_until_the_tag_goes(value: str) -> None:
    world = world_of(enforcing())
    cluster = world.create_cluster(settled=True, tags={EXEMPT_TAG: value})
    await world.notice(cluster)
    await world.run(seconds=3600)
    assert world.condition(cluster).reason == "Exempt"
    assert not world.operator.changes_by_the_app()

    await world.operator.tag_cluster(cluster, other="tag")
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)


async def test_an_exemption_ends_when_it_expires() -> None:
    start = VirtualWorld().clock.now()
    exemption = Exemption(Selector(names=("aks-*",)), "migration", expires=start + timedelta(hours=3))
    world = world_of(enforcing(), exemptions=(exemption,))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=2 * 3600)
    assert "migration" in world.condition(cluster).message
    assert not world.operator.changes_by_the_app()

    assert await world.run_until_ready(cluster, seconds=2 * 3600)


async def test_a_short_lived_cluster_is_left_alone() -> None:
    world = world_of(enforcing(minimum_age=3600.0))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=3000)
    assert world.condition(cluster).reason == "TooYoung"
    assert not world.operator.changes_by_the_app()

    assert await world.run_until_ready(cluster, seconds=3600)


async def test_a_tag_that_names_an_unknown_profile_is_said_and_nothing_is_guessed() -> None:
    world = world_of(enforcing())
    cluster = world.create_cluster(settled=True, tags={PROFILE_TAG: "gold"})
    await world.notice(cluster)
    await world.run(seconds=3600)

    said = world.condition(cluster)
    assert said.reason == "UnknownProfile"
    assert "standard" in said.recommended_action
    assert not world.operator.changes_by_the_app()


async def test_a_tag_chooses_another_profile() -> None:
    world = world_of(enforcing(), enforcing(name="daily", schedule=BackupSchedule("PT4H"), digest="daily"))
    plain, tagged = world.create_cluster(settled=True), world.create_cluster(settled=True, tags={PROFILE_TAG: "daily"})
    await world.notice(plain, tagged)
    assert await world.run_until_ready(plain, tagged, seconds=1200)
    assert await policy_of(world, plain) != await policy_of(world, tagged)


async def test_a_changed_policy_moves_the_instance_to_it() -> None:
    world = world_of(enforcing())
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)
    before = await policy_of(world, cluster)

    world.restart(second_revision(changed()))
    await world.notice(cluster)
    await world.run_until_says(cluster, "ProtectionConfigured", "ChangingPolicy")
    assert await world.run_until_ready(cluster, seconds=900)

    assert await policy_of(world, cluster) != before
    assert len(await world.operator.instances(cluster)) == 1
    assert len(await world.operator.jobs_of(cluster)) == 1, "it has its recovery point"


async def test_a_changed_scope_is_put_on_the_instance_once() -> None:
    world = world_of(enforcing())
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)

    world.restart(second_revision(enforcing(scope=BackupScope(included_namespaces=("shop",)), digest="second")))
    world.cloud.front_door.calls.clear()
    await world.notice(cluster)
    await world.run_until_says(cluster, "ProtectionConfigured", "ChangingScope")
    assert await world.run_until_ready(cluster, seconds=900)
    await world.run(seconds=3 * 86400)

    parameters = (await world.operator.instances(cluster))[0]["properties"]["policyInfo"]["policyParameters"]
    assert parameters["backupDatasourceParametersList"][0]["includedNamespaces"] == ["shop"]
    assert len(world.operator.changes_by_the_app()) == 1, "one PUT, and none on the following days"


async def test_an_outdated_look_at_a_region_leaves_no_word_behind_once_it_is_deployed_right() -> None:
    world = world_of(enforcing())
    cluster = world.create_cluster(settled=True)
    old = world.configuration
    world.restart(second_revision(enforcing()))
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)
    region = next(r.subject for r in world.records.all_now() if r.subject != cluster)

    world.restart(old)
    await request_look(region, world.host)
    await world.run(seconds=60)
    outdated = world.record(region)
    assert outdated is not None
    assert {c.reason for c in outdated.conditions.values()} == {"ConfigurationOutdated"}

    world.restart(second_revision(enforcing()))
    await world.run(seconds=3600)
    mended = world.record(region)
    assert mended is not None
    assert {c.status for c in mended.conditions.values()} == {"True"}


async def test_an_instance_with_an_older_configuration_never_acts() -> None:
    world = world_of(enforcing())
    cluster = world.create_cluster(settled=True)
    old = world.configuration
    world.restart(second_revision(changed()))
    await world.notice(cluster)
    await world.step()
    await world.run(seconds=1)

    world.restart(old)
    world.cloud.front_door.calls.clear()
    await world.run(seconds=3600)

    assert world.condition(cluster).reason == "ConfigurationOutdated"
    assert not [c for c in world.operator.changes_by_the_app() if cluster.name in c]


async def test_a_change_without_a_new_revision_stops_and_says_so() -> None:
    world = world_of(enforcing())
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.step()
    world.cloud.front_door.calls.clear()

    world.restart(replace(world.configuration, digest="edited"))
    await world.run(seconds=3600)

    said = world.condition(cluster)
    assert said.reason == "RevisionNotRaised"
    assert "revision" in said.recommended_action
    assert not [c for c in world.operator.changes_by_the_app() if cluster.name in c]


async def fleet_under_a_change(world: VirtualWorld, called: list[str], rollout: Rollout) -> list[ClusterId]:
    """Protected clusters whose profile then changes."""
    clusters = [world.create_cluster(settled=True, name=name) for name in called]
    await world.notice(*clusters)
    assert await world.run_until_ready(*clusters, seconds=1800, together=True)
    world.restart(second_revision(changed(), rollout=rollout))
    await world.notice(*clusters)
    return clusters


async def who_changed(world: VirtualWorld, clusters: list[ClusterId]) -> list[str]:
    """Names of those whose instance has the policy of the changed profile."""
    new = names.policy_id("vault", changed()).rsplit("/", 1)[-1]
    return sorted([cluster.name for cluster in clusters if await policy_of(world, cluster) == new])


async def test_the_circuit_breaker_stops_a_change_until_a_person_raises_it() -> None:
    world = world_of(enforcing())
    clusters = await fleet_under_a_change(world, ["one", "two", "three", "four"], Rollout(stop_after=2))
    await world.run(seconds=4 * 3600, together=True)

    assert len(await who_changed(world, clusters)) == 2
    held = [c for c in clusters if world.condition(c).reason == "CircuitBreakerOpen"]
    assert len(held) == 2
    assert "stop_after" in world.condition(held[0]).recommended_action

    third = replace(world.configuration, revision=3, digest="configuration-3", rollout=Rollout(stop_after=4))
    world.restart(third)

    async def all_changed() -> bool:
        return len(await who_changed(world, clusters)) == 4

    assert await world.run(all_changed, seconds=4 * 3600, together=True)
    assert await world.run_until_ready(*clusters, seconds=3600, together=True)


async def test_a_change_keeps_its_pace() -> None:
    world = world_of(enforcing())
    clusters = await fleet_under_a_change(world, ["one", "two", "three"], Rollout(clusters_per_hour=1))
    await world.run(seconds=1800)
    assert len(await who_changed(world, clusters)) == 1
    await world.run(seconds=3600)
    assert len(await who_changed(world, clusters)) == 2
    await world.run(seconds=3900)
    assert len(await who_changed(world, clusters)) == 3


async def test_a_change_goes_ring_by_ring() -> None:
    rings = (
        Ring("canary", Selector(names=("canary-*",))),
        Ring("everybody", Selector(), wait=7200),
    )
    world = world_of(enforcing())
    clusters = await fleet_under_a_change(world, ["shop", "canary-1"], Rollout(rings=rings))
    await world.run(seconds=3600)
    assert await who_changed(world, clusters) == ["canary-1"]
    assert world.condition(clusters[0]).reason == "WaitingForRing"

    await world.run(seconds=3 * 3600)
    assert await who_changed(world, clusters) == ["canary-1", "shop"]


async def test_a_ring_opens_although_no_cluster_is_in_the_ring_before_it() -> None:
    rings = (Ring("canary", Selector(names=("canary-*",)), wait=600), Ring("everybody", Selector(), wait=7200))
    world = world_of(enforcing())
    clusters = await fleet_under_a_change(world, ["shop"], Rollout(rings=rings))
    await world.run(seconds=4 * 3600)
    assert await who_changed(world, clusters) == ["shop"]


async def test_a_new_cluster_does_not_wait_for_the_rollout() -> None:
    world = world_of(enforcing(), rollout=Rollout(stop_after=0, clusters_per_hour=0))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)


async def test_a_failed_step_gets_a_new_chance_when_the_profile_changes() -> None:
    """The vault tier is refused where the region has none (invalid for ever), until guard.yaml says otherwise."""
    world = world_of(enforcing(retention=Retention(7, 4000)))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    said = await world.run_until_says(cluster, "RegionReady", "BMSUserErrorInvalidInput")
    assert said.recommended_action
    await world.run(seconds=3600)
    puts = [c for c in world.operator.changes_by_the_app() if "/backupPolicies/" in c]
    assert len(puts) == 1, "an impossible profile is not tried again and again"

    world.restart(second_revision(enforcing(retention=Retention(7, 90), digest="second")))
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1800)


async def test_a_cluster_that_waits_for_a_changed_profile_is_still_ready() -> None:
    world = world_of(enforcing())
    clusters = await fleet_under_a_change(world, ["one", "two"], Rollout(stop_after=1))
    await world.run(seconds=4 * 3600, together=True)

    held = [c for c in clusters if world.condition(c).reason == "CircuitBreakerOpen"]
    assert len(held) == 1
    assert world.is_ready(held[0])
