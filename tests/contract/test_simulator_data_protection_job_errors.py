"""What is taken from a protected cluster over ARM ends its next job with the documented code."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from simulator.http import Request
from simulator.providers.data_protection.models import Job, Vault
from tests.contract.data_protection_world import (
    ACCOUNT,
    BLOB_DATA_CONTRIBUTOR,
    CLUSTER,
    CONTAINER,
    CONTRIBUTOR,
    INSTANCE,
    READER,
    SNAPSHOT_GROUP,
    SUBSCRIPTION,
    VAULT,
    World,
)

JOB_SECONDS = 184
RESTORE_SECONDS = 214
EXTENSIONS = "2025-03-01"


@pytest.fixture
async def world() -> World:
    made = World()
    await made.ready()
    await made.protect()
    return made


async def backed_up(world: World) -> dict[str, Any]:
    (job_id,) = (await world.cloud.respond(Request("POST", "/simulator/schedule/run"))).body["ids"]
    return await world.job_after(job_id, JOB_SECONDS)


def code(job: dict[str, Any]) -> str | None:
    """The job's error, which says what to do."""
    if job["errorDetails"] is None:
        return None
    (error,) = job["errorDetails"]
    assert error["message"]
    assert error["recommendedAction"]
    return str(error["code"])


async def take_role(world: World, role: str, scope: str, principal: str | None) -> None:
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
    found = (await world.call("GET", path, version="2022-04-01")).body["value"]
    held = [
        one["id"]
        for one in found
        if one["properties"]["principalId"] == principal and one["properties"]["roleDefinitionId"].endswith(role)
    ]
    assert len(held) == 1
    assert (await world.call("DELETE", held[0], version="2022-04-01")).status == 200


def vault_identity(world: World) -> str | None:
    vault = world.cloud.data_protection.vault(VAULT)
    return None if vault is None else vault.principal_id


async def vault_reader(world: World) -> None:
    await take_role(world, READER, CLUSTER, vault_identity(world))


async def storage_role(world: World) -> None:
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    await take_role(world, BLOB_DATA_CONTRIBUTOR, ACCOUNT, extension.aks_identity_principal_id)


async def snapshot_reader(world: World) -> None:
    await take_role(world, READER, SNAPSHOT_GROUP, vault_identity(world))


async def snapshot_contributor(world: World) -> None:
    cluster = world.cloud.container_service.cluster(CLUSTER)
    assert cluster is not None
    await take_role(world, CONTRIBUTOR, SNAPSHOT_GROUP, cluster.principal_id)


async def extension_gone(world: World) -> None:
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    await world.call("DELETE", extension.id, version=EXTENSIONS)
    await world.clock.advance(world.cloud.timings.extension_update)


async def extension_failed(world: World) -> None:
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    sent = {"properties": {"configurationSettings": {"credentials.tenantId": ""}}}
    await world.call("PATCH", extension.id, sent, EXTENSIONS)
    await world.clock.advance(world.cloud.timings.extension_update)


async def binding_gone(world: World) -> None:
    await world.call("DELETE", f"{CLUSTER}/trustedAccessRoleBindings/vault", version="2026-08-01")
    await world.clock.advance(world.cloud.timings.trusted_access_write)


async def container_gone(world: World) -> None:
    assert (await world.call("DELETE", CONTAINER, version="2024-01-01")).status == 200


async def lock(world: World) -> None:
    path = f"{SNAPSHOT_GROUP}/providers/Microsoft.Authorization/locks/keep"
    assert (await world.call("PUT", path, {"properties": {"level": "ReadOnly"}}, "2020-05-01")).status == 201


async def cluster_stopped(world: World) -> None:
    await world.call("POST", f"{CLUSTER}/stop", version="2026-08-01")
    await world.clock.advance(world.cloud.timings.cluster_power)


async def cluster_gone(world: World) -> None:
    await world.call("DELETE", CLUSTER, version="2026-08-01")
    await world.clock.advance(world.cloud.timings.cluster_write)


async def snapshot_group_gone(world: World) -> None:
    await world.call("DELETE", SNAPSHOT_GROUP, version="2021-04-01")
    await world.clock.advance(world.cloud.timings.resource_group_delete)


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        (vault_reader, "KubernetesBackupListExtensionsError"),
        (storage_role, "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation"),
        (snapshot_reader, "UserErrorKubernetesBackupExtensionUnhealthy"),
        (snapshot_contributor, "UserErrorKubernetesBackupExtensionUnhealthy"),
        (extension_gone, "UserErrorKubernetesBackupExtensionNotFoundError"),
        (extension_failed, "UserErrorKubernetesBackupExtensionHasErrors"),
        (binding_gone, "UserErrorTrustedAccessGatewayReturnedForbidden"),
        (container_gone, "UserErrorNoDefaultBackupStorageLocationFound"),
        (lock, "UserErrorSnapshotResourceGroupHasLocks"),
        (snapshot_group_gone, "UserErrorSnapshotResourceGroupNotFound"),
        (cluster_stopped, "UserErrorKubernetesBackupClusterIsStopped"),
        (cluster_gone, "UserErrorKubernetesClusterNotFound"),
    ],
)
async def test_what_is_taken_away_fails_the_next_backup(
    world: World, take: Callable[[World], Awaitable[None]], expected: str
) -> None:
    assert code(await backed_up(world)) is None
    await take(world)
    job = await backed_up(world)
    assert (job["status"], code(job)) == ("Failed", expected)
    assert job["extendedInfo"]["targetRecoverPoint"] is None
    assert "NumberOfResourcesBackedUp" not in job["extendedInfo"]["additionalDetails"]
    assert len((await world.read(f"{INSTANCE}/recoveryPoints"))["value"]) == 1


