"""Trusted access role bindings in the simulator."""

import json
from typing import Any

import pytest

from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.http import Request, Response

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Apps"
VAULT = f"{GROUP}/providers/Microsoft.DataProtection/backupVaults/Vault"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/ml"
BACKUP_OPERATOR = "Microsoft.DataProtection/backupVaults/backup-operator"
ML_WORKLOAD = "Microsoft.MachineLearningServices/workspaces/mlworkload"


def asking(source: str = WORKSPACE, role: str = ML_WORKLOAD) -> dict[str, Any]:
    return {"properties": {"sourceResourceId": source, "roles": [role]}}


class Azure:
    """One cloud in virtual time with one running cluster, called as its operator."""

    def __init__(self, subscription: str = SUBSCRIPTION, group: str = "Apps") -> None:
        self.clock = VirtualClock()
        self.cloud = Cloud(self.clock, seed=1)
        self.cloud.resources.add_subscription(subscription)
        self.subscription, self.group = subscription, group

    def make_cluster(self, name: str = "Shop", **overrides: Any) -> str:
        wanted = {"name": name, "resource_group": self.group, "settled": True, **overrides}
        return self.cloud.container_service.create_cluster("westeurope", self.subscription, wanted)

    async def call(self, method: str, path: str, body: Any = None, version: str = "2026-08-01") -> Response:
        return await self.cloud.respond(
            Request(
                method,
                path,
                query={"api-version": version},
                headers={"authorization": f"Bearer {self.cloud.identity.token(self.cloud.identity.operator)}"},
                body=b"" if body is None else json.dumps(body).encode(),
            )
        )

    async def make_vault(self) -> None:
        self.cloud.resources.register(self.subscription, "Microsoft.DataProtection", "Registered")
        body = {
            "location": "westeurope",
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
                "securitySettings": {"softDeleteSettings": {"state": "AlwaysOn", "retentionDurationInDays": 14}},
            },
        }
        assert (await self.call("PUT", VAULT, body, "2026-06-01")).status in (200, 201)
        await self.clock.advance(60)


@pytest.fixture
def azure() -> Azure:
    return Azure()


async def test_a_vault_may_act_only_some_time_after_the_binding_has_succeeded(azure: Azure) -> None:
    cluster = azure.make_cluster()
    await azure.make_vault()
    service, timings = azure.cloud.container_service, azure.cloud.timings
    written = await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/tarb", asking(VAULT, BACKUP_OPERATOR))
    assert (written.status, written.body["properties"]["provisioningState"]) == (201, "Updating")
    await azure.clock.advance(timings.trusted_access_write)
    read = await azure.call("GET", f"{cluster}/trustedAccessRoleBindings/tarb")
    assert read.body["properties"]["provisioningState"] == "Succeeded"
    await azure.clock.advance(timings.trusted_access_effect - 1)
    assert not service.trusted_access_in_effect(cluster, VAULT)
    await azure.clock.advance(1)
    assert service.trusted_access_in_effect(cluster.upper(), VAULT.upper())
    assert not service.trusted_access_in_effect(cluster, f"{VAULT}2")

    # the same again changes nothing
    again = await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/TARB", asking(VAULT, BACKUP_OPERATOR))
    assert again.status == 200
    assert service.trusted_access_in_effect(cluster, VAULT)

    await azure.clock.advance(timings.trusted_access_write)
    assert (await azure.call("DELETE", f"{cluster}/trustedAccessRoleBindings/tarb")).status == 202
    assert not service.trusted_access_in_effect(cluster, VAULT)
    await azure.clock.advance(timings.trusted_access_write)
    assert (await azure.call("GET", f"{cluster}/trustedAccessRoleBindings/tarb")).status == 404
    assert (await azure.call("DELETE", f"{cluster}/trustedAccessRoleBindings/tarb")).status == 204


