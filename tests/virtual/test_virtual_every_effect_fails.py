"""What if we crash after this line? Asked of every line that has an effect.

Every effect on the way from a new cluster to its recovery point (calls that change Azure, writes of records, messages,
audit lines, quota) fails in turn, twice in a row: before it happens, or after it with its answer lost; by an error, or
by the death of the process. The world must come out the same."""

import os

import pytest

from shared.domain.ids import ClusterId
from shared.domain.profile import Retention
from tests.virtual.azure import Protection
from tests.virtual.effects import Effects, Failure, How, When
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

GROUPS = 6
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
VARIANTS: list[tuple[How, When, int]] = [("death", "before", 1), ("death", "after", 1), ("error", "after", 1)]
if DEEP:
    VARIANTS += [("error", "before", 1), ("death", "before", 0), ("death", "after", 0)]
    VARIANTS += [("error", "before", 0), ("error", "after", 0)]

each_variant = pytest.mark.parametrize(("how", "when", "again"), VARIANTS)


async def protected(failure: Failure | None = None) -> tuple[VirtualWorld, ClusterId]:
    """One cluster, from its event until it is Ready."""
    world = VirtualWorld(timings=QUICK, effects=Effects(failure))
    world.start_timer()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=4 * 3600), (failure, world.effects.struck)
    return world, cluster


async def born_again(failure: Failure | None = None) -> tuple[VirtualWorld, ClusterId]:
    """The cluster is deleted and made again under its old id, and nobody tells."""
    world = VirtualWorld(timings=QUICK, effects=Effects(failure))
    world.start_timer()
    cluster = world.create_cluster(settled=True, name="shop")
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=4 * 3600), (failure, world.effects.struck)
    await world.operator.delete_cluster(cluster)
    await world.notice(cluster)
    await world.run_until_says(cluster, "Ready", "ClusterDeleted")
    world.create_cluster(settled=True, name="shop")
    assert await world.run_until_ready(cluster, seconds=4 * 3600), (failure, world.effects.struck)
    return world, cluster


async def under_another_profile(failure: Failure | None = None) -> tuple[VirtualWorld, ClusterId]:
    """The profile is changed: rollout is counted, the instance gets another policy."""
    world = VirtualWorld(timings=QUICK, effects=Effects(failure))
    world.start_timer()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=4 * 3600), (failure, world.effects.struck)
    weekly = enforcing(retention=Retention(14), digest="second")
    world.restart(configuration_of(weekly, revision=2, digest="configuration-2"))
    await world.notice(cluster)

    async def settled() -> bool:
        record = world.record(cluster)
        return record is not None and record.configuration_revision == 2 and world.is_ready(cluster)

    assert await world.run(settled, seconds=4 * 3600), (failure, world.effects.struck)
    return world, cluster


async def world_of(world: VirtualWorld, cluster: ClusterId) -> Protection:
    assert len(world.queue) <= 2 * len(world.records.all_now()) + 4, "messages multiplied"
    return await world.operator.protection(cluster)


@each_variant
@pytest.mark.parametrize("group", range(GROUPS))
async def test_protecting_a_cluster_survives_the_failure_of_any_effect(
    group: int, how: How, when: When, again: int
) -> None:
    clean, cluster = await protected()
    expected = await world_of(clean, cluster)
    assert expected.on_demand_jobs == 1
    for number in range(1 + group, len(clean.effects.names) + 1, GROUPS):
        failure = Failure(number, when, how, again)
        world, cluster = await protected(failure)
        assert await world_of(world, cluster) == expected, (failure, world.effects.struck)


@pytest.mark.parametrize("how", ["death", "error"] if DEEP else ["death"])
@pytest.mark.parametrize("group", range(GROUPS))
async def test_protecting_a_cluster_made_again_survives_the_failure_of_any_effect(group: int, how: How) -> None:
    first_life, _ = await protected()
    clean, cluster = await born_again()
    expected = await world_of(clean, cluster)
    assert len(expected.instances) == 1
    assert expected.on_demand_jobs == 2
    begin = len(first_life.effects.names)
    for number in range(begin + 1 + group, len(clean.effects.names) + 1, GROUPS):
        failure = Failure(number, "after", how, again=1)
        world, cluster = await born_again(failure)
        assert await world_of(world, cluster) == expected, (failure, world.effects.struck)


@pytest.mark.parametrize("how", ["death", "error"] if DEEP else ["death"])
async def test_changing_a_profile_survives_the_failure_of_any_effect(how: How) -> None:
    before, _ = await protected()
    clean, cluster = await under_another_profile()
    expected = await world_of(clean, cluster)
    assert len(expected.policies) == 2
    for number in range(len(before.effects.names) + 1, len(clean.effects.names) + 1):
        failure = Failure(number, "after", how, again=1)
        world, cluster = await under_another_profile(failure)
        assert await world_of(world, cluster) == expected, (failure, world.effects.struck)


async def test_the_clean_run_has_every_kind_of_effect() -> None:
    """Else the enumeration above would prove less than it says."""
    world, _ = await under_another_profile()
    kinds = {name.split()[0] for name in world.effects.names}
    assert {"PUT", "POST", "save", "send", "append", "quota", "rollout"} <= kinds
