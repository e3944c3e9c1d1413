"""The memory of the backup extension's pod: too little of it ends jobs, and leaves its sign."""

import json
from typing import Any

import pytest

from simulator.http import Request, Response
from simulator.providers.kubernetes_configuration.memory import memory_needed_mi
from tests.contract.data_protection_world import CLUSTER, INSTANCE, VAULT, World

JOB_SECONDS = 184
RESTORE_SECONDS = 214
DURING_BACKUP = "UserErrorBackupPluginPodRestartedDuringBackup"
DURING_RESTORE = "UserErrorBackupPluginPodRestartedDuringRestore"
OTHER = CLUSTER.replace("/shop", "/other")


async def control(world: World, path: str, body: Any) -> Response:
    response = await world.cloud.respond(Request("POST", f"/simulator/{path}", body=json.dumps(body).encode()))
    assert response.status == 200, response.body
    return response


async def protected(resources: int) -> World:
    """A protected cluster with that many resources."""
    world = World()
    await world.ready()
    await control(world, "clusters/contents", {"cluster": CLUSTER, "resource_count": resources})
    await world.protect()
    return world


async def scheduled(world: World) -> str:
    (job_id,) = (await control(world, "schedule/run", {"cluster": CLUSTER})).body["ids"]
    return str(job_id)


async def backed_up(world: World) -> dict[str, Any]:
    return await world.job_after(await scheduled(world), JOB_SECONDS)


async def give(world: World, cluster: str = CLUSTER, **settings: str) -> str:
    """Change the extension's resources (`limits_memory="2Gi"`); the provisioning state it comes to."""
    extension = world.cloud.kubernetes_configuration.backup_extension(cluster)
    assert extension is not None
    wanted = {f"resources.{name.replace('_', '.')}": value for name, value in settings.items()}
    sent = {"properties": {"configurationSettings": wanted}}
    assert (await world.call("PATCH", extension.id, sent, "2025-03-01")).status == 202
    await world.clock.advance(world.cloud.timings.extension_update)
    return str((await world.call("GET", extension.id, version="2025-03-01")).body["properties"]["provisioningState"])


def codes(job: dict[str, Any]) -> list[str]:
    return [one["code"] for one in job["errorDetails"] or ()]


def reasons(world: World, cluster: str = CLUSTER) -> list[str]:
    return [end.reason for end in world.cloud.kubernetes_configuration.container_restarts(cluster)]


def test_how_much_memory_is_needed() -> None:
    assert memory_needed_mi(200) < memory_needed_mi(1_000) <= 1280 < memory_needed_mi(1_001)
    assert 2560 < memory_needed_mi(3_000) <= 4400


async def test_a_backup_of_too_many_resources_is_killed_on_its_way() -> None:
    world = await protected(3_000)
    before = world.cloud.kubernetes_configuration.running_container(CLUSTER)
    began = world.clock.now()
    job = await backed_up(world)
    assert (job["status"], codes(job)) == ("Failed", [DURING_BACKUP])
    assert job["errorDetails"][0]["recommendedAction"]
    assert job["duration"] == "PT1M50.4000000S"  # 60 % of its time
    assert (await world.read(f"{INSTANCE}/recoveryPoints"))["value"] == []
    (end,) = world.cloud.kubernetes_configuration.container_restarts(CLUSTER)
    now = world.cloud.kubernetes_configuration.running_container(CLUSTER)
    assert before is not None
    assert now is not None
    assert (end.reason, end.pod, end.started, end.restarts) == ("OOMKilled", before.pod, before.started, 1)
    assert began < end.finished < world.clock.now()
    assert (now.pod, now.started, now.restarts) == (before.pod, end.finished, 1)


async def test_each_rung_of_memory_is_tried_until_it_suffices() -> None:
    world = await protected(3_000)
    assert codes(await backed_up(world)) == [DURING_BACKUP]
    assert await give(world, limits_memory="2560Mi") == "Succeeded"
    assert codes(await backed_up(world)) == [DURING_BACKUP]
    assert await give(world, limits_memory="4400Mi") == "Succeeded"
    job = await backed_up(world)
    assert (job["status"], job["extendedInfo"]["additionalDetails"]["NumberOfResourcesBackedUp"]) == (
        "Completed", "3000"
    )  # fmt: skip
    assert reasons(world) == ["OOMKilled", "Completed", "OOMKilled", "Completed"]
    ends = world.cloud.kubernetes_configuration.container_restarts(CLUSTER)
    assert [end.restarts for end in ends] == [1, 1, 1, 1]  # a new pod counts from 0
    assert len({end.pod for end in ends}) == 2


