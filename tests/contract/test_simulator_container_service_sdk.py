"""Microsoft's own clients, unmodified, against the simulated AKS and extension service, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.mgmt.containerservice.aio import ContainerServiceClient
from azure.mgmt.kubernetesconfiguration.extensions.aio import KubernetesConfigurationExtensionsMgmtClient

from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.transport import BASE_URL, AllowHttp, SimulatedCredential, SimulatedTransport

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Apps/providers/Microsoft.MachineLearningServices/workspaces/m"
)
CLUSTER: Any = {
    "location": "westeurope",
    "identity": {"type": "SystemAssigned"},
    "properties": {"dnsPrefix": "shop", "agentPoolProfiles": [{"name": "pool1", "count": 3, "osType": "Linux"}]},
}
LOCATION = "configuration.backupStorageLocation"
EXTENSION = {
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "extensionType": "microsoft.dataprotection.kubernetes",
        "autoUpgradeMinorVersion": True,
        "scope": {"cluster": {}},
        "configurationSettings": {
            f"{LOCATION}.bucket": "container",
            f"{LOCATION}.config.storageAccount": "account",
            f"{LOCATION}.config.resourceGroup": "backup",
            f"{LOCATION}.config.subscriptionId": SUBSCRIPTION,
            "credentials.tenantId": "22222222-2222-2222-2222-222222222222",
        },
    },
}
AKS = ("Microsoft.ContainerService", "managedClusters", "Shop")


@pytest.fixture
def cloud() -> Cloud:
    made = Cloud(VirtualClock(), seed=1)
    made.resources.add_subscription(SUBSCRIPTION)
    made.resources.register(SUBSCRIPTION, "Microsoft.KubernetesConfiguration", "Registered")
    made.resources.add_group(SUBSCRIPTION, "Apps", "westeurope")
    return made


@pytest.fixture
async def aks(cloud: Cloud) -> AsyncIterator[ContainerServiceClient]:
    async with ContainerServiceClient(
        SimulatedCredential(cloud),
        SUBSCRIPTION,
        BASE_URL,
        transport=SimulatedTransport(cloud),
        per_call_policies=[AllowHttp()],
    ) as client:
        yield client


@pytest.fixture
async def configuration(cloud: Cloud) -> AsyncIterator[KubernetesConfigurationExtensionsMgmtClient]:
    async with KubernetesConfigurationExtensionsMgmtClient(
        SimulatedCredential(cloud),
        SUBSCRIPTION,
        BASE_URL,
        transport=SimulatedTransport(cloud),
        per_call_policies=[AllowHttp()],
    ) as client:
        yield client


async def in_time(cloud: Cloud, work: Awaitable[Any]) -> Any:
    """The outcome of `work`, the clock being moved whenever nothing else is left to happen."""
    clock = cloud.clock
    assert isinstance(clock, VirtualClock)
    task = asyncio.ensure_future(work)
    while not task.done():
        for _ in range(50):
            await asyncio.sleep(0)
        due = clock.next_due()
        if due is not None and not task.done():
            await clock.advance_to(due)
    return task.result()


async def test_a_cluster_through_its_life(cloud: Cloud, aks: ContainerServiceClient) -> None:
    clusters = aks.managed_clusters
    poller = await clusters.begin_create_or_update("Apps", "Shop", CLUSTER)
    cluster = await in_time(cloud, poller.result())
    assert (cluster.provisioning_state, cluster.power_state.code) == ("Succeeded", "Running")
    assert cluster.identity_profile["kubeletidentity"].object_id
    assert cluster.service_principal_profile.client_id == "msi"
    assert cluster.storage_profile.snapshot_controller.enabled
    assert cluster.resource_uid

    with pytest.raises(ResourceExistsError):
        await clusters.begin_create_or_update(
            "Apps", "Shop", CLUSTER, etag="*", match_condition=MatchConditions.IfMissing
        )
    with pytest.raises(ResourceModifiedError):
        await clusters.begin_update_tags(
            "Apps", "Shop", {"tags": {}}, etag="other", match_condition=MatchConditions.IfNotModified
        )
    tagged = await in_time(
        cloud, (await clusters.begin_update_tags("Apps", "Shop", {"tags": {"team": "shop"}})).result()
    )
    assert tagged.tags == {"team": "shop"}

    await in_time(cloud, (await clusters.begin_stop("Apps", "Shop")).result())
    assert (await clusters.get("Apps", "Shop")).power_state.code == "Stopped"
    await in_time(cloud, (await clusters.begin_start("Apps", "Shop")).result())
    assert (await clusters.get("Apps", "Shop")).power_state.code == "Running"

    assert [found.name async for found in clusters.list()] == ["Shop"]
    assert [found.name async for found in clusters.list_by_resource_group("Apps")] == ["Shop"]
    assert [pool.name async for pool in aks.agent_pools.list("Apps", "Shop")] == ["pool1"]

    await in_time(cloud, (await clusters.begin_delete("Apps", "Shop")).result())
    with pytest.raises(ResourceNotFoundError):
        await clusters.get("Apps", "Shop")
    await in_time(cloud, (await clusters.begin_delete("Apps", "Shop")).result())


async def test_lists_are_followed_to_their_end(cloud: Cloud, aks: ContainerServiceClient) -> None:
    for _ in range(201):
        cloud.container_service.create_cluster("westeurope", SUBSCRIPTION, {"settled": True})
    assert len({found.id async for found in aks.managed_clusters.list()}) == 201


async def test_trusted_access(cloud: Cloud, aks: ContainerServiceClient) -> None:
    cloud.container_service.create_cluster(
        "westeurope", SUBSCRIPTION, {"name": "Shop", "resource_group": "Apps", "settled": True}
    )
    bindings = aks.trusted_access_role_bindings
    with pytest.raises(ResourceNotFoundError) as missing:
        await bindings.get("Apps", "Shop", "tarb")
    assert missing.value.status_code == 404
    body: Any = {
        "properties": {"sourceResourceId": WORKSPACE, "roles": ["Microsoft.MachineLearningServices/workspaces/x"]}
    }
    with pytest.raises(HttpResponseError) as refused:
        await bindings.begin_create_or_update("Apps", "Shop", "tarb", body)
    assert refused.value.status_code == 400
    body["properties"]["roles"] = ["Microsoft.MachineLearningServices/workspaces/mlworkload"]
    made = await in_time(cloud, (await bindings.begin_create_or_update("Apps", "Shop", "tarb", body)).result())
    assert made.provisioning_state == "Succeeded"
    assert [found.name async for found in bindings.list("Apps", "Shop")] == ["tarb"]
    assert "backup-operator" in [role.name async for role in aks.trusted_access_roles.list("westeurope")]
    await in_time(cloud, (await bindings.begin_delete("Apps", "Shop", "tarb")).result())
    assert [found.name async for found in bindings.list("Apps", "Shop")] == []


async def test_an_extension_through_its_life(
    cloud: Cloud, configuration: KubernetesConfigurationExtensionsMgmtClient
) -> None:
    cloud.container_service.create_cluster(
        "westeurope", SUBSCRIPTION, {"name": "Shop", "resource_group": "Apps", "settled": True}
    )
    extensions = configuration.extensions
    made = await in_time(cloud, (await extensions.begin_create("Apps", *AKS, "backup", EXTENSION)).result())
    assert made.provisioning_state == "Succeeded"
    assert made.aks_assigned_identity.principal_id
    assert made.aks_assigned_identity.resource_id.startswith(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MC_Apps_")
    memory = {"properties": {"configurationSettings": {"resources.limits.memory": "4400Mi"}}}
    changed = await in_time(cloud, (await extensions.begin_update("Apps", *AKS, "backup", memory)).result())
    assert changed.configuration_settings["resources.limits.memory"] == "4400Mi"
    assert changed.configuration_settings[f"{LOCATION}.bucket"] == "container"
    assert [found.name async for found in extensions.list("Apps", *AKS)] == ["backup"]
    await in_time(cloud, (await extensions.begin_delete("Apps", *AKS, "backup")).result())
    with pytest.raises(ResourceNotFoundError):
        await extensions.get("Apps", *AKS, "backup")
    await in_time(cloud, (await extensions.begin_delete("Apps", *AKS, "backup", force_delete=True)).result())


async def test_a_failed_install_reaches_the_caller(
    cloud: Cloud, configuration: KubernetesConfigurationExtensionsMgmtClient
) -> None:
    cloud.container_service.create_cluster(
        "westeurope", SUBSCRIPTION, {"name": "Shop", "resource_group": "Apps", "settled": True, "power": "Stopped"}
    )
    extensions = configuration.extensions
    with pytest.raises(HttpResponseError) as failed:
        await in_time(cloud, (await extensions.begin_create("Apps", *AKS, "backup", EXTENSION)).result())
    assert failed.value.error is not None
    assert failed.value.error.code == "ExtensionOperationFailed"
    read = await extensions.get("Apps", *AKS, "backup")
    assert (read.provisioning_state, read.error_info.code) == ("Failed", "ExtensionOperationFailed")
