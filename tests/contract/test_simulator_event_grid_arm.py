"""Event Grid over ARM: system topics, event subscriptions, their operations, handshakes and refusals."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.eventgrid.webhooks import Answer
from simulator.http import Request, Response

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
ROOT = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{ROOT}/resourceGroups/Events"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/Arm"
CUSTOM = f"{GROUP}/providers/Microsoft.EventGrid/topics/Jobs"
GUARD = f"{TOPIC}/eventSubscriptions/Guard"
URL = "https://guard.example/runtime/webhooks/eventgrid?functionName=cluster_events&code=secret"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 1, 20, 5, 7, tzinfo=UTC))


@pytest.fixture
def cloud(clock: VirtualClock) -> Cloud:
    cloud = Cloud(clock, seed=1)
    cloud.resources.add_subscription(SUBSCRIPTION)
    cloud.resources.register(SUBSCRIPTION, "Microsoft.EventGrid", "Registered")
    cloud.resources.add_group(SUBSCRIPTION, "Events", "westeurope")

    async def deliver(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers["aeg-event-type"] == "Notification":  # writing event subscriptions is an ARM event as well
            return 200, {}, b""
        code = json.loads(body)[0]["data"]["validationCode"]
        return 200, {}, json.dumps({"validationResponse": code}).encode()

    cloud.event_grid.deliver = deliver
    return cloud


async def ask(cloud: Cloud, method: str, path: str, body: Any = None, version: str = "2025-02-15") -> Response:
    path, _, query = path.partition("?")
    if query:
        version = query.removeprefix("api-version=")
    headers = {"authorization": f"Bearer {cloud.identity.token(cloud.identity.operator)}"}
    content = b"" if body is None else json.dumps(body).encode()
    return await cloud.respond(Request(method, path, query={"api-version": version}, headers=headers, body=content))


def system_topic(source: str = ROOT, kind: str = "Microsoft.Resources.Subscriptions") -> dict[str, Any]:
    return {"location": "global", "properties": {"source": source, "topicType": kind}, "tags": {"a": "b"}}


def webhook(url: str = URL, **properties: Any) -> dict[str, Any]:
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": url}}
    return {"properties": {"destination": destination, **properties}}


async def operation(cloud: Cloud, answer: Response) -> Response:
    """What the operation of an answer says now."""
    return await ask(cloud, "GET", answer.headers["Azure-AsyncOperation"].removeprefix("http://127.0.0.1"))


async def test_a_system_topic_is_made_at_once_and_answered_in_its_makers_casing(cloud: Cloud) -> None:
    made = await ask(cloud, "PUT", TOPIC, system_topic())
    assert made.status == 200
    assert made.body["id"] == TOPIC
    assert made.body["type"] == "Microsoft.EventGrid/systemTopics"
    assert made.body["properties"]["provisioningState"] == "Succeeded"
    read = await ask(cloud, "GET", TOPIC.lower(), version="2022-06-15")
    assert read.body == made.body
    for place in (ROOT, GROUP):
        listed = await ask(cloud, "GET", f"{place}/providers/Microsoft.EventGrid/systemTopics")
        assert listed.body == {"value": [made.body]}
    generic = await ask(cloud, "GET", f"{GROUP}/resources", version="2021-04-01")
    assert [one["id"] for one in generic.body["value"]] == [TOPIC]


async def test_one_system_topic_per_source(cloud: Cloud) -> None:
    await ask(cloud, "PUT", TOPIC, system_topic())
    second = await ask(cloud, "PUT", TOPIC.replace("Arm", "Second"), system_topic(ROOT.upper().replace("SUBS", "subs")))
    assert (second.status, second.body["error"]["code"]) == (400, "InvalidRequest")
    assert "Only one system topic is allowed per source." in second.body["error"]["message"]
    again = await ask(cloud, "PUT", TOPIC, system_topic())
    assert again.status == 200
    moved = await ask(cloud, "PUT", TOPIC, system_topic(GROUP, "Microsoft.Resources.ResourceGroups"))
    assert moved.body["error"]["message"] == "System topic source cannot be modified."
    other = await ask(
        cloud, "PUT", TOPIC.replace("Arm", "Second"), system_topic(GROUP, "Microsoft.Resources.ResourceGroups")
    )
    assert other.status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"location": "westeurope"},
        {"properties": {"source": ROOT, "topicType": "Microsoft.Storage.StorageAccounts"}},
        {"properties": {"source": GROUP, "topicType": "Microsoft.Resources.Subscriptions"}},
        {"properties": {}},
        {"properties": None},
        {"identity": {"type": "Sideways"}},
        {"tags": "none"},
    ],
)
async def test_bad_system_topics_are_refused(cloud: Cloud, change: dict[str, Any]) -> None:
    answer = await ask(cloud, "PUT", TOPIC, system_topic() | change)
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidRequest")
    assert (await ask(cloud, "GET", TOPIC)).status == 404


async def test_an_unknown_api_version_is_refused(cloud: Cloud) -> None:
    answer = await ask(cloud, "PUT", TOPIC, system_topic(), version="2024-01-01")
    assert (answer.status, answer.body["error"]["code"]) == (400, "NoRegisteredProviderFound")


async def test_an_event_subscription_is_made_after_its_handshake(cloud: Cloud, clock: VirtualClock) -> None:
    await ask(cloud, "PUT", TOPIC, system_topic())
    made = await ask(cloud, "PUT", GUARD, webhook(filter={"includedEventTypes": ["A.B"]}))
    assert made.status == 201
    assert made.body["properties"]["provisioningState"] == "Creating"
    assert "/providers/Microsoft.EventGrid/operationsStatus/" in made.headers["Azure-AsyncOperation"]
    assert (await operation(cloud, made)).body["status"] == "InProgress"
    await clock.advance(30)
    done = await operation(cloud, made)
    assert done.body["status"] == "Succeeded"
    assert done.body["id"].endswith("?api-version=2025-02-15")
    read = (await ask(cloud, "GET", GUARD)).body
    assert (read["id"], read["name"], read["type"]) == (
        GUARD,
        "Guard",
        "Microsoft.EventGrid/systemTopics/eventSubscriptions",
    )
    assert read["properties"] == {
        "topic": f"{GROUP}/providers/microsoft.eventgrid/systemtopics/Arm",
        "provisioningState": "Succeeded",
        "destination": {
            "endpointType": "WebHook",
            "properties": {
                "endpointUrl": None,
                "endpointBaseUrl": "https://guard.example/runtime/webhooks/eventgrid",
                "maxEventsPerBatch": 1,
                "preferredBatchSizeInKilobytes": 64,
            },
        },
        "filter": {"subjectBeginsWith": "", "subjectEndsWith": "", "includedEventTypes": ["A.B"]},
        "labels": None,
        "eventDeliverySchema": "EventGridSchema",
        "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
    }
    assert (await ask(cloud, "POST", f"{GUARD}/getFullUrl")).body == {"endpointUrl": URL}
    assert (await ask(cloud, "POST", f"{GUARD}/getDeliveryAttributes")).body == {"value": []}
    listed = await ask(cloud, "GET", f"{TOPIC}/eventSubscriptions")
    assert listed.body == {"value": [read]}


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (202, b'{"validationResponse":"CODE"}', "Http POST request failed with response code Accepted."),
        (404, b"", "Http POST request failed with response code NotFound."),
        (200, b'{"validationResponse":"wrong"}', "Http GET is expected on the validation url"),
        (200, b"fine", "Http POST request retuned 2XX response with response body fine."),
        (None, b"", "Http POST request failed with response code Unknown."),
    ],
)
async def test_a_failed_handshake_fails_the_operation(
    cloud: Cloud, clock: VirtualClock, status: int | None, body: bytes, says: str
) -> None:
    async def deliver(_url: str, _headers: Mapping[str, str], content: bytes) -> Answer:
        if status is None:
            raise OSError("refused")
        code = json.loads(content)[0]["data"]["validationCode"]
        return status, {}, body.replace(b"CODE", code.encode())

    cloud.event_grid.deliver = deliver
    await ask(cloud, "PUT", TOPIC, system_topic())
    made = await ask(cloud, "PUT", GUARD, webhook())
    await clock.advance(30)
    failed = (await operation(cloud, made)).body
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "Url validation")
    message = failed["error"]["message"]
    assert message.startswith(
        "Webhook validation handshake failed for https://guard.example/runtime/webhooks/eventgrid."
    )
    assert says in message
    assert message.endswith("timestamp: 3/1/2026 8:05:12 PM (UTC).")
    assert "secret" not in message
    assert (await ask(cloud, "GET", GUARD)).body["properties"]["provisioningState"] == "Failed"


@pytest.mark.parametrize(
    ("status", "headers", "state"),
    [
        (200, {"webhook-allowed-origin": "eventgrid.azure.net"}, "Succeeded"),
        (200, {"WebHook-Allowed-Origin": "*"}, "Succeeded"),
        (200, {"WebHook-Allowed-Origin": "elsewhere.example"}, "Failed"),
        (200, {}, "Failed"),
        (405, {"WebHook-Allowed-Origin": "*"}, "Failed"),
    ],
)
async def test_the_cloud_events_handshake_is_an_options_request(
    cloud: Cloud, clock: VirtualClock, status: int, headers: dict[str, str], state: str
) -> None:
    asked: list[Mapping[str, str]] = []

    async def preflight(url: str, sent: Mapping[str, str]) -> Answer:
        assert url == URL
        asked.append(sent)
        return status, headers, b""

    cloud.event_grid.preflight = preflight
    await ask(cloud, "PUT", TOPIC, system_topic())
    await ask(cloud, "PUT", GUARD, webhook(eventDeliverySchema="CloudEventSchemaV1_0"))
    await clock.advance(30)
    assert (await ask(cloud, "GET", GUARD)).body["properties"]["provisioningState"] == state
    assert asked[0]["WebHook-Request-Origin"] == "eventgrid.azure.net"


def filters(count: int, *, key: str = "data.x") -> dict[str, Any]:
    return {"advancedFilters": [{"operatorType": "IsNotNull", "key": key}] * count}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "properties"),
        ({"properties": {}}, "destination"),
        (webhook("http://guard.example/"), "https"),
        (webhook("not a url"), "https"),
        ({"properties": {"destination": {"endpointType": "EventHub", "properties": {}}}}, "EventHub"),
        (webhook(filter=filters(26)), "26"),
        (webhook(filter={"advancedFilters": [{"operatorType": "Like", "key": "a", "values": ["b"]}]}), "Like"),
        (webhook(filter=[]), None),
        (webhook(retryPolicy={"maxDeliveryAttempts": 31}), "maxDeliveryAttempts"),
        (webhook(retryPolicy={"maxDeliveryAttempts": 0}), "maxDeliveryAttempts"),
        (webhook(retryPolicy={"eventTimeToLiveInMinutes": 1441}), "eventTimeToLiveInMinutes"),
        (webhook(retryPolicy={"eventTimeToLiveInMinutes": "5"}), "eventTimeToLiveInMinutes"),
        (webhook(eventDeliverySchema="CustomInputSchema"), "CustomInputSchema"),
        (webhook(deadLetterDestination={"endpointType": "StorageQueue", "properties": {}}), "StorageBlob"),
        (
            webhook(
                deadLetterDestination={
                    "endpointType": "StorageBlob",
                    "properties": {"resourceId": "/x", "blobContainerName": "y"},
                }
            ),
            "storage account",
        ),
        (webhook(expirationTimeUtc="2026-02-01T00:00:00Z"), "future"),
    ],
)
async def test_bad_event_subscriptions_are_refused(cloud: Cloud, body: dict[str, Any], says: str | None) -> None:
    await ask(cloud, "PUT", TOPIC, system_topic())
    answer = await ask(cloud, "PUT", GUARD, body)
    if says is None:  # an empty array is no filter at all
        assert answer.status == 201
        return
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidRequest")
    assert says in answer.body["error"]["message"]
    assert (await ask(cloud, "GET", GUARD)).status == 404


async def test_names_and_topics_must_be_right(cloud: Cloud) -> None:
    orphan = await ask(cloud, "PUT", GUARD, webhook())
    assert (orphan.status, orphan.body["error"]["code"]) == (404, "ResourceNotFound")
    await ask(cloud, "PUT", TOPIC, system_topic())
    assert (await ask(cloud, "PUT", f"{TOPIC}/eventSubscriptions/a_b", webhook())).status == 400


async def test_an_update_changes_only_what_it_names_and_a_failed_one_leaves_what_was_active(
    cloud: Cloud, clock: VirtualClock
) -> None:
    await ask(cloud, "PUT", TOPIC, system_topic())
    await ask(cloud, "PUT", GUARD, webhook(labels=["a"]))
    await clock.advance(30)
    changed = await ask(cloud, "PATCH", GUARD, {"retryPolicy": {"maxDeliveryAttempts": 5}})
    assert changed.status == 201
    assert changed.body["properties"]["provisioningState"] == "Updating"
    await clock.advance(30)
    properties = (await ask(cloud, "GET", GUARD)).body["properties"]
    assert properties["retryPolicy"]["maxDeliveryAttempts"] == 5
    assert properties["labels"] == ["a"]
    assert (await ask(cloud, "POST", f"{GUARD}/getFullUrl")).body == {"endpointUrl": URL}

    got: list[str] = []

    async def deliver(url: str, headers: Mapping[str, str], _body: bytes) -> Answer:
        if headers["aeg-event-type"] == "Notification":
            got.append(url)
            return 200, {}, b""
        return 500, {}, b""

    cloud.event_grid.deliver = deliver
    await ask(cloud, "PUT", GUARD, webhook("https://elsewhere.example/"))
    await clock.advance(30)
    assert (await ask(cloud, "GET", GUARD)).body["properties"]["provisioningState"] == "Failed"
    got.clear()
    await ask(cloud, "PUT", f"{ROOT}/resourceGroups/fresh", {"location": "westeurope"}, "2021-04-01")
    await clock.advance(0)
    assert got == [URL]


async def test_extension_event_subscriptions_on_a_subscription_a_group_and_a_topic(
    cloud: Cloud, clock: VirtualClock
) -> None:
    made = await ask(cloud, "PUT", CUSTOM, {"location": "westeurope"})
    await clock.advance(30)
    assert (await operation(cloud, made)).body["status"] == "Succeeded"
    for scope, topic in ((ROOT, ROOT), (GROUP, GROUP), (CUSTOM, f"{GROUP}/providers/microsoft.eventgrid/topics/Jobs")):
        path = f"{scope}/providers/Microsoft.EventGrid/eventSubscriptions/direct"
        assert (await ask(cloud, "PUT", path, webhook())).status == 201
        await clock.advance(30)
        read = (await ask(cloud, "GET", path)).body
        assert (read["id"], read["type"]) == (path, "Microsoft.EventGrid/eventSubscriptions")
        assert (read["properties"]["topic"], read["properties"]["provisioningState"]) == (topic, "Succeeded")
        listed = (await ask(cloud, "GET", path.rpartition("/")[0])).body["value"]
        assert [one["id"] for one in listed] == [path]
        assert (await ask(cloud, "DELETE", path)).status == 202
        assert (await ask(cloud, "DELETE", path)).status == 204
    cluster = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c"
    path = f"{cluster}/providers/Microsoft.EventGrid/eventSubscriptions/direct"
    assert (await ask(cloud, "PUT", path, webhook())).status == 400


async def test_deleting_a_topic_or_its_group_takes_the_event_subscriptions_along(
    cloud: Cloud, clock: VirtualClock
) -> None:
    await ask(cloud, "PUT", TOPIC, system_topic())
    await ask(cloud, "PUT", GUARD, webhook())
    gone = await ask(cloud, "DELETE", TOPIC)
    assert gone.status == 202
    assert "/operationResults/" in gone.headers["Location"]
    assert (await operation(cloud, gone)).body["status"] == "Succeeded"
    assert (await ask(cloud, "GET", GUARD)).status == 404
    assert (await ask(cloud, "DELETE", TOPIC)).status == 204
    await ask(cloud, "PUT", TOPIC, system_topic())
    assert (await ask(cloud, "GET", f"{TOPIC}/eventSubscriptions")).body == {"value": []}
    await ask(cloud, "PUT", GUARD, webhook())
    await ask(cloud, "DELETE", GROUP, version="2021-04-01")
    await clock.advance(3600)
    assert (await ask(cloud, "GET", f"{ROOT}/providers/Microsoft.EventGrid/systemTopics")).body == {"value": []}
    assert (await ask(cloud, "GET", f"{ROOT}/resources", version="2021-04-01")).body["value"] == []


async def test_a_custom_topic_shows_its_endpoint_and_keys(cloud: Cloud, clock: VirtualClock) -> None:
    body = {"location": "westeurope", "properties": {"inputSchema": "CloudEventSchemaV1_0"}}
    made = await ask(cloud, "PUT", CUSTOM, body)
    assert made.status == 201
    assert made.body["properties"]["endpoint"] is None
    assert "/locations/westeurope/operationsStatus/" in made.headers["Azure-AsyncOperation"]
    await clock.advance(30)
    read = (await ask(cloud, "GET", CUSTOM)).body
    assert read["properties"]["endpoint"] == "http://127.0.0.1/eventgrid/topics/Jobs/api/events"
    assert read["properties"]["inputSchema"] == "CloudEventSchemaV1_0"
    keys = (await ask(cloud, "POST", f"{CUSTOM}/listKeys")).body
    assert set(keys) == {"key1", "key2"}
    renewed = (await ask(cloud, "POST", f"{CUSTOM}/regenerateKey", {"keyName": "key1"})).body
    assert renewed["key1"] != keys["key1"]
    assert renewed["key2"] == keys["key2"]
    nested = f"{CUSTOM}/eventSubscriptions/own"
    refused = await ask(cloud, "PUT", nested, webhook(eventDeliverySchema="EventGridSchema"))
    assert "topic's input schema of CloudEventSchemaV1_0" in refused.body["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"properties": {"inputSchema": "CustomEventSchema"}}, 400),
        ({"properties": {"publicNetworkAccess": "Sometimes"}}, 400),
        ({"location": ""}, 400),
    ],
)
async def test_bad_custom_topics_are_refused(cloud: Cloud, change: dict[str, Any], status: int) -> None:
    assert (await ask(cloud, "PUT", CUSTOM, {"location": "westeurope"} | change)).status == status


async def test_a_custom_topics_name_is_its_own_and_its_schema_stays(cloud: Cloud) -> None:
    await ask(cloud, "PUT", CUSTOM, {"location": "westeurope"})
    cloud.resources.add_group(SUBSCRIPTION, "other", "westeurope")
    taken = await ask(cloud, "PUT", CUSTOM.replace("Events", "other"), {"location": "westeurope"})
    assert taken.status == 409
    changed = {"location": "westeurope", "properties": {"inputSchema": "CloudEventSchemaV1_0"}}
    assert (await ask(cloud, "PUT", CUSTOM, changed)).status == 400