@pytest.mark.parametrize("resources", [0, 1_000])
async def test_the_default_memory_is_enough_for_what_is_documented(resources: int) -> None:
    world = await protected(resources)
    assert (await backed_up(world))["status"] == "Completed"
    assert reasons(world) == []


async def test_a_patched_extension_loses_the_backup_without_a_sign_of_memory() -> None:
    world = await protected(200)
    job_id = await scheduled(world)
    await give(world, limits_memory="2Gi")
    assert codes(await world.job_after(job_id, JOB_SECONDS)) == [DURING_BACKUP]
    assert reasons(world) == ["Completed"]


@pytest.mark.parametrize("new_nodes", [{"node_image": "AKSUbuntu-new"}, {"node_size": "Standard_D8s_v5"}])
async def test_new_nodes_lose_the_backup_without_a_sign_of_memory(new_nodes: dict[str, str]) -> None:
    world = await protected(200)
    job_id = await scheduled(world)
    await world.clock.advance(10)
    pools = (await control(world, "clusters/nodes", {"cluster": CLUSTER, **new_nodes})).body["pools"]
    assert set(new_nodes.values()) <= {pools[0]["nodeImageVersion"], pools[0]["vmSize"]}
    assert codes(await world.job_after(job_id, JOB_SECONDS)) == [DURING_BACKUP]
    assert reasons(world) == ["Completed"]
    assert (await backed_up(world))["status"] == "Completed"


async def test_a_cluster_that_is_stopped_has_no_pod_until_it_is_started() -> None:
    world = await protected(200)
    extensions = world.cloud.kubernetes_configuration
    before = extensions.running_container(CLUSTER)
    for call, running in (("stop", False), ("start", True)):
        await world.call("POST", f"{CLUSTER}/{call}", version="2026-08-01")
        await world.clock.advance(world.cloud.timings.cluster_power)
        assert (extensions.running_container(CLUSTER) is not None) is running
    after = extensions.running_container(CLUSTER)
    assert before is not None
    assert after is not None
    assert (after.pod != before.pod, after.started, after.restarts) == (True, world.clock.now(), 0)
    assert reasons(world) == ["Completed"]
    assert (await backed_up(world))["status"] == "Completed"


async def test_more_nodes_of_the_same_kind_disturb_no_backup() -> None:
    world = await protected(200)
    job_id = await scheduled(world)
    await control(world, "clusters/nodes", {"cluster": CLUSTER, "count": 9})
    assert (await world.job_after(job_id, JOB_SECONDS))["status"] == "Completed"


@pytest.mark.parametrize("forced", [False, True])
async def test_an_extension_that_is_deleted_takes_the_backup_with_it(forced: bool) -> None:
    world = await protected(3_000)
    job_id = await scheduled(world)
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    await world.call("DELETE", f"{extension.id}?forceDelete={str(forced).lower()}", version="2025-03-01")
    await world.clock.advance(world.cloud.timings.extension_update)
    assert world.cloud.kubernetes_configuration.running_container(CLUSTER) is None
    assert codes(await world.job_after(job_id, JOB_SECONDS)) == ["UserErrorKubernetesBackupExtensionNotFoundError"]
    assert reasons(world) == ["Completed"]


async def test_an_extension_installed_anew_does_not_save_the_backup() -> None:
    world = await protected(200)
    job_id = await scheduled(world)
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    await world.clock.advance(1)
    await world.call("DELETE", f"{extension.id}?forceDelete=true", version="2025-03-01")
    world.extension()
    world.roles()
    assert codes(await world.job_after(job_id, JOB_SECONDS)) == [DURING_BACKUP]


async def test_a_killed_container_takes_every_backup_of_the_cluster_with_it() -> None:
    world = await protected(3_000)
    big = await scheduled(world)
    await world.clock.advance(60)
    wanted = {"cluster": CLUSTER, "operation": "Backup", "outcome": "completed"}
    beside = (await control(world, "jobs", wanted)).body["id"]
    assert codes(await world.job_after(big, JOB_SECONDS)) == [DURING_BACKUP]
    assert codes(await world.job_after(beside, JOB_SECONDS)) == [DURING_BACKUP]
    assert reasons(world) == ["OOMKilled"]


@pytest.mark.parametrize(("operation", "code"), [("Backup", DURING_BACKUP), ("Restore", DURING_RESTORE)])
async def test_an_oom_that_was_asked_for_leaves_the_sign_too(operation: str, code: str) -> None:
    world = await protected(200)
    wanted = {"cluster": CLUSTER, "operation": operation, "outcome": "oom"}
    job_id = (await control(world, "jobs", wanted)).body["id"]
    assert reasons(world) == []
    assert codes(await world.job_after(job_id, RESTORE_SECONDS)) == [code]
    assert reasons(world) == ["OOMKilled"]


