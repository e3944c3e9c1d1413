"""A cluster is deleted, and perhaps one is made again under its ARM id: another cluster."""

import pytest

from shared.domain.ids import ClusterId
from tests.virtual.world import QUICK, VirtualWorld


async def protected(world: VirtualWorld) -> ClusterId:
    cluster = world.create_cluster(settled=True, name="shop")
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1200)
    return cluster


async def ready_again(world: VirtualWorld, cluster: ClusterId) -> bool:
    record = world.record(cluster)
    return world.is_ready(cluster) and record is not None and record.reborn_at is not None


async def test_recovery_points_of_a_deleted_cluster_are_kept_and_the_record_says_so() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = await protected(world)

    await world.operator.delete_cluster(cluster)
    await world.notice(cluster)
    said = await world.run_until_says(cluster, "Ready", "ClusterDeleted")

    assert said.status == "False"
    assert "recovery points are kept" in said.message
    assert len(await world.operator.recovery_points(cluster)) == 1
    record = world.record(cluster)
    assert record is not None
    assert record.deleted_at is not None
    assert record.due_at is None, "nothing is waited for"


@pytest.mark.parametrize("seen_deleted", [True, False])
@pytest.mark.parametrize("told", [True, False])
async def test_a_cluster_made_again_uses_the_old_instance_and_gets_its_own_recovery_point(
    seen_deleted: bool, told: bool
) -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = await protected(world)
    first = world.record(cluster)
    await world.operator.delete_cluster(cluster)
    if seen_deleted:
        await world.notice(cluster)
        await world.run_until_says(cluster, "Ready", "ClusterDeleted")
    world.create_cluster(settled=True, name="shop")
    if told:
        await world.notice(cluster)
    else:
        world.start_timer()

    assert await world.run(lambda: ready_again(world, cluster), seconds=1200 if told or seen_deleted else 2 * 86400)

    second = world.record(cluster)
    assert first is not None
    assert second is not None
    assert first.resource_uid != second.resource_uid == second.protected_uid
    assert len(await world.operator.instances(cluster)) == 1
    assert len(await world.operator.recovery_points(cluster)) == 2
    assert len(await world.operator.jobs_of(cluster)) == 2
    assert len(await world.operator.containers()) == 2, "a container holds one cluster's backups"


async def test_the_instance_of_a_cluster_made_again_is_validated_again() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = await protected(world)
    await world.operator.delete_cluster(cluster)
    world.create_cluster(settled=True, name="shop")
    world.cloud.front_door.calls.clear()
    await world.notice(cluster)
    assert await world.run(lambda: ready_again(world, cluster), seconds=1200)

    assert [c for c in world.operator.changes_by_the_app() if c.endswith("validateForBackup")]


async def test_a_cluster_deleted_while_it_is_being_protected_ends_quietly() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, name="shop")
    await world.notice(cluster)
    await world.run_until_says(cluster, "ExtensionReady", "Installing")
    await world.operator.delete_cluster(cluster)

    await world.run_until_says(cluster, "Ready", "ClusterDeleted", seconds=1200)
    await world.run(seconds=3600)
    record = world.record(cluster)
    assert record is not None
    assert record.due_at is None
    assert not record.steps.attempts


async def test_a_cluster_made_again_in_another_region_says_what_a_person_must_decide() -> None:
    """The instance of the old one holds its recovery points in a vault that cannot protect the new one."""
    world = VirtualWorld(timings=QUICK)
    cluster = await protected(world)
    await world.operator.delete_cluster(cluster)
    world.create_cluster(settled=True, name="shop", location="northeurope", resource_group=cluster.resource_group)
    await world.notice(cluster)
    await world.run(seconds=3600)

    said = world.condition(cluster)
    assert said.status == "False"
    assert said.recommended_action
    assert len(await world.operator.instances(cluster)) == 1
