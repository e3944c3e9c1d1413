"""Clusters that Azure Backup cannot protect as they are: said plainly, left alone, picked up when they change."""

from typing import Any

import pytest

from tests.virtual.azure import AKS
from tests.virtual.world import QUICK, VirtualWorld

OBSTACLES: list[tuple[dict[str, Any], str, str]] = [
    ({"identity": "ServicePrincipal"}, "ServicePrincipalCluster", "--enable-managed-identity"),
    ({"power": "Stopped"}, "ClusterStopped", "Start the cluster"),
    ({"provisioning_state": "Failed"}, "ClusterFailed", "az aks update"),
    ({"disk_csi": False}, "DiskCsiDriverDisabled", "--enable-disk-driver"),
    ({"snapshot_controller": False}, "SnapshotControllerDisabled", "--enable-snapshot-controller"),
    ({"windows_only": True}, "NoX86LinuxPool", "x86 Linux node pool"),
    ({"arm64_only": True}, "NoX86LinuxPool", "x86 Linux node pool"),
    ({"outbound_type": "none"}, "NetworkIsolated", "outbound type"),
    ({"pod_identity": True}, "PodIdentity", "AzurePodIdentityException"),
    ({"kubernetes_version": "1.20.9"}, "KubernetesTooOld", "Upgrade"),
]


@pytest.mark.parametrize(("overrides", "reason", "action"), OBSTACLES)
async def test_an_obstacle_is_a_condition_with_a_reason_and_what_to_do(
    overrides: dict[str, Any], reason: str, action: str
) -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, **overrides)
    await world.notice(cluster)
    await world.run(seconds=7200)

    said, ready = world.condition(cluster, "PrerequisitesMet"), world.condition(cluster)
    assert (said.status, said.reason) == ("False", reason)
    assert action in said.recommended_action
    assert (ready.status, ready.reason, ready.recommended_action) == ("False", reason, said.recommended_action)
    assert not world.operator.changes_by_the_app(), "no vault is made for a cluster that cannot be protected"


async def test_null_storage_drivers_mean_that_they_are_on() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, disk_csi=None, snapshot_controller=None)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)


async def test_a_user_assigned_identity_is_as_good() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, identity="UserAssigned")
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)


@pytest.mark.parametrize("told", [True, False])
async def test_a_stopped_cluster_is_protected_once_it_is_started(told: bool) -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, power="Stopped")
    await world.notice(cluster)
    await world.run_until_says(cluster, "Ready", "ClusterStopped")

    await world.operator.start_cluster(cluster)
    if told:
        await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=900 if told else 3600)


async def test_a_service_principal_cluster_is_protected_once_it_has_an_identity() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, snapshot_controller=False)
    await world.notice(cluster)
    await world.run_until_says(cluster, "Ready", "SnapshotControllerDisabled")

    body = await world.operator.get(cluster.arm_id, AKS)
    body["properties"]["storageProfile"]["snapshotController"] = {"enabled": True}
    await world.operator.do("PUT", cluster.arm_id, AKS, body)
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=900)


@pytest.mark.parametrize("failure", ["HelmPostInstallTimeout", "BackoffLimitExceeded", "DNS"])
async def test_an_extension_that_does_not_come_up_is_said_in_its_own_words_and_tried_again(failure: str) -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, extension_failure=failure, extension_failure_times=2)
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "ExtensionReady", "ExtensionFailed")
    words = {
        "HelmPostInstallTimeout": "timed out",
        "BackoffLimitExceeded": "BackoffLimitExceeded",
        "DNS": "no such host",
    }
    assert words[failure].lower() in said.message.lower()
    assert said.recommended_action
    assert not await world.operator.instances(cluster)

    assert await world.run_until_ready(cluster, seconds=2 * 3600)
    assert len(await world.operator.extensions(cluster)) == 1


async def test_an_extension_that_never_comes_up_is_tried_at_growing_intervals() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, extension_failure="DNS", extension_failure_times=1000)
    await world.notice(cluster)
    await world.run(seconds=86400)

    puts = [c for c in world.operator.changes_by_the_app() if c.startswith("PUT") and "/extensions/" in c]
    assert 5 <= len(puts) <= 40, "an hour apart in the end"
    assert world.condition(cluster).reason == "ExtensionFailed"