async def restored(world: World, target: str) -> dict[str, Any]:
    """The job of a restore of the newest point, once it is over."""
    point = (await world.read(f"{INSTANCE}/recoveryPoints"))["value"][0]["name"]
    request = {
        "objectType": "AzureBackupRecoveryPointBasedRestoreRequest",
        "recoveryPointId": point,
        "sourceDataStoreType": "OperationalStore",
        "restoreTargetInfo": {
            "datasourceInfo": {"resourceID": target},
            "restoreCriteria": [{"objectType": "KubernetesClusterRestoreCriteria"}],
        },
    }
    triggered = await world.call("POST", f"{INSTANCE}/restore", request)
    assert triggered.status == 202, triggered.body
    job_id = (await world.done(triggered, 1))["properties"]["jobId"]
    (listed,) = [one for one in (await world.read(f"{VAULT}/backupJobs"))["value"] if one["id"] == job_id]
    assert listed["properties"]["status"] == "InProgress"
    return await world.job_after(job_id, RESTORE_SECONDS)


async def test_a_restore_needs_the_memory_in_the_cluster_it_goes_to() -> None:
    world = await protected(2_000)
    await give(world, limits_memory="2560Mi")
    assert (await backed_up(world))["status"] == "Completed"
    await world.cluster(OTHER)
    world.extension(OTHER)
    await world.trusted_access(OTHER)
    world.roles(OTHER)

    job = await restored(world, OTHER)
    assert (job["status"], codes(job)) == ("Failed", [DURING_RESTORE])
    assert (reasons(world), reasons(world, OTHER)) == (["Completed"], ["OOMKilled"])
    assert await give(world, OTHER, limits_memory="2560Mi") == "Succeeded"
    job = await restored(world, OTHER)
    assert (job["status"], job["extendedInfo"]["recoveryDestination"]) == ("Completed", OTHER)


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        ({"limits_memory": "4400Mi"}, "Succeeded"),
        ({"limits_memory": "4.5Gi", "requests_memory": "1G", "limits_cpu": "2", "requests_cpu": "750m"}, "Succeeded"),
        ({"limits_memory": "64Gi"}, "Succeeded"),  # more than a node has: a limit alone does no harm
        ({"limits_memory": "lots"}, "Failed"),
        ({"limits_memory": ""}, "Failed"),
        ({"limits_memory": "-1Gi"}, "Failed"),
        ({"limits_memory": "4400 Mi"}, "Failed"),
        ({"limits_memory": "1" * 400}, "Failed"),
        ({"limits_cpu": "fast"}, "Failed"),
        ({"requests_memory": "2Gi"}, "Failed"),  # above the default limit
        ({"limits_memory": "32Gi", "requests_memory": "15Gi"}, "Succeeded"),
        ({"limits_memory": "32Gi", "requests_memory": "17Gi"}, "Failed"),  # no node has it: the pod stays Pending
    ],
)
async def test_resources_that_the_extension_can_have(settings: dict[str, str], state: str) -> None:
    world = await protected(200)
    assert await give(world, **settings) == state
    job = await backed_up(world)
    assert codes(job) == ([] if state == "Succeeded" else ["UserErrorKubernetesBackupExtensionHasErrors"])
    assert await give(world, limits_memory="2Gi", requests_memory="256Mi", limits_cpu="1", requests_cpu="500m") == (
        "Succeeded"
    )
    assert (await backed_up(world))["status"] == "Completed"


async def test_a_pod_that_fits_no_node_is_told_as_helm_tells_it() -> None:
    world = await protected(200)
    await give(world, limits_memory="32Gi", requests_memory="17Gi")
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    assert extension.error is not None
    assert "timed out waiting for the condition" in extension.error["message"]
    await control(world, "clusters/nodes", {"cluster": CLUSTER, "node_size": "Standard_D8s_v5"})
    assert await give(world, requests_memory="17Gi") == "Succeeded"


async def test_a_limit_above_the_node_gives_no_more_than_the_node_has() -> None:
    world = await protected(10_000)
    await control(world, "clusters/nodes", {"cluster": CLUSTER, "node_size": "Standard_D2s_v5"})
    await give(world, limits_memory="64Gi")
    assert codes(await backed_up(world)) == [DURING_BACKUP]
    await control(world, "clusters/nodes", {"cluster": CLUSTER, "node_size": "Standard_D4s_v5"})
    assert (await backed_up(world))["status"] == "Completed"
