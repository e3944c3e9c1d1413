"""Tags as a resource of their own, on whatever has tags: over REST, through the official SDK, and as events."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from simulator.eventgrid.webhooks import Answer
from simulator.transport import BASE_URL, AllowHttp, SimulatedCredential, SimulatedTransport
from tests.contract.data_protection_world import ACCOUNT, BACKUP_GROUP, CLUSTER, SUBSCRIPTION, VAULT, World

TAG_CONTRIBUTOR = "4a9ae827-6dc8-4573-8ac7-8239d42aa03f"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
# What the tags are of, and an api-version its own provider answers to.
SCOPES = [(CLUSTER, "2026-08-01"), (BACKUP_GROUP, "2022-09-01"), (VAULT, "2025-07-01"), (ACCOUNT, "2024-01-01")]


@pytest.fixture
async def world() -> World:
    world = World()
    await world.cluster()
    await world.vault()
    await world.storage()
    return world


@pytest.fixture
async def sdk(world: World) -> AsyncIterator[ResourceManagementClient]:
    async with ResourceManagementClient(
        SimulatedCredential(world.cloud, world.cloud.identity.operator),
        SUBSCRIPTION,
        base_url=BASE_URL,
        transport=SimulatedTransport(world.cloud),
        per_call_policies=[AllowHttp()],
        retry_total=0,
    ) as client:
        yield client


async def shown(world: World, scope: str, version: str) -> dict[str, str]:
    """The tags as the resource's own GET shows them."""
    answer = await world.call("GET", scope, version=version)
    assert answer.status == 200, answer.body
    tags: dict[str, str] | None = answer.body.get("tags")
    return tags or {}


def of(scope: str) -> str:
    return f"{scope}/providers/Microsoft.Resources/tags/default"


@pytest.mark.parametrize("api_version", ["2021-04-01", "2022-09-01"])
@pytest.mark.parametrize(("scope", "version"), SCOPES)
async def test_put_merge_delete_and_replace_reach_the_resource(
    world: World, scope: str, version: str, api_version: str
) -> None:
    async def write(method: str, tags: Mapping[str, str], operation: str | None = None) -> None:
        body = {"properties": {"tags": tags}, **({"operation": operation} if operation else {})}
        answer = await world.call(method, of(scope), body, api_version)
        assert answer.status == 200, answer.body
        assert answer.body["properties"]["tags"] == await shown(world, scope, version)
        assert (await world.call("GET", of(scope), version=api_version)).body == answer.body

    await write("PUT", {"team": "shop", "tier": "gold"})
    assert await shown(world, scope, version) == {"team": "shop", "tier": "gold"}
    await write("PATCH", {"tier": "silver", "owner": "ada"}, "Merge")
    assert await shown(world, scope, version) == {"team": "shop", "tier": "silver", "owner": "ada"}
    await write("PATCH", {"team": "shop", "tier": "another value"}, "Delete")
    assert await shown(world, scope, version) == {"tier": "silver", "owner": "ada"}
    await write("PATCH", {"new": "1"}, "Replace")
    assert await shown(world, scope, version) == {"new": "1"}
    assert (await world.call("DELETE", of(scope), version=api_version)).status == 200
    assert await shown(world, scope, version) == {}


@pytest.mark.parametrize(("scope", "version"), SCOPES)
async def test_the_sdk_writes_tags_at_any_scope(
    world: World, sdk: ResourceManagementClient, scope: str, version: str
) -> None:
    written = await sdk.tags.begin_create_or_update_at_scope(scope, {"properties": {"tags": {"a": "1"}}})
    assert (await written.result()).properties.tags == {"a": "1"}
    merged = await sdk.tags.begin_update_at_scope(scope, {"operation": "Merge", "properties": {"tags": {"b": "2"}}})
    assert (await merged.result()).properties.tags == {"a": "1", "b": "2"}
    assert await shown(world, scope, version) == {"a": "1", "b": "2"}
    assert (await sdk.tags.get_at_scope(scope)).properties.tags == {"a": "1", "b": "2"}
    await (await sdk.tags.begin_delete_at_scope(scope)).result()
    assert await shown(world, scope, version) == {}


async def test_a_scope_that_is_not_there_has_no_tags(world: World, sdk: ResourceManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        await sdk.tags.get_at_scope(f"{VAULT}2")
    answer = await world.call("PUT", of(f"{CLUSTER}2"), {"properties": {"tags": {"a": "1"}}}, "2022-09-01")
    assert (answer.status, answer.body["error"]["code"]) == (404, "ResourceNotFound")


async def test_an_operation_nobody_knows_is_refused(world: World) -> None:
    body = {"operation": "Add", "properties": {"tags": {"a": "1"}}}
    answer = await world.call("PATCH", of(CLUSTER), body, "2022-09-01")
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidTagsPatchOperation")
    assert await shown(world, CLUSTER, "2026-08-01") == {}


async def test_the_right_on_tags_is_enough_and_is_needed(world: World) -> None:
    tagger, reader = (world.cloud.identity.new_principal(name) for name in ("tagger", "reader"))
    world.cloud.authorization.grant(tagger.object_id, TAG_CONTRIBUTOR, CLUSTER)
    world.cloud.authorization.grant(reader.object_id, READER, CLUSTER)
    body = {"properties": {"tags": {"a": "1"}}}
    assert (await world.call("PATCH", CLUSTER, {"tags": {"a": "1"}}, "2026-08-01", tagger)).status == 403
    refused = await world.call("PUT", of(CLUSTER), body, "2022-09-01", reader)
    assert refused.status == 403
    assert "'Microsoft.Resources/tags/write'" in refused.body["error"]["message"]
    assert await shown(world, CLUSTER, "2026-08-01") == {}
    assert (await world.call("PUT", of(CLUSTER), body, "2022-09-01", tagger)).status == 200
    assert await shown(world, CLUSTER, "2026-08-01") == {"a": "1"}


async def test_a_cluster_that_takes_no_writes_keeps_its_tags(world: World) -> None:
    assert (await world.call("POST", f"{CLUSTER}/stop", version="2026-08-01")).status == 202
    answer = await world.call("PUT", of(CLUSTER), {"properties": {"tags": {"a": "1"}}}, "2022-09-01")
    assert (answer.status, answer.body["code"]) == (409, "OperationNotAllowed")
    assert await shown(world, CLUSTER, "2026-08-01") == {}


async def test_writing_tags_is_told_as_a_write_of_the_tags(world: World) -> None:
    heard: list[dict[str, Any]] = []

    async def deliver(_url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        (event,) = json.loads(body)
        if headers["aeg-event-type"] == "SubscriptionValidation":
            return 200, {}, json.dumps({"validationResponse": event["data"]["validationCode"]}).encode()
        heard.append(event)
        return 200, {}, b""

    world.cloud.event_grid.deliver = deliver
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": "https://guard.example/hook"}}
    subscription = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/all"
    body: dict[str, Any] = {"properties": {"destination": destination}}
    assert (await world.call("PUT", subscription, body, "2025-02-15")).status == 201
    await world.clock.advance(60)
    heard.clear()

    written = {"operation": "Merge", "properties": {"tags": {"aks-backup-guard-exempt": "true"}}}
    assert (await world.call("PATCH", of(CLUSTER), written, "2022-09-01")).status == 200
    await world.clock.advance(60)
    (event,) = heard
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["data"]["operationName"] == "Microsoft.Resources/tags/write"
    assert event["data"]["resourceUri"].lower() == of(CLUSTER).lower()
    assert event["subject"] == event["data"]["resourceUri"]