async def test_a_binding_that_is_given_to_another_source_takes_access_from_the_first(azure: Azure) -> None:
    cluster = azure.make_cluster()
    await azure.make_vault()
    await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/tarb", asking(VAULT, BACKUP_OPERATOR))
    await azure.clock.advance(3600)
    assert azure.cloud.container_service.trusted_access_in_effect(cluster, VAULT)
    await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/tarb", asking())
    await azure.clock.advance(3600)
    assert not azure.cloud.container_service.trusted_access_in_effect(cluster, VAULT)
    await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/tarb", asking(VAULT, BACKUP_OPERATOR))
    await azure.clock.advance(azure.cloud.timings.trusted_access_write)
    assert not azure.cloud.container_service.trusted_access_in_effect(cluster, VAULT)


async def test_a_vault_that_does_not_exist_gets_no_access(azure: Azure) -> None:
    cluster = azure.make_cluster()
    refused = await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/tarb", asking(VAULT, BACKUP_OPERATOR))
    assert refused.status == 400
    assert (await azure.call("GET", f"{cluster}/trustedAccessRoleBindings")).body == {"value": []}


async def test_a_recreated_cluster_has_no_bindings(azure: Azure) -> None:
    cluster = azure.make_cluster()
    await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/tarb", asking())
    await azure.call("DELETE", cluster)
    await azure.clock.advance(3600)
    assert azure.make_cluster() == cluster
    assert (await azure.call("GET", f"{cluster}/trustedAccessRoleBindings")).body == {"value": []}


async def test_the_ninth_binding_is_refused(azure: Azure) -> None:
    cluster = azure.make_cluster()
    for number in range(8):
        written = await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/b{number}", asking())
        assert written.status == 201
        await azure.clock.advance(60)
    ninth = await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/b8", asking())
    assert ninth.status == 400
    assert len((await azure.call("GET", f"{cluster}/trustedAccessRoleBindings")).body["value"]) == 8
    assert (await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/b7", asking())).status == 200


@pytest.mark.parametrize("name", ["a" * 25, "with.dot", "with space"])
async def test_names_are_short_and_plain(azure: Azure, name: str) -> None:
    cluster = azure.make_cluster()
    assert (await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/{name}", asking())).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"properties": {"roles": [ML_WORKLOAD]}},
        {"properties": {"sourceResourceId": WORKSPACE, "roles": []}},
        asking(WORKSPACE, BACKUP_OPERATOR),
        asking(WORKSPACE, "Microsoft.MachineLearningServices/workspaces/owner"),
    ],
)
async def test_a_binding_needs_a_source_and_roles_of_its_type(azure: Azure, body: dict[str, Any]) -> None:
    cluster = azure.make_cluster()
    assert (await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/tarb", body)).status == 400


@pytest.mark.parametrize("overrides", [{"power": "Stopped"}, {"settled": False}, {"provisioning_state": "Upgrading"}])
async def test_a_cluster_that_is_not_ready_takes_no_binding(azure: Azure, overrides: dict[str, Any]) -> None:
    cluster = azure.make_cluster(**overrides)
    refused = await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/tarb", asking())
    assert (refused.status, refused.body["code"]) == (409, "OperationNotAllowed")
    assert (await azure.call("GET", f"{cluster}/trustedAccessRoleBindings/tarb")).status == 404


async def test_bindings_are_written_one_at_a_time(azure: Azure) -> None:
    cluster = azure.make_cluster()
    await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/one", asking())
    refused = await azure.call("PUT", f"{cluster}/trustedAccessRoleBindings/two", asking())
    assert (refused.status, refused.body["code"]) == (409, "OperationNotAllowed")


async def test_a_cluster_that_is_not_there_has_no_bindings(azure: Azure) -> None:
    azure.make_cluster()
    path = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/other/trustedAccessRoleBindings/tarb"
    for method in ("GET", "PUT", "DELETE"):
        missing = await azure.call(method, path, asking() if method == "PUT" else None)
        assert (missing.status, missing.body["error"]["code"]) == (404, "ParentResourceNotFound")


async def test_roles_of_a_region(azure: Azure) -> None:
    azure.make_cluster()
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/locations/westeurope/trustedAccessRoles"
    roles = (await azure.call("GET", path)).body["value"]
    assert BACKUP_OPERATOR in {f"{role['sourceResourceType']}/{role['name']}" for role in roles}
