"""What protection needs in the simulator, and the words in which an instance says what is missing."""

from dataclasses import replace
from typing import Any

import pytest

from simulator.providers.data_protection.protection import Facts, missing_for_protection
from tests.contract.data_protection_world import (
    ACCOUNT,
    BLOB_DATA_CONTRIBUTOR,
    BLOB_DATA_READER,
    CLUSTER,
    CONTAINER,
    CONTRIBUTOR,
    DATA_OPERATOR_FOR_MANAGED_DISKS,
    INSTANCE,
    READER,
    SNAPSHOT_GROUP,
    STORAGE_ACCOUNT_CONTRIBUTOR,
    SUBSCRIPTION,
    VAULT,
    World,
    instance,
)

READY = Facts(
    has_datasource_set=True,
    vault_location="westeurope",
    vault_has_identity=True,
    cluster_location="westeurope",
    extension_state="Succeeded",
    extension_has_identity=True,
    storage_account_found=True,
    storage_container_found=True,
    extension_can_write_blobs=True,
    extension_blob_role_assigned=True,
    trusted_access_in_effect=True,
    vault_reads_cluster=True,
    snapshot_group_found=True,
    vault_reads_snapshot_group=True,
    cluster_contributes_to_snapshot_group=True,
)
NO_ACCESS = {"extension_can_write_blobs": False}


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"has_datasource_set": False}, "ScenarioPluginInvalidWorkflowDataRequest"),
        ({"cluster_location": None}, "UserErrorKubernetesClusterNotFound"),
        ({"cluster_location": "northeurope"}, "UserErrorDatasourceAndVaultRegionMismatch"),
        ({"cluster_has_managed_identity": False}, "UserErrorKubernetesClusterWithServicePrincipalNotSupported"),
        ({"cluster_power": "Stopped"}, "UserErrorKubernetesBackupClusterIsStopped"),
        ({"vault_reads_cluster": False}, "KubernetesBackupListExtensionsError"),
        ({"extension_state": None}, "UserErrorKubernetesBackupExtensionNotFoundError"),
        ({"extension_state": "Failed"}, "UserErrorKubernetesBackupExtensionHasErrors"),
        ({"extension_state": "Creating"}, "UserErrorKubernetesBackupExtensionHasErrors"),
        ({"extension_has_identity": False}, "UserErrorKubernetesBackupExtensionIdentityNotFound"),
        ({"trusted_access_in_effect": False}, "UserErrorTrustedAccessGatewayReturnedForbidden"),
        ({"vault_has_identity": False}, "UserErrorTrustedAccessGatewayReturnedForbidden"),
        ({"storage_account_found": False}, "UserErrorNoDefaultBackupStorageLocationFound"),
        ({"storage_container_found": False}, "UserErrorNoDefaultBackupStorageLocationFound"),
        (NO_ACCESS, "UserErrorBackupStorageLocationNotReady"),
        (
            NO_ACCESS | {"extension_blob_role_assigned": False},
            "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation",
        ),
        (
            {"uses_aad": False, "shared_key_access": False, "extension_blob_role_assigned": False},
            "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation",
        ),
        ({"snapshot_group_found": False}, "UserErrorSnapshotResourceGroupNotFound"),
        ({"vault_reads_snapshot_group": False}, "UserErrorKubernetesBackupExtensionUnhealthy"),
        ({"cluster_contributes_to_snapshot_group": False}, "UserErrorKubernetesBackupExtensionUnhealthy"),
        ({"vault_tier": True}, "UserErrorKubernetesBackupExtensionUnhealthy"),
        ({"snapshot_group_locked": True}, "UserErrorSnapshotResourceGroupHasLocks"),
    ],
)
def test_each_thing_missing_has_its_code(facts: dict[str, Any], code: str) -> None:
    assert missing_for_protection(READY) is None
    error = missing_for_protection(replace(READY, **facts))
    assert error is not None
    assert error.code == code


async def error_after_put(world: World, body: Any = None) -> str:
    """The code of the error that the instance ends with; the PUT itself succeeds."""
    created = await world.call("PUT", INSTANCE, body or instance())
    assert (created.status, created.body["properties"]["currentProtectionState"]) == (201, "ConfiguringProtection")
    assert (await world.done(created, 1))["status"] == "Succeeded"
    await world.clock.advance(60)
    properties = (await world.read(INSTANCE))["properties"]
    assert properties["currentProtectionState"] == "ProtectionError"
    assert properties["protectionStatus"]["errorDetails"] == properties["protectionErrorDetails"]
    return str(properties["protectionErrorDetails"]["code"])


async def test_a_cluster_with_everything_in_place_is_protected_a_minute_later(world: World) -> None:
    await world.ready()
    validation = await world.call("POST", f"{VAULT}/validateForBackup", {"backupInstance": instance()["properties"]})
    assert (await world.done(validation, 43))["status"] == "Inprogress"
    assert (await world.done(validation, 1))["status"] == "Succeeded"
    await world.call("PUT", INSTANCE, instance())
    await world.clock.advance(59)
    assert await world.state() == "ConfiguringProtection"
    await world.clock.advance(1)
    assert await world.state() == "ProtectionConfigured"


async def test_without_the_set_the_put_succeeds_and_protection_fails(world: World) -> None:
    await world.ready()
    body = instance()
    del body["properties"]["dataSourceSetInfo"]
    assert await error_after_put(world, body) == "ScenarioPluginInvalidWorkflowDataRequest"


