"""Microsoft's own clients, unmodified, against the simulated Azure Backup and storage, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.mgmt.dataprotection.aio import DataProtectionMgmtClient
from azure.mgmt.storage.aio import StorageManagementClient

from simulator.transport import BASE_URL, AllowHttp, SimulatedCredential, SimulatedTransport
from tests.contract.data_protection_world import (
    ACCOUNT,
    CLUSTER,
    INSTANCE,
    POLICY,
    READER,
    SUBSCRIPTION,
    VAULT,
    World,
    instance,
    policy,
)

AT = ("backup", "vault")


@pytest.fixture
def world() -> World:
    return World()


def arguments(world: World) -> dict[str, Any]:
    return {
        "credential": SimulatedCredential(world.cloud, world.cloud.identity.operator),
        "subscription_id": SUBSCRIPTION,
        "base_url": BASE_URL,
        "credential_scopes": ["https://management.azure.com/.default"],
        "transport": SimulatedTransport(world.cloud),
        "per_call_policies": [AllowHttp()],
        "retry_total": 0,
    }


@pytest.fixture
async def client(world: World) -> AsyncIterator[Any]:
    async with DataProtectionMgmtClient(**arguments(world)) as made:
        yield made


async def passing[T](world: World, awaited: Awaitable[T]) -> T:
    """The result, while virtual time passes for whoever sleeps in it."""
    task = asyncio.ensure_future(awaited)
    while not task.done():
        for _ in range(20):
            await asyncio.sleep(0)
        due = world.clock.next_due()
        if due is not None and not task.done():
            await world.clock.advance_to(due)
    return task.result()


async def ended(world: World, poller: Awaitable[Any]) -> Any:
    """The result of a long-running operation that a client starts."""

    async def run() -> Any:
        return await (await poller).result()

    return await passing(world, run())


async def test_a_vault_is_made_changed_and_deleted(world: World, client: Any) -> None:
    body: Any = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "storageSettings": [{"datastoreType": "VaultStore", "type": "GeoRedundant"}],
            "securitySettings": {"softDeleteSettings": {"state": "AlwaysOn", "retentionDurationInDays": 14.0}},
        },
    }
    vault = await ended(world, client.backup_vaults.begin_create_or_update(*AT, body))
    assert (vault.properties.provisioning_state, vault.id) == ("Succeeded", VAULT)
    assert vault.identity.principal_id
    patched = await ended(world, client.backup_vaults.begin_update(*AT, {"tags": {"a": "b"}}))
    assert patched.tags == {"a": "b"}
    assert [one.name async for one in client.backup_vaults.get_in_subscription()] == ["vault"]
    await ended(world, client.backup_vaults.begin_delete(*AT))
    with pytest.raises(ResourceNotFoundError):
        await client.backup_vaults.get(*AT)


async def test_the_default_version_refuses_soft_delete_on_and_an_older_one_takes_it(world: World, client: Any) -> None:
    body: Any = {
        "location": "westeurope",
        "properties": {
            "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
            "securitySettings": {"softDeleteSettings": {"state": "On", "retentionDurationInDays": 14.0}},
        },
    }
    with pytest.raises(HttpResponseError) as refused:
        await client.backup_vaults.begin_create_or_update(*AT, body)
    assert refused.value.status_code == 400
    answer: Any = refused.value.response
    info = answer.json()["error"]["additionalInfo"][0]["info"]
    assert info["recommendedAction"]
    older = HttpRequest("PUT", f"{BASE_URL}{VAULT}?api-version=2025-07-01", json=body)
    assert (await client.send_request(older)).status_code == 201


async def test_a_cluster_is_protected_backed_up_and_let_go(world: World, client: Any) -> None:
    await world.ready()
    names = (*AT, "shop-1")
    assert (await client.backup_policies.create_or_update(*AT, "policy", policy())).id == POLICY
    request: Any = {"backupInstance": instance()["properties"]}
    await ended(world, client.backup_instances.begin_validate_for_backup(*AT, request))
    made = await ended(world, client.backup_instances.begin_create_or_update(*names, instance()))
    assert made.properties.current_protection_state == "ConfiguringProtection"
    await world.clock.advance(world.cloud.timings.configure_protection)
    assert (await client.backup_instances.get(*names)).properties.current_protection_state == "ProtectionConfigured"
    assert [one.id async for one in client.backup_instances_extension_routing.list(CLUSTER.lstrip("/"))] == [INSTANCE]

    backup: Any = {"backupRuleOptions": {"ruleName": "BackupHourly", "triggerOption": {}}}
    triggered = await ended(world, client.backup_instances.begin_adhoc_backup(*names, backup))
    job = await client.jobs.get(*AT, triggered.job_id.rsplit("/", 1)[-1])
    assert job.properties.status == "InProgress"
    await world.clock.advance(world.cloud.timings.backup_job)
    assert [one.properties.status async for one in client.jobs.list(*AT)] == ["Completed"]
    (point,) = [one async for one in client.recovery_points.list(*names)]
    assert (await client.recovery_points.get(*names, point.name)).properties.policy_name == "policy"

    await ended(world, client.backup_instances.begin_suspend_backups(*names))
    assert (await client.backup_instances.get(*names)).properties.current_protection_state == "BackupsSuspended"
    await ended(world, client.backup_instances.begin_resume_backups(*names))
    await ended(world, client.backup_instances.begin_stop_protection(*names))
    await ended(world, client.backup_instances.begin_resume_protection(*names))
    assert (await client.backup_instances.get(*names)).properties.current_protection_state == "ProtectionConfigured"
    await ended(world, client.backup_instances.begin_delete(*names))
    (deleted,) = [one async for one in client.deleted_backup_instances.list(*AT)]
    assert deleted.properties.deletion_info.scheduled_purge_time
    await ended(world, client.deleted_backup_instances.begin_undelete(*names))
    assert (await client.backup_instances.get(*names)).properties.current_protection_state == "ProtectionStopped"


async def test_a_validation_that_fails_says_why(world: World, client: Any) -> None:
    await world.ready(without=(READER, CLUSTER))
    request: Any = {"backupInstance": instance()["properties"]}
    with pytest.raises(HttpResponseError) as failed:
        await ended(world, client.backup_instances.begin_validate_for_backup(*AT, request))
    assert failed.value.error is not None
    assert failed.value.error.code == "KubernetesBackupListExtensionsError"


async def test_features_of_a_region_are_told(world: World, client: Any) -> None:
    asked: Any = {"objectType": "FeatureValidationRequest", "featureType": "DataSourceType"}
    answer: Any = await client.data_protection.check_feature_support("westeurope", asked)
    (feature,) = answer.features
    assert feature.feature_name == "Microsoft.ContainerService/managedClusters"
    assert feature.support_status == "GenerallyAvailable"


async def test_the_storage_client_makes_accounts_and_containers(world: World) -> None:
    async with StorageManagementClient(**arguments(world)) as storage:
        body: Any = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        asked: Any = {"name": "shopbackups", "type": "Microsoft.Storage/storageAccounts"}
        available = await storage.storage_accounts.check_name_availability(asked)
        assert available.name_available
        account = await ended(world, storage.storage_accounts.begin_create("backup", "shopbackups", body))
        assert (account.id, account.properties.provisioning_state) == (ACCOUNT, "Succeeded")
        container: Any = {"properties": {}}
        await storage.blob_containers.create("backup", "shopbackups", "shop", container)
        assert [one.name async for one in storage.blob_containers.list("backup", "shopbackups")] == ["shop"]
        await storage.storage_accounts.delete("backup", "shopbackups")
        assert [one async for one in storage.storage_accounts.list()] == []
