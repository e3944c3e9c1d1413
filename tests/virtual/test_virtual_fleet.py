"""Fifty clusters in three regions at once, with throttles and slow roles."""

from collections import Counter
from dataclasses import replace

from shared.domain.ids import ClusterId
from simulator.timings import Timings
from tests.virtual.world import VirtualWorld

REGIONS = ("westeurope", "northeurope", "eastus2")
FLEET = 50
MOST_CALLS = 80
"""ARM calls a protected cluster may cost, the first of its region excepted."""


def calls_by_cluster(world: VirtualWorld, clusters: list[ClusterId]) -> Counter[str]:
    """Calls whose path names the cluster, its container or its instance; what a region's clusters share is not
    among them."""
    names = {cluster.name.lower(): cluster.arm_id for cluster in clusters}
    app = world.cloud.identity.app.object_id
    counted: Counter[str] = Counter()
    for call in world.cloud.front_door.calls.all():
        if call.principal in (app, None) and not call.path.lower().startswith("/simulator"):
            named = [arm_id for name, arm_id in names.items() if name in call.path.lower()]
            counted[named[0] if named else "shared"] += 1
    return counted


async def test_fifty_clusters_in_three_regions_with_throttles_and_slow_roles() -> None:
    world = VirtualWorld(timings=replace(Timings(), role_propagation=600))
    world.start_timer()
    for nth in range(20, 2000, 37):
        world.fault(nth=nth, status=429, code="TooManyRequests", retry_after=10)
    clusters = [world.create_cluster(REGIONS[n % 3], settled=True, name=f"aks-{n:02d}-x") for n in range(FLEET)]
    await world.notice(*clusters)

    assert await world.run_until_ready(*clusters, seconds=4 * 3600, together=True)

    operator = world.operator
    calls = world.cloud.front_door.calls.all()
    counted = calls_by_cluster(world, clusters)
    assert sorted(vault["location"] for vault in await operator.vaults()) == sorted(REGIONS)
    assert len(await operator.accounts()) == len(REGIONS)
    assert len(await operator.containers()) == FLEET
    for cluster in clusters:
        instances = await operator.instances(cluster)
        assert [one["properties"]["currentProtectionState"] for one in instances] == ["ProtectionConfigured"]
        assert len(await operator.recovery_points(cluster)) == 1
        assert len(await operator.jobs_of(cluster)) == 1
        assert len(await operator.bindings(cluster)) == len(await operator.extensions(cluster)) == 1
    assert set(Counter(await operator.grants()).values()) == {1}, "no role is given twice"
    assert any(call.status == 429 for call in calls), "the throttles did strike"

    whole = sum(counted.values()) / FLEET
    took = (world.clock.now() - world.records.all_now()[0].first_seen_at).total_seconds()
    print(
        f"\n{FLEET} clusters Ready after {took:.0f} "
        f"virtual seconds; ARM calls a cluster: {whole:.1f} in all, "
        f"{(sum(counted.values()) - counted['shared']) / FLEET:.1f} that name it"
    )
    assert whole <= MOST_CALLS


async def test_a_protected_fleet_is_left_in_peace() -> None:
    """A day of an idle cluster costs a handful of reads and no change."""
    world = VirtualWorld()
    clusters = [world.create_cluster(REGIONS[n % 3], settled=True) for n in range(6)]
    await world.notice(*clusters)
    assert await world.run_until_ready(*clusters, seconds=7200, together=True)
    await world.run(seconds=600, together=True)
    world.cloud.front_door.calls.clear()

    await world.run(seconds=86400 * 1.2, together=True)

    app = world.cloud.identity.app.object_id
    calls = [call for call in world.cloud.front_door.calls.all() if call.principal in (app, None)]
    assert not world.operator.changes_by_the_app()
    assert all(world.is_ready(cluster) for cluster in clusters)
    assert len(calls) / len(clusters) < 30
