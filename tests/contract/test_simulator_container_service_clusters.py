"""Managed clusters in the simulator: what AKS answers, and when a cluster takes what."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from simulator.arm.errors import ArmError
from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.http import Request, Response

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Apps"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/Shop"
BODY: dict[str, Any] = {
    "location": "West Europe",
    "tags": {"team": "shop"},
    "identity": {"type": "SystemAssigned"},
    "properties": {"dnsPrefix": "shop", "agentPoolProfiles": [{"name": "pool1", "count": 3, "osType": "Linux"}]},
}


class Azure:
    """One cloud in virtual time, called as its operator."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.cloud = Cloud(self.clock, seed=1)
        self.cloud.resources.add_subscription(SUBSCRIPTION)
        self.cloud.resources.add_group(SUBSCRIPTION, "Apps", "westeurope")

    async def call(
        self, method: str, path: str, body: Any = None, version: str = "2026-08-01", **headers: str
    ) -> Response:
        sent = {"authorization": f"Bearer {self.cloud.identity.token(self.cloud.identity.operator)}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        path, _, query = path.partition("?")
        parameters = dict(part.split("=", 1) for part in query.split("&") if part)
        return await self.cloud.respond(
            Request(
                method,
                path,
                query={"api-version": version, **parameters},
                headers=sent,
                body=b"" if body is None else json.dumps(body).encode(),
            )
        )

    async def status(self, response: Response) -> Any:
        """What the operation of an answer says by now."""
        url = response.headers["Azure-AsyncOperation"]
        return (await self.call("GET", url.removeprefix("http://127.0.0.1"))).body


@pytest.fixture
def azure() -> Azure:
    return Azure()


async def running(azure: Azure) -> None:
    assert (await azure.call("PUT", CLUSTER, BODY)).status == 201
    await azure.clock.advance(azure.cloud.timings.cluster_write)


async def test_a_cluster_is_creating_until_its_time_has_passed(azure: Azure) -> None:
    created = await azure.call("PUT", CLUSTER, BODY)
    assert (created.status, created.body["properties"]["provisioningState"]) == (201, "Creating")
    assert created.body["id"] == CLUSTER.replace("resourceGroups", "resourcegroups")
    assert created.body["properties"]["nodeResourceGroup"] == "MC_Apps_Shop_westeurope"
    assert int(created.headers["Retry-After"]) >= 1
    await azure.clock.advance(azure.cloud.timings.cluster_write - 1)
    assert (await azure.status(created))["status"] == "InProgress"

    await azure.clock.advance(1)

    assert (await azure.status(created))["status"] == "Succeeded"
    cluster = (await azure.call("GET", CLUSTER.lower())).body
    assert cluster["properties"]["provisioningState"] == "Succeeded"
    assert cluster["properties"]["powerState"] == {"code": "Running"}
    assert cluster["tags"] == {"team": "shop"}
    held = azure.cloud.container_service.cluster(CLUSTER.upper())
    assert held is not None
    assert azure.cloud.identity.principal_exists(cluster["identity"]["principalId"])
    assert held.principal_id == cluster["identity"]["principalId"]
    assert azure.cloud.identity.principal_exists(
        cluster["properties"]["identityProfile"]["kubeletidentity"]["objectId"]
    )


async def test_an_unsettled_cluster_takes_no_write_but_its_deletion(azure: Azure) -> None:
    await azure.call("PUT", CLUSTER, BODY)
    for method, path, body in (
        ("PUT", CLUSTER, BODY),
        ("PATCH", CLUSTER, {"tags": {}}),
        ("POST", f"{CLUSTER}/stop", None),
    ):
        refused = await azure.call(method, path, body)
        assert (refused.status, refused.body["code"]) == (409, "OperationNotAllowed")
        assert "(Creating)" in refused.body["message"]
    assert (await azure.call("DELETE", CLUSTER)).status == 202


async def test_deleted_and_made_again_it_is_another_cluster(azure: Azure) -> None:
    await running(azure)
    before = (await azure.call("GET", CLUSTER)).body
    assert azure.cloud.resources.group(SUBSCRIPTION, "mc_apps_shop_westeurope") is not None

    deletion = await azure.call("DELETE", CLUSTER)
    assert deletion.status == 202
    assert (await azure.call("GET", CLUSTER)).body["properties"]["provisioningState"] == "Deleting"
    await azure.clock.advance(3600)

    assert (await azure.status(deletion))["status"] == "Succeeded"
    gone = await azure.call("GET", CLUSTER)
    assert (gone.status, gone.body["error"]["code"]) == (404, "ResourceNotFound")
    assert (await azure.call("DELETE", CLUSTER)).status == 204
    assert not azure.cloud.identity.principal_exists(before["identity"]["principalId"])
    assert azure.cloud.resources.group(SUBSCRIPTION, "mc_apps_shop_westeurope") is None

    await running(azure)
    after = (await azure.call("GET", CLUSTER)).body
    assert after["id"] == before["id"]
    assert after["properties"]["resourceUID"] != before["properties"]["resourceUID"]
    assert after["identity"]["principalId"] != before["identity"]["principalId"]


async def test_a_cluster_deleted_while_it_is_made_stays_away(azure: Azure) -> None:
    created = await azure.call("PUT", CLUSTER, BODY)
    await azure.clock.advance(10)
    await azure.call("DELETE", CLUSTER)
    await azure.clock.advance(3600)
    assert (await azure.status(created))["error"]["code"] == "AKSOperationPreempted"
    assert azure.cloud.container_service.clusters() == []


async def test_stopped_it_takes_only_start_and_delete(azure: Azure) -> None:
    await running(azure)
    stopping = await azure.call("POST", f"{CLUSTER}/stop")
    assert stopping.status == 202
    assert (await azure.call("GET", CLUSTER)).body["properties"]["provisioningState"] == "Stopping"
    await azure.clock.advance(azure.cloud.timings.cluster_power)
    assert (await azure.call("GET", CLUSTER)).body["properties"]["powerState"] == {"code": "Stopped"}
    assert (await azure.call("POST", f"{CLUSTER}/stop")).status == 204

    for method, body in (("PUT", BODY), ("PATCH", {"tags": {"a": "b"}})):
        assert (await azure.call(method, CLUSTER, body)).body["code"] == "OperationNotAllowed"

    starting = await azure.call("POST", f"{CLUSTER}/start")
    where = starting.headers["Location"].removeprefix("http://127.0.0.1").partition("?")[0]
    assert (await azure.call("GET", where, version="2016-03-30")).status == 202
    await azure.clock.advance(azure.cloud.timings.cluster_power)
    assert (await azure.call("GET", where, version="2016-03-30")).status == 204
    assert (await azure.call("GET", CLUSTER)).body["properties"]["powerState"] == {"code": "Running"}


async def test_tags_are_replaced_as_a_whole(azure: Azure) -> None:
    await running(azure)
    etag = (await azure.call("GET", CLUSTER)).body["eTag"]
    patched = await azure.call("PATCH", CLUSTER, {"tags": {"aks-backup-guard-exempt": "true"}})
    assert patched.body["tags"] == {"aks-backup-guard-exempt": "true"}
    assert patched.body["eTag"] != etag
    tracked = azure.cloud.resources.tracked(CLUSTER)
    assert tracked is not None
    assert dict(tracked.tags) == {"aks-backup-guard-exempt": "true"}


async def test_etags_guard_against_what_somebody_else_wrote(azure: Azure) -> None:
    missing = await azure.call("PUT", CLUSTER, BODY, if_match='"x"')
    assert (missing.status, missing.body["code"]) == (412, "PreconditionFailed")
    assert (await azure.call("PUT", CLUSTER, BODY, if_none_match="*")).status == 201
    await azure.clock.advance(3600)
    assert (await azure.call("PUT", CLUSTER, BODY, if_none_match="*")).status == 412
    assert (await azure.call("PATCH", CLUSTER, {"tags": {}}, if_match='"x"')).status == 412
    etag = (await azure.call("GET", CLUSTER)).body["eTag"]
    assert (await azure.call("PATCH", CLUSTER, {"tags": {}}, if_match=f'"{etag}"')).status == 200


async def test_a_second_put_changes_what_it_names_and_keeps_the_rest(azure: Azure) -> None:
    await running(azure)
    before = (await azure.call("GET", CLUSTER)).body
    off = {"storageProfile": {"snapshotController": {"enabled": False}}}
    updated = await azure.call("PUT", CLUSTER, {**BODY, "properties": {**BODY["properties"], **off}})
    assert (updated.status, updated.body["properties"]["provisioningState"]) == (200, "Updating")
    await azure.clock.advance(3600)
    after = (await azure.call("GET", CLUSTER)).body
    assert after["properties"]["storageProfile"]["snapshotController"] == {"enabled": False}
    for key in ("resourceUID", "fqdn", "nodeResourceGroup"):
        assert after["properties"][key] == before["properties"][key]
    assert after["identity"] == before["identity"]
    elsewhere = await azure.call("PUT", CLUSTER, {**BODY, "location": "northeurope"})
    assert (elsewhere.status, elsewhere.body["error"]["code"]) == (409, "InvalidResourceLocation")


async def test_what_a_get_gave_can_be_put_back(azure: Azure) -> None:
    await running(azure)
    before = (await azure.call("GET", CLUSTER)).body
    assert (await azure.call("PUT", CLUSTER, before)).body["properties"]["provisioningState"] == "Updating"
    await azure.clock.advance(3600)
    after = (await azure.call("GET", CLUSTER)).body
    for told in (before, after):
        del told["eTag"]
        for pool in told["properties"]["agentPoolProfiles"]:
            del pool["eTag"]
    assert after == before


@pytest.mark.parametrize("left_out", ["location", "identity", "dnsPrefix", "agentPoolProfiles"])
async def test_a_cluster_needs_what_aks_needs(azure: Azure, left_out: str) -> None:
    body = {key: value for key, value in BODY.items() if key != left_out}
    body["properties"] = {key: value for key, value in BODY["properties"].items() if key != left_out}
    assert (await azure.call("PUT", CLUSTER, body)).status == 400
    assert azure.cloud.container_service.clusters() == []


async def test_identities_of_every_kind(azure: Azure) -> None:
    shared = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-shared"
    block = {"type": "UserAssigned", "userAssignedIdentities": {shared: {}}}
    one = await azure.call("PUT", f"{CLUSTER}1", {**BODY, "identity": block})
    two = await azure.call("PUT", f"{CLUSTER}2", {**BODY, "identity": block})
    of = [answer.body["identity"]["userAssignedIdentities"][shared]["principalId"] for answer in (one, two)]
    assert of[0] == of[1]
    held = azure.cloud.container_service.cluster(f"{CLUSTER}1")
    assert held is not None
    assert held.principal_id == of[0]
    secret = {"clientId": str(azure.cloud.new_uuid()), "secret": "never shown"}
    properties = {**BODY["properties"], "servicePrincipalProfile": secret}
    old = await azure.call("PUT", f"{CLUSTER}3", {**BODY, "identity": None, "properties": properties})
    assert "identity" not in old.body
    assert old.body["properties"]["servicePrincipalProfile"] == {"clientId": secret["clientId"]}
    held = azure.cloud.container_service.cluster(f"{CLUSTER}3")
    assert held is not None
    assert held.principal_id is None


async def test_lists_come_in_pages_and_by_group(azure: Azure) -> None:
    for number in range(103):
        azure.cloud.container_service.create_cluster(
            "westeurope", SUBSCRIPTION, {"name": f"c{number:03}", "resource_group": "Many", "settled": True}
        )
    await running(azure)
    listing = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/managedClusters"
    first = (await azure.call("GET", listing)).body
    token = first["nextLink"].partition("$skiptoken=")[2].replace("%3D", "=")
    second = (await azure.call("GET", f"{listing}?$skiptoken={token}")).body
    names = [cluster["name"] for cluster in first["value"] + second["value"]]
    assert len(names) == len(set(names)) == 104
    assert "nextLink" not in second
    of_group = (await azure.call("GET", f"{GROUP}/providers/Microsoft.ContainerService/managedClusters")).body
    assert [cluster["name"] for cluster in of_group["value"]] == ["Shop"]


async def test_agent_pools_and_credentials(azure: Azure) -> None:
    await running(azure)
    pools = (await azure.call("GET", f"{CLUSTER}/agentPools")).body["value"]
    assert [(pool["name"], pool["properties"]["count"]) for pool in pools] == [("pool1", 3)]
    assert (await azure.call("GET", f"{CLUSTER}/agentPools/POOL1")).body["name"] == "pool1"
    assert (await azure.call("GET", f"{CLUSTER}/agentPools/other")).status == 404
    credential = (await azure.call("POST", f"{CLUSTER}/listClusterAdminCredential")).body
    assert credential["kubeconfigs"][0]["name"] == "clusterAdmin"


async def test_unknown_api_versions_are_refused(azure: Azure) -> None:
    refused = await azure.call("GET", CLUSTER, version="2031-01-01")
    assert (refused.status, refused.body["error"]["code"]) == (400, "NoRegisteredProviderFound")


async def test_a_deleted_group_takes_its_clusters_along(azure: Azure) -> None:
    await running(azure)
    await azure.call("DELETE", GROUP, version="2021-04-01")
    await azure.clock.advance(3600)
    assert azure.cloud.container_service.clusters() == []


async def test_clusters_to_order(azure: Azure) -> None:
    made = azure.cloud.container_service
    cluster_id = made.create_cluster(
        "westeurope",
        SUBSCRIPTION,
        {
            "name": "odd",
            "resource_group": "New",
            "tags": {"a": "b"},
            "identity": "ServicePrincipal",
            "power": "Stopped",
            "kubernetes_version": "1.31.2",
            "outbound_type": "none",
            "disk_csi": False,
            "snapshot_controller": None,
            "windows_only": True,
            "pod_identity": True,
            "namespaces": 900,
            "settled": True,
        },
    )
    assert azure.cloud.resources.group(SUBSCRIPTION, "New") is not None
    body = (await azure.call("GET", cluster_id)).body
    assert "identity" not in body
    assert body["tags"] == {"a": "b"}
    properties = body["properties"]
    assert (properties["powerState"], properties["provisioningState"]) == ({"code": "Stopped"}, "Succeeded")
    assert properties["currentKubernetesVersion"] == "1.31.2"
    assert properties["networkProfile"]["outboundType"] == "none"
    assert properties["storageProfile"]["diskCSIDriver"] == {"enabled": False}
    assert properties["storageProfile"]["snapshotController"] is None
    assert properties["podIdentityProfile"] == {"enabled": True}
    cluster = made.cluster(cluster_id)
    assert cluster is not None
    assert (len(cluster.contents.namespaces), cluster.has_x86_linux_pool, cluster.network_isolated) == (
        900,
        False,
        True,
    )
    assert (cluster.disk_csi, cluster.snapshot_controller, cluster.pod_identity) == (False, True, True)
    arm = made.cluster(made.create_cluster("westeurope", SUBSCRIPTION, {"arm64_only": True}))
    assert arm is not None
    assert not arm.has_x86_linux_pool
    assert arm.provisioning_state == "Creating"


@pytest.mark.parametrize(
    ("overrides", "named"), [({"colour": "red"}, "colour"), ({"power": "Off"}, "power"), ({"namespaces": "9"}, "9")]
)
async def test_an_order_that_cannot_be_understood_is_refused(
    azure: Azure, overrides: dict[str, Any], named: str
) -> None:
    with pytest.raises(ArmError, match=named) as refused:
        azure.cloud.container_service.create_cluster("westeurope", SUBSCRIPTION, overrides)
    assert refused.value.status == 400
    assert azure.cloud.container_service.clusters() == []


async def test_aks_throttles_for_itself(azure: Azure) -> None:
    await running(azure)
    pools = f"{CLUSTER}/agentPools"
    for _ in range(60):
        assert (await azure.call("GET", pools)).status == 200
    refused = await azure.call("POST", f"{CLUSTER}/listClusterAdminCredential")
    assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (429, "Throttled", "1")
    for _ in range(60):
        assert (await azure.call("GET", CLUSTER)).status == 200
    assert (await azure.call("GET", CLUSTER)).status == 429
    await azure.clock.advance(1)
    assert (await azure.call("GET", pools)).status == 200
    assert (await azure.call("GET", pools)).status == 429


@pytest.mark.parametrize("by", ["a person's PUT", "order"])
async def test_a_create_gives_two_write_events(azure: Azure, by: str) -> None:
    told: list[dict[str, Any]] = []

    async def deliver(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        [event] = json.loads(body)
        if headers["aeg-event-type"] == "SubscriptionValidation":
            return 200, {}, json.dumps({"validationResponse": event["data"]["validationCode"]}).encode()
        if event["data"]["operationName"] == "Microsoft.ContainerService/managedClusters/write":
            told.append(event)
        return 200, {}, b""

    azure.cloud.event_grid.deliver = deliver
    azure.cloud.resources.register(SUBSCRIPTION, "Microsoft.EventGrid", "Registered")
    topic = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/arm"
    source = {"source": f"/subscriptions/{SUBSCRIPTION}", "topicType": "Microsoft.Resources.Subscriptions"}
    await azure.call("PUT", topic, {"location": "global", "properties": source}, version="2025-02-15")
    webhook = {"endpointType": "WebHook", "properties": {"endpointUrl": "https://guard.example/hook"}}
    subscription = {"properties": {"destination": webhook}}
    await azure.call("PUT", f"{topic}/eventSubscriptions/guard", subscription, version="2025-02-15")
    await azure.clock.advance(60)

    if by == "order":
        wanted = {"name": "Shop", "resource_group": "Apps"}
        azure.cloud.container_service.create_cluster("westeurope", SUBSCRIPTION, wanted)
    else:
        await azure.call("PUT", CLUSTER, BODY)
    await azure.clock.advance(azure.cloud.timings.cluster_write - 1)
    assert [event["data"]["status"] for event in told] == ["Created"]
    await azure.clock.advance(60)

    assert [event["data"]["status"] for event in told] == ["Created", "Succeeded"]
    assert {event["subject"].lower() for event in told} == {CLUSTER.lower()}
    assert {event["eventType"] for event in told} == {"Microsoft.Resources.ResourceWriteSuccess"}


async def test_a_cluster_that_fails_to_come_up(azure: Azure) -> None:
    cluster_id = azure.cloud.container_service.create_cluster(
        "westeurope", SUBSCRIPTION, {"provisioning_state": "Failed"}
    )
    await azure.clock.advance_to(azure.clock.now() + timedelta(hours=1))
    assert (await azure.call("GET", cluster_id)).body["properties"]["provisioningState"] == "Failed"
    assert (await azure.call("PATCH", cluster_id, {"tags": {}})).status == 200