@pytest.mark.parametrize(
    ("without", "code"),
    [
        ((READER, CLUSTER), "KubernetesBackupListExtensionsError"),
        ((BLOB_DATA_CONTRIBUTOR, ACCOUNT), "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation"),
        ((READER, SNAPSHOT_GROUP), "UserErrorKubernetesBackupExtensionUnhealthy"),
        ((CONTRIBUTOR, SNAPSHOT_GROUP), "UserErrorKubernetesBackupExtensionUnhealthy"),
    ],
)
async def test_a_missing_role_ends_in_protection_error_until_it_is_put_again(
    world: World, without: tuple[str, str], code: str
) -> None:
    await world.ready(without=without)
    validation = await world.call("POST", f"{VAULT}/validateForBackup", {"backupInstance": instance()["properties"]})
    failed = await world.done(validation, 44)
    assert (failed["status"], failed["error"]["code"]) == ("Failed", code)
    assert await error_after_put(world) == code
    world.roles()
    await world.clock.advance(600)
    assert await world.state() == "ProtectionError"
    assert (await world.protect())["properties"]["currentProtectionState"] == "ProtectionConfigured"


@pytest.mark.parametrize("without", [(DATA_OPERATOR_FOR_MANAGED_DISKS, SNAPSHOT_GROUP), (BLOB_DATA_READER, ACCOUNT)])
async def test_the_vault_tier_needs_more_roles(world: World, without: tuple[str, str]) -> None:
    await world.ready(vault_tier=True, without=without)
    assert await error_after_put(world) == "UserErrorKubernetesBackupExtensionUnhealthy"
    world.roles(vault_tier=True)
    assert (await world.protect())["properties"]["currentProtectionState"] == "ProtectionConfigured"


async def test_a_role_that_has_not_spread_is_not_ready_rather_than_missing(world: World) -> None:
    await world.ready(without=(BLOB_DATA_CONTRIBUTOR, ACCOUNT))
    world.cloud.authorization.slow_down(ACCOUNT, 600)
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    definitions = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
    assignment = {
        "principalId": extension.aks_identity_principal_id,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"{definitions}/{BLOB_DATA_CONTRIBUTOR}",
    }
    name = "12345678-1234-1234-1234-123456789012"
    path = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/{name}"
    assert (await world.call("PUT", path, {"properties": assignment}, "2022-04-01")).status == 201
    assert await error_after_put(world) == "UserErrorBackupStorageLocationNotReady"
    await world.clock.advance(600)
    assert (await world.protect())["properties"]["currentProtectionState"] == "ProtectionConfigured"


async def test_what_is_missing_is_judged_when_protection_is_configured_not_when_it_is_asked_for(world: World) -> None:
    await world.ready(without=(READER, CLUSTER))
    await world.call("PUT", INSTANCE, instance())
    await world.clock.advance(30)
    world.roles()
    await world.clock.advance(30)
    assert await world.state() == "ProtectionConfigured"


async def test_a_missing_container_is_no_storage_location(world: World) -> None:
    await world.ready()
    assert (await world.call("DELETE", CONTAINER, version="2024-01-01")).status == 200
    assert await error_after_put(world) == "UserErrorNoDefaultBackupStorageLocationFound"


async def test_a_lock_on_the_snapshot_group_stops_protection(world: World) -> None:
    await world.ready()
    lock = f"{SNAPSHOT_GROUP}/providers/Microsoft.Authorization/locks/keep"
    body = {"properties": {"level": "CanNotDelete"}}
    assert (await world.call("PUT", lock, body, "2020-05-01")).status in (200, 201)
    assert await error_after_put(world) == "UserErrorSnapshotResourceGroupHasLocks"


async def test_a_cluster_of_another_region_is_refused(world: World) -> None:
    await world.ready()
    far = CLUSTER.replace("/shop", "/far")
    await world.cluster(far, "northeurope")
    assert await error_after_put(world, instance(cluster=far)) == "UserErrorDatasourceAndVaultRegionMismatch"


async def test_sync_looks_again_at_what_failed(world: World) -> None:
    await world.ready(without=(READER, CLUSTER))
    assert await error_after_put(world) == "KubernetesBackupListExtensionsError"
    world.roles()
    synced = await world.call("POST", f"{INSTANCE}/sync", {"syncType": "Default"})
    assert (await world.done(synced, 60))["status"] == "Succeeded"
    assert await world.state() == "ProtectionConfigured"


async def test_a_cluster_made_again_is_protected_only_after_it_was_put_again(world: World) -> None:
    await world.ready()
    await world.protect()
    assert (await world.call("DELETE", CLUSTER, version="2026-08-01")).status == 202
    await world.clock.advance(3600)
    await world.cluster()
    world.extension()
    await world.trusted_access()
    world.roles()
    assert await world.state() == "ProtectionError"
    assert (await world.protect())["properties"]["currentProtectionState"] == "ProtectionConfigured"


async def test_a_deep_validation_refuses_at_once(world: World) -> None:
    await world.ready(without=(READER, CLUSTER))
    body = instance()
    body["properties"]["validationType"] = "DeepValidation"
    refused = await world.call("PUT", INSTANCE, body)
    assert (refused.status, refused.body["error"]["code"]) == (400, "KubernetesBackupListExtensionsError")
    assert (await world.call("GET", INSTANCE)).status == 404


async def test_an_extension_that_lists_keys_needs_another_role(world: World) -> None:
    await world.vault()
    await world.policy()
    await world.storage()
    await world.cluster()
    world.extension(use_aad=False)
    await world.trusted_access()
    world.roles()
    assert await error_after_put(world) == "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation"
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    assert extension.aks_identity_principal_id is not None
    world.cloud.authorization.grant(extension.aks_identity_principal_id, STORAGE_ACCOUNT_CONTRIBUTOR, ACCOUNT)
    assert (await world.protect())["properties"]["currentProtectionState"] == "ProtectionConfigured"
