"""A cluster appears and is protected, however the news of it travels."""

from dataclasses import replace

from simulator.timings import Timings
from tests.virtual.azure import ROOT
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing


async def test_a_new_cluster_has_one_healthy_instance_and_a_recovery_point() -> None:
    world = VirtualWorld()
    cluster = world.create_cluster(settled=True)

    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=1200)
    protection = await world.operator.protection(cluster)
    assert [state for _, state in protection.instances] == ["ProtectionConfigured"]
    assert [state for _, state in protection.extensions] == ["Succeeded"]
    assert len(protection.bindings) == len(protection.vaults) == len(protection.accounts) == 1
    assert (protection.on_demand_jobs, protection.recovery_points) == (1, 1)
    assert all(times == 1 for _, times in protection.roles)


async def test_vault_and_storage_account_lie_apart_from_the_group_that_clusters_may_write() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster)

    backup_group = {x["id"].split("/")[4] for x in [*await world.operator.vaults(), *await world.operator.accounts()]}
    instance = (await world.operator.instances(cluster))[0]
    parameters = instance["properties"]["policyInfo"]["policyParameters"]["dataStoreParametersList"]

    assert backup_group == {"AKSAzureBackup_westeurope"}
    assert parameters[0]["resourceGroupId"] == f"{ROOT}/resourceGroups/AKSAzureBackupSnapshots_westeurope"


async def test_a_cluster_still_being_created_is_waited_for() -> None:
    world = VirtualWorld(timings=replace(QUICK, cluster_write=600))
    cluster = world.create_cluster()
    await world.notice(cluster)

    waiting = await world.run_until_says(cluster, "PrerequisitesMet", "ClusterNotSettled", seconds=60)
    assert waiting.status == "False"
    assert not await world.operator.extensions(cluster)

    assert await world.run_until_ready(cluster, seconds=1500)


async def test_two_clusters_of_a_region_share_its_vault_and_account() -> None:
    world = VirtualWorld(timings=QUICK)
    clusters = [world.create_cluster(settled=True) for _ in range(2)]
    await world.notice(*clusters)

    assert await world.run_until_ready(*clusters, together=True)

    assert len(await world.operator.vaults()) == len(await world.operator.accounts()) == 1
    containers = {container["name"] for container in await world.operator.containers()}
    assert len(containers) == 2
    for cluster in clusters:
        assert len(await world.operator.instances(cluster)) == 1
        assert len(await world.operator.jobs_of(cluster)) == 1


async def test_nothing_is_ready_before_azure_says_so_and_has_a_recovery_point() -> None:
    """At every step: Ready=True implies a configured instance and a recovery point that an operator can see."""
    world = VirtualWorld(timings=replace(Timings(), configure_protection=300, backup_job=1500))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)

    while not world.is_ready(cluster):
        assert await world.step()
    protection = await world.operator.protection(cluster)
    assert [state for _, state in protection.instances] == ["ProtectionConfigured"]
    assert protection.recovery_points == 1


async def test_without_a_first_backup_the_schedule_takes_it() -> None:
    world = VirtualWorld(configuration_of(enforcing(first_backup=False)), timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run_until_says(cluster, "BackupHealthy", "WaitingForSchedule")
    assert not await world.operator.jobs_of(cluster)

    world.cloud.data_protection.run_schedule(cluster.arm_id)

    assert await world.run_until_ready(cluster)
    assert not await world.operator.jobs_of(cluster)


async def test_a_first_backup_that_fails_is_tried_again_and_then_left_to_the_schedule() -> None:
    """The snapshot group is locked while the backup runs: every backup of that hour fails."""
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run_until_says(cluster, "BackupHealthy", "FirstBackupRunning")
    lock = await world.operator.lock(f"{ROOT}/resourceGroups/AKSAzureBackupSnapshots_westeurope")

    await world.run_until_says(cluster, "BackupHealthy", "UserErrorSnapshotResourceGroupHasLocks")
    await world.run(seconds=6 * 3600)
    assert len(await world.operator.jobs_of(cluster)) == 3
    assert "lock" in world.condition(cluster).recommended_action.lower()

    await world.operator.unlock(lock)
    assert await world.run_until_ready(cluster, seconds=2 * 86400)
    assert len(await world.operator.jobs_of(cluster)) == 4


async def test_a_recovery_point_that_has_grown_old_is_said() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=3600)
    await world.run(seconds=5 * 86400)  # nothing runs the schedule

    assert world.condition(cluster, "BackupHealthy").reason == "RecoveryPointTooOld"
    assert not world.is_ready(cluster)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    assert await world.run_until_ready(cluster, seconds=2 * 86400)
