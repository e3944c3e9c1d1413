"""Subscriptions, resource groups, providers, generic lists and tags, over REST and through the official SDK."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from simulator.arm.route import Principal
from simulator.clock import RealClock
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.transport import BASE_URL, AllowHttp, SimulatedCredential, SimulatedTransport
from tests.contract.arm_caller import READER, SUBSCRIPTION, ArmCaller, code


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller()


@pytest.fixture
async def sdk() -> AsyncIterator[tuple[Cloud, ResourceManagementClient]]:
    cloud = Cloud(RealClock(1000))
    credential = SimulatedCredential(cloud, cloud.identity.operator)
    async with ResourceManagementClient(
        credential,
        FIRST_SUBSCRIPTION,
        base_url=BASE_URL,
        transport=SimulatedTransport(cloud),
        per_call_policies=[AllowHttp()],
        retry_total=0,
    ) as client:
        yield cloud, client


async def test_subscriptions_are_those_the_caller_may_read(arm: ArmCaller) -> None:
    other = "00000000-0000-0000-0000-0000000000b2"
    arm.cloud.resources.add_subscription(other, "Second")
    listed = await arm.call("GET", "/subscriptions", version="2022-12-01")
    assert [each["subscriptionId"] for each in listed.body["value"]] == [FIRST_SUBSCRIPTION, other]
    assert listed.body["value"][1]["displayName"] == "Second"
    assert listed.body["value"][1]["tenantId"] == arm.cloud.identity.tenant_id
    reader = arm.cloud.identity.new_principal("reader")
    none = await arm.call("GET", "/subscriptions", version="2022-12-01", principal=reader)
    assert none.body["value"] == []
    arm.cloud.authorization.grant(reader.object_id, READER, f"/subscriptions/{other}")
    one = await arm.call("GET", "/subscriptions", version="2022-12-01", principal=reader)
    assert [each["subscriptionId"] for each in one.body["value"]] == [other]


async def test_one_subscription_its_regions_and_the_tenant(arm: ArmCaller) -> None:
    one = await arm.call("GET", SUBSCRIPTION, version="2022-12-01")
    assert (one.body["id"], one.body["state"]) == (SUBSCRIPTION, "Enabled")
    regions = await arm.call("GET", f"{SUBSCRIPTION}/locations", version="2022-12-01")
    assert {"westeurope", "northeurope", "eastus"} <= {region["name"] for region in regions.body["value"]}
    tenants = await arm.call("GET", "/tenants", version="2022-12-01")
    assert [tenant["tenantId"] for tenant in tenants.body["value"]] == [arm.cloud.identity.tenant_id]


async def test_every_new_subscription_has_the_apps_and_the_operators_roles(arm: ArmCaller) -> None:
    await arm.control("POST", "subscriptions", {"id": "00000000-0000-0000-0000-0000000000b2"})
    scope = "/subscriptions/00000000-0000-0000-0000-0000000000b2/resourceGroups/x"
    for principal, may in ((arm.cloud.identity.app, True), (arm.cloud.identity.operator, True)):
        allowed = arm.cloud.authorization.allowed(principal.object_id, "Microsoft.Authorization/locks/write", scope)
        assert allowed is (principal is arm.cloud.identity.operator)
        action = "Microsoft.Authorization/roleAssignments/write"
        assert arm.cloud.authorization.allowed(principal.object_id, action, scope) is may


@pytest.mark.parametrize(
    ("name", "body", "status", "said"),
    [
        ("rg", {"location": "westeurope"}, 201, None),
        ("rg", {"location": "West Europe"}, 201, None),
        ("rg", {}, 400, "LocationRequired"),
        ("rg", {"location": "atlantis"}, 400, "LocationNotAvailableForResourceGroup"),
        ("ends.", {"location": "westeurope"}, 400, "InvalidResourceGroupName"),
        ("n" * 91, {"location": "westeurope"}, 400, "InvalidResourceGroupName"),
        ("sp ace", {"location": "westeurope"}, 400, "InvalidResourceGroupName"),
        ("rg", {"location": "westeurope", "tags": {"a": 1}}, 400, "InvalidRequestContent"),
        ("rg", {"location": "westeurope", "tags": {f"t{n}": "" for n in range(51)}}, 400, "TooManyTags"),
        ("rg", {"location": "westeurope", "tags": {"a": "v" * 257}}, 400, "TagValueTooLong"),
    ],
)
async def test_what_a_resource_group_may_be(
    arm: ArmCaller, name: str, body: dict[str, object], status: int, said: str | None
) -> None:
    answer = await arm.call("PUT", f"{SUBSCRIPTION}/resourceGroups/{name}", body)
    assert answer.status == status
    if said is None:
        assert answer.body["location"] == "westeurope"
    else:
        assert code(answer) == said


async def test_a_group_keeps_its_location_and_takes_new_tags(arm: ArmCaller) -> None:
    group = await arm.group(tags={"a": "1"})
    again = await arm.call("PUT", group, {"location": "westeurope", "tags": {"b": "2"}})
    assert (again.status, again.body["tags"]) == (200, {"b": "2"})
    moved = await arm.call("PUT", group, {"location": "northeurope"})
    assert (moved.status, code(moved)) == (409, "InvalidResourceGroupLocation")
    patched = await arm.call("PATCH", group, {"tags": {"c": "3"}})
    assert patched.body["tags"] == {"c": "3"}
    assert (await arm.call("GET", group)).body["tags"] == {"c": "3"}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("tagName eq 'Team'", ["one", "two"]),
        ("tagname eq 'team' and tagvalue eq 'red'", ["one"]),
        ("tagName eq 'team' and tagValue eq 'Red'", []),
        ("tagValue eq 'o''neil'", ["two"]),
    ],
)
async def test_groups_by_tag(arm: ArmCaller, expression: str, names: list[str]) -> None:
    await arm.group("one", tags={"team": "red"})
    await arm.group("two", tags={"team": "blue", "owner": "o'neil"})
    await arm.group("three")
    listed = await arm.call("GET", f"{SUBSCRIPTION}/resourceGroups", filter=expression)
    assert [group["name"] for group in listed.body["value"]] == names


@pytest.mark.parametrize(
    "expression", ["name ne 'x'", "tagName eq team", "tagName eq 'a' or tagName eq 'b'", "colour eq 'x'"]
)
async def test_a_filter_nobody_understands_is_refused(arm: ArmCaller, expression: str) -> None:
    listed = await arm.call("GET", f"{SUBSCRIPTION}/resourceGroups", filter=expression)
    assert (listed.status, code(listed)) == (400, "InvalidFilterInQueryString")


async def test_deleting_a_group_takes_time_and_everything_in_it(arm: ArmCaller) -> None:
    group = await arm.group()
    inner = f"{group}/providers/Microsoft.Things/things/t"
    arm.cloud.resources.track(inner, "Microsoft.Things/things", "westeurope", {}, dict)
    person = arm.cloud.identity.new_principal("person")
    arm.cloud.authorization.grant(person.object_id, READER, inner)
    started = await arm.call("DELETE", group)
    assert (started.status, started.body) == (202, None)
    assert started.headers["Retry-After"] == "15"
    poll = started.headers["Location"].removeprefix("http://127.0.0.1").partition("?")[0]
    assert (await arm.call("GET", group)).body["properties"]["provisioningState"] == "Deleting"
    assert (await arm.call("GET", poll)).status == 202
    refused = await arm.call("PUT", group, {"location": "westeurope"})
    assert (refused.status, code(refused)) == (409, "ResourceGroupBeingDeleted")
    await arm.clock.advance(arm.cloud.timings.resource_group_delete)
    assert (await arm.call("GET", poll)).status == 200
    assert (await arm.call("GET", group)).status == 404
    assert (await arm.call("DELETE", group)).status == 404
    assert arm.cloud.resources.tracked(inner) is None
    assert arm.cloud.authorization.assignments_of(person.object_id) == []
    assert (await arm.call("PUT", group, {"location": "northeurope"})).status == 201


async def test_a_clusters_group_goes_with_the_cluster(arm: ArmCaller) -> None:
    made = await arm.control("POST", "clusters", {"count": 1, "location": "westeurope"})
    (cluster,) = made.body["ids"]
    await arm.clock.advance(3600)
    group = cluster.partition("/providers/")[0]
    listed = await arm.call(
        "GET", f"{group}/resources", filter="resourceType eq 'microsoft.containerservice/managedclusters'"
    )
    assert [each["id"] for each in listed.body["value"]] == [cluster]
    assert "properties" not in listed.body["value"][0]
    await arm.call("DELETE", group)
    await arm.clock.advance(3600)
    assert arm.cloud.container_service.cluster(cluster) is None
    assert (await arm.call("GET", f"{SUBSCRIPTION}/resources")).body["value"] == []


async def test_generic_lists_come_in_pages_and_by_filter(arm: ArmCaller) -> None:
    group = await arm.group()
    for number in range(5):
        tags = {"odd": "yes"} if number % 2 else {}
        arm.cloud.resources.track(
            f"{group}/providers/Microsoft.Things/things/t{number}",
            "Microsoft.Things/things",
            "westeurope",
            tags,
            partial(dict[str, Any], tags=tags, properties={"secret": 1}),
        )
    tagged = await arm.call("GET", f"{SUBSCRIPTION}/resources", filter="tagName eq 'odd'")
    assert [each["name"] for each in tagged.body["value"]] == ["t1", "t3"]
    by_name = await arm.call("GET", f"{SUBSCRIPTION}/resources", filter="name eq 'T4' and resourceGroup eq 'rg'")
    assert [each["name"] for each in by_name.body["value"]] == ["t4"]
    found: list[str] = []
    page = await arm.call("GET", f"{group}/resources", top="2")
    while True:
        found += [each["name"] for each in page.body["value"]]
        link = page.body.get("nextLink")
        if link is None:
            break
        token = link.partition("skiptoken=")[2].replace("%3D", "=")
        assert "api-version=2022-09-01" in link
        page = await arm.call("GET", f"{group}/resources", top="2", skiptoken=token)
    assert found == [f"t{number}" for number in range(5)]
    bad = await arm.call("GET", f"{group}/resources", skiptoken="!")
    assert (bad.status, code(bad)) == (400, "InvalidSkipToken")


async def test_providers_begin_as_in_a_new_subscription_and_register_in_time(arm: ArmCaller) -> None:
    listed = await arm.call("GET", f"{SUBSCRIPTION}/providers")
    states = {each["namespace"]: each["registrationState"] for each in listed.body["value"]}
    assert states["Microsoft.DataProtection"] == states["Microsoft.KubernetesConfiguration"] == "NotRegistered"
    assert states["Microsoft.ContainerService"] == states["Microsoft.Storage"] == "Registered"
    path = f"{SUBSCRIPTION}/providers/microsoft.dataprotection"
    answer = await arm.call("POST", f"{path}/register")
    assert (answer.status, answer.body["registrationState"]) == (200, "Registering")
    assert (await arm.call("POST", f"{path}/register")).body["registrationState"] == "Registering"
    await arm.clock.advance(arm.cloud.timings.provider_registration - 1)
    assert (await arm.call("GET", path)).body["registrationState"] == "Registering"
    await arm.clock.advance(1)
    assert (await arm.call("GET", path)).body["registrationState"] == "Registered"
    await arm.call("POST", f"{path}/unregister")
    assert (await arm.call("GET", path)).body["registrationState"] == "Unregistering"
    await arm.clock.advance(arm.cloud.timings.provider_registration)
    assert (await arm.call("GET", path)).body["registrationState"] == "Unregistered"


async def test_a_provider_in_use_cannot_be_unregistered(arm: ArmCaller) -> None:
    await arm.control("POST", "clusters", {"count": 1, "location": "westeurope"})
    answer = await arm.call("POST", f"{SUBSCRIPTION}/providers/Microsoft.ContainerService/unregister")
    assert (answer.status, code(answer)) == (409, "CannotUnregisterNamespaceWithResources")


async def test_api_versions_of_a_type_are_those_its_routes_take(arm: ArmCaller) -> None:
    answer = await arm.call("GET", f"{SUBSCRIPTION}/providers/Microsoft.ContainerService")
    types = {each["resourceType"]: each for each in answer.body["resourceTypes"]}
    version = types["managedClusters"]["apiVersions"][0]
    listed = await arm.call(
        "GET", f"{SUBSCRIPTION}/providers/Microsoft.ContainerService/managedClusters", version=version
    )
    assert listed.status == 200
    assert "West Europe" in types["managedClusters"]["locations"]


async def test_tags_of_groups_and_subscriptions(arm: ArmCaller) -> None:
    group = await arm.group(tags={"a": "1"})
    for scope in (group, SUBSCRIPTION):
        path = f"{scope}/providers/Microsoft.Resources/tags/default"
        await arm.call("PUT", path, {"properties": {"tags": {"a": "1"}}})
        merged = await arm.call("PATCH", path, {"operation": "Merge", "properties": {"tags": {"b": "2"}}})
        assert merged.body["properties"]["tags"] == {"a": "1", "b": "2"}
        await arm.call("PATCH", path, {"operation": "Delete", "properties": {"tags": {"a": "1", "b": "other"}}})
        assert (await arm.call("GET", path)).body["properties"]["tags"] == {"b": "2"}
        assert (await arm.call("GET", scope)).body["tags"] == {"b": "2"}


async def test_tags_of_a_resource_are_written_through_its_provider(arm: ArmCaller) -> None:
    made = await arm.control("POST", "clusters", {"count": 1, "location": "westeurope"})
    (cluster,) = made.body["ids"]
    await arm.clock.advance(3600)
    path = f"{cluster}/providers/Microsoft.Resources/tags/default"
    await arm.call("PUT", path, {"properties": {"tags": {"a": "1", "b": "2"}}})
    await arm.call("PATCH", path, {"operation": "Delete", "properties": {"tags": {"a": "1", "b": "other"}}})
    merged = await arm.call("PATCH", path, {"operation": "Merge", "properties": {"tags": {"c": "3"}}})
    assert merged.body["properties"]["tags"] == {"b": "2", "c": "3"}
    assert (await arm.call("GET", path)).body["properties"]["tags"] == {"b": "2", "c": "3"}
    assert (await arm.call("GET", cluster, version="2025-07-01")).body["tags"] == {"b": "2", "c": "3"}
    assert (await arm.call("DELETE", path)).status == 200
    assert "tags" not in (await arm.call("GET", cluster, version="2025-07-01")).body
    nothing = await arm.call("PUT", path.replace(cluster, f"{cluster}x"), {"properties": {"tags": {}}})
    assert (nothing.status, code(nothing)) == (404, "ResourceNotFound")


async def test_a_resource_is_found_when_asked_for_with_an_empty_parent(arm: ArmCaller) -> None:
    """So the generic resource client asks, and with it `az resource`."""
    made = await arm.control("POST", "clusters", {"count": 1, "location": "westeurope"})
    (cluster,) = made.body["ids"]
    answer = await arm.call("GET", cluster.replace("/managedClusters/", "//managedClusters/"), version="2025-07-01")
    assert (answer.status, answer.body["name"]) == (200, cluster.rpartition("/")[2])


async def test_the_sdk_makes_lists_and_deletes_groups(sdk: tuple[Cloud, ResourceManagementClient]) -> None:
    _, client = sdk
    await client.resource_groups.create_or_update("rg", {"location": "westeurope", "tags": {"a": "1"}})
    assert await client.resource_groups.check_existence("rg")
    assert not await client.resource_groups.check_existence("none")
    assert [group.name async for group in client.resource_groups.list(filter="tagName eq 'a'")] == ["rg"]
    deletion = await client.resource_groups.begin_delete("rg", polling_interval=0)
    await deletion.wait()
    with pytest.raises(ResourceNotFoundError):
        await client.resource_groups.get("rg")


async def test_the_sdks_waits_pass_in_virtual_time() -> None:
    arm = ArmCaller()
    await arm.group()
    async with ResourceManagementClient(
        SimulatedCredential(arm.cloud, arm.cloud.identity.operator),
        FIRST_SUBSCRIPTION,
        base_url=BASE_URL,
        transport=SimulatedTransport(arm.cloud),
        per_call_policies=[AllowHttp()],
    ) as client:
        begun = arm.clock.now()
        deletion = asyncio.ensure_future((await client.resource_groups.begin_delete("rg")).wait())
        while not deletion.done():
            for _ in range(50):  # turns of the event loop, until nothing but time can move the poller on
                await asyncio.sleep(0)
            due = arm.clock.next_due()
            if due is not None:
                await arm.clock.advance_to(due)
        await deletion
    assert (arm.clock.now() - begun).total_seconds() == 30  # polled at once and then every 15 s, as ARM asked
    polls = [call.status for call in arm.cloud.front_door.calls.all() if "/operationresults/" in call.path]
    assert polls == [202, 202, 200]


async def test_the_sdk_reads_providers_and_errors(sdk: tuple[Cloud, ResourceManagementClient]) -> None:
    cloud, client = sdk
    provider = await client.providers.get("Microsoft.ContainerService")
    assert provider.registration_state == "Registered"
    with pytest.raises(HttpResponseError) as refused:
        await client.resource_groups.create_or_update("rg", {"location": "nowhere"})
    assert refused.value.error is not None
    assert refused.value.error.code == "LocationNotAvailableForResourceGroup"
    cloud.identity.remove_principal(cloud.identity.operator.object_id)
    with pytest.raises(HttpResponseError) as unknown:
        await client.resource_groups.get("rg")
    assert unknown.value.status_code == 401


async def test_a_lost_answer_is_a_request_error_to_the_sdk(sdk: tuple[Cloud, ResourceManagementClient]) -> None:
    cloud, client = sdk
    arm = ArmCaller()
    arm.cloud = cloud
    await arm.control("POST", "faults", {"match": {"method": "PUT", "times": 1}, "then": {"lose_answer": True}})
    with pytest.raises(ServiceRequestError):
        await client.resource_groups.create_or_update("rg", {"location": "westeurope"})
    assert await client.resource_groups.check_existence("rg")


def test_fixed_principals_are_distinct() -> None:
    cloud = ArmCaller().cloud
    principals: list[Principal] = [cloud.identity.app, cloud.identity.operator]
    ids = {value for each in principals for value in (each.object_id, each.application_id)}
    assert len(ids) == 4


async def test_namespaces_without_types_can_be_registered(arm: ArmCaller) -> None:
    path = f"{SUBSCRIPTION}/providers/microsoft.kubernetes"
    before = (await arm.call("GET", path)).body
    assert (before["namespace"], before["registrationState"]) == ("Microsoft.Kubernetes", "NotRegistered")
    assert before["resourceTypes"] == []
    await arm.call("POST", f"{path}/register")
    await arm.clock.advance(arm.cloud.timings.provider_registration)
    assert (await arm.call("GET", path)).body["registrationState"] == "Registered"
    listed = {each["namespace"] for each in (await arm.call("GET", "/providers")).body["value"]}
    assert {"Microsoft.Kubernetes", "Microsoft.Network", "Microsoft.DataProtection"} <= listed
    network = f"{await arm.group()}/providers/Microsoft.Network/virtualNetworks/v"
    assert code(await arm.call("GET", network)) == "InvalidResourceType"
    unknown = await arm.call("POST", f"{SUBSCRIPTION}/providers/Microsoft.Unheard/register")
    assert (unknown.status, code(unknown)) == (404, "InvalidResourceNamespace")