async def test_what_is_taken_away_fails_the_next_restore_too(world: World) -> None:
    await backed_up(world)
    await storage_role(world)
    job_id = await restore(world)
    assert code(await world.job_after(job_id, RESTORE_SECONDS)) == (
        "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation"
    )


async def test_a_role_given_again_cures_once_it_has_spread(world: World) -> None:
    await storage_role(world)
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_DATA_CONTRIBUTOR}"
    properties = {"roleDefinitionId": role, "principalId": extension.aks_identity_principal_id}
    path = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/{'0' * 7}1-0000-4000-8000-000000000000"
    given = {"properties": {**properties, "principalType": "ServicePrincipal"}}
    assert (await world.call("PUT", path, given, "2022-04-01")).status == 201
    assert code(await backed_up(world)) == "UserErrorBackupStorageLocationNotReady"
    await world.clock.advance(world.cloud.timings.role_propagation)
    assert code(await backed_up(world)) is None


async def test_a_patch_cures_an_extension_that_failed(world: World) -> None:
    await extension_failed(world)
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    sent = {"properties": {"configurationSettings": {"credentials.tenantId": world.cloud.identity.tenant_id}}}
    await world.call("PATCH", extension.id, sent, EXTENSIONS)
    await world.clock.advance(world.cloud.timings.extension_update)
    assert code(await backed_up(world)) is None


async def restore(world: World) -> str:
    point = (await world.read(f"{INSTANCE}/recoveryPoints"))["value"][0]["name"]
    request = {
        "objectType": "AzureBackupRecoveryPointBasedRestoreRequest",
        "recoveryPointId": point,
        "sourceDataStoreType": "OperationalStore",
        "restoreTargetInfo": {
            "datasourceInfo": {"resourceID": CLUSTER},
            "restoreCriteria": [{"objectType": "KubernetesClusterRestoreCriteria"}],
        },
    }
    return str((await world.done(await world.call("POST", f"{INSTANCE}/restore", request), 1))["properties"]["jobId"])


async def test_jobs_are_seen_while_they_run_and_told_of_when_they_end(world: World) -> None:
    told: list[tuple[str, str, str]] = []

    def tell(vault: Vault, job: Job) -> None:
        told.append((vault.id, job.operation, job.status))

    world.cloud.data_protection.on_job_ended.append(tell)
    await backed_up(world)
    await world.cloud.respond(Request("POST", "/simulator/schedule/run"))
    await world.clock.advance(1)
    await restore(world)

    running = (await world.read(f"{VAULT}/backupJobs"))["value"]
    assert [(one["properties"]["operation"], one["properties"]["status"]) for one in running] == [
        ("Restore", "InProgress"), ("Backup", "InProgress"), ("Backup", "Completed")
    ]  # fmt: skip
    for one in running[:2]:
        properties = (await world.read(one["id"]))["properties"]
        (task,) = properties["extendedInfo"]["subTasks"]
        assert (task["taskName"], task["taskStatus"]) == (f"Trigger {properties['operation']}", "InProgress")
        assert (properties["endTime"], properties["errorDetails"]) == (None, None)
    assert len(told) == 1

    await world.clock.advance(RESTORE_SECONDS)
    assert told == [(VAULT, "Backup", "Completed")] * 2 + [(VAULT, "Restore", "Completed")]
    jobs = world.cloud.data_protection.all_jobs()
    assert sorted(job.id for job in jobs) == sorted(one["id"] for one in running)
    assert {job.status for job in jobs} == {"Completed"}


async def test_the_number_of_resources_is_told_by_newer_versions_only(world: World) -> None:
    await backed_up(world)
    job_id = (await world.read(f"{VAULT}/backupJobs"))["value"][0]["id"]
    new, old = [
        (await world.call("GET", job_id, version=version)).body["properties"]["extendedInfo"]["additionalDetails"]
        for version in ("2026-06-01", "2024-04-01")
    ]
    assert (new, old) == ({"RetentionTag": "default", "NumberOfResourcesBackedUp": "200"}, {"RetentionTag": "default"})
