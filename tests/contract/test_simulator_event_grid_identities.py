"""Delivery as a topic's identity: to a storage queue, and to the container for dead letters."""

import base64
import re
from collections.abc import Mapping
from typing import Any

import pytest

from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.eventgrid.webhooks import Answer
from simulator.http import Response
from tests.contract.event_grid_world import CLUSTER, GROUP, ONLY_CLUSTERS, ROOT, START, TOPIC, ask, subscribed_cloud
from tests.contract.event_grid_world import cluster_written as write_cluster

ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/guardstore"
SHARED = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shared"
EVENTS = f"{TOPIC}/eventSubscriptions/guard"
SENDER, BLOB_CONTRIBUTOR = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
QUEUE = {"resourceId": ACCOUNT, "queueName": "events", "queueMessageTimeToLiveInSeconds": 3600}
SYSTEM: dict[str, Any] = {"type": "SystemAssigned"}
ENDPOINT = "http://127.0.0.1:10001/devstoreaccount1?sv=1&sig=a%2Bb"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
async def cloud(clock: VirtualClock) -> Cloud:
    """A system topic with an identity of its own, and a storage account with a bound queue endpoint."""
    cloud = subscribed_cloud(clock)
    cloud.storage.seed_account(ACCOUNT, "westeurope", {}, {})
    cloud.event_grid.bind_queues(ACCOUNT.upper(), ENDPOINT)
    assert (await topic(cloud, SYSTEM)).status == 200
    return cloud


class Queue:
    """The queue service behind the endpoint. Answers `status`."""

    def __init__(self, cloud: Cloud) -> None:
        self.status = 201
        self.urls: list[str] = []
        self.texts: list[str] = []
        cloud.event_grid.deliver = self.deliver

    async def deliver(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        assert headers["Content-Type"] == "application/xml"
        self.urls.append(url)
        found = re.fullmatch(r"<QueueMessage><MessageText>(.*)</MessageText></QueueMessage>", body.decode())
        assert found is not None
        self.texts.append(base64.b64decode(found[1]).decode())
        return self.status, {}, b""


async def topic(cloud: Cloud, identity: Mapping[str, Any] | None) -> Response:
    properties = {"source": ROOT, "topicType": "Microsoft.Resources.Subscriptions"}
    return await ask(cloud, "PUT", TOPIC, {"location": "global", "identity": identity, "properties": properties})


async def principal(cloud: Cloud) -> str:
    return str((await ask(cloud, "GET", TOPIC)).body["identity"]["principalId"])


async def subscribe(cloud: Cloud, identity: Any = None, queue: Any = None, **properties: Any) -> Response:
    destination = {"endpointType": "StorageQueue", "properties": QUEUE if queue is None else queue}
    delivery = {"identity": identity or SYSTEM, "destination": destination}
    said = {"destination": None, "deliveryWithResourceIdentity": delivery, "filter": ONLY_CLUSTERS, **properties}
    answer = await ask(cloud, "PUT", EVENTS, {"properties": said})
    assert isinstance(cloud.clock, VirtualClock)
    await cloud.clock.advance(10)
    return answer


async def test_an_event_lies_in_the_queue_as_base64_of_one_object(cloud: Cloud, clock: VirtualClock) -> None:
    queue = Queue(cloud)
    cloud.authorization.grant(await principal(cloud), SENDER, ACCOUNT)
    made = await subscribe(cloud, eventDeliverySchema="CloudEventSchemaV1_0")
    assert made.status == 201
    shown = (await ask(cloud, "GET", EVENTS)).body["properties"]
    assert shown["provisioningState"] == "Succeeded"
    assert shown["deliveryWithResourceIdentity"]["identity"] == SYSTEM
    assert shown["deliveryWithResourceIdentity"]["destination"] == {"endpointType": "StorageQueue", "properties": QUEUE}
    assert "destination" not in shown
    write_cluster(cloud)
    await clock.advance(0)
    assert queue.urls == ["http://127.0.0.1:10001/devstoreaccount1/events/messages?messagettl=3600&sv=1&sig=a%2Bb"]
    (text,) = queue.texts
    assert text.startswith("{")
    assert '"specversion": "1.0"' in text
    assert CLUSTER.lower() in text.lower()


async def test_without_the_right_nothing_is_put_and_nothing_tried_again(cloud: Cloud, clock: VirtualClock) -> None:
    queue = Queue(cloud)
    container = {"endpointType": "StorageBlob", "properties": {"resourceId": ACCOUNT, "blobContainerName": "dead"}}
    await subscribe(cloud, deadLetterDestination=container)
    write_cluster(cloud)
    await clock.advance(400)
    assert queue.urls == []
    (letter,) = cloud.event_grid.dead_letters()
    assert letter["event"]["deadLetterReason"] == "UndeliverableDueToHttpForbidden"
    assert letter["event"]["deliveryAttempts"] == 1


async def test_a_topic_that_loses_its_identity_delivers_no_more(cloud: Cloud, clock: VirtualClock) -> None:
    queue, before = Queue(cloud), await principal(cloud)
    cloud.authorization.grant(before, SENDER, ACCOUNT)
    await subscribe(cloud)
    assert (await topic(cloud, {"type": "None"})).body["identity"]["principalId"] is None
    assert not cloud.identity.principal_exists(before)
    write_cluster(cloud)
    await clock.advance(60)
    assert queue.urls == []


async def test_a_queue_that_is_nowhere_is_tried_again(cloud: Cloud, clock: VirtualClock) -> None:
    queue = Queue(cloud)
    other = ACCOUNT + "2"
    cloud.authorization.grant(await principal(cloud), SENDER, GROUP)
    await subscribe(cloud, queue={**QUEUE, "resourceId": other})
    write_cluster(cloud)
    await clock.advance(5)
    assert queue.urls == []
    cloud.event_grid.bind_queues(other, ENDPOINT)
    await clock.advance(10)
    assert len(queue.urls) == 1


async def test_a_user_assigned_identity_delivers_too(cloud: Cloud, clock: VirtualClock) -> None:
    queue = Queue(cloud)
    shown = await topic(cloud, {"type": "UserAssigned", "userAssignedIdentities": {SHARED: {}}})
    of = shown.body["identity"]["userAssignedIdentities"][SHARED]["principalId"]
    cloud.authorization.grant(of, SENDER, f"{ACCOUNT}/queueServices/default/queues/events")
    chosen = {"type": "UserAssigned", "userAssignedIdentity": SHARED.upper()}
    assert (await subscribe(cloud, chosen)).status == 201
    write_cluster(cloud)
    await clock.advance(0)
    assert len(queue.urls) == 1


@pytest.mark.parametrize(("may", "letters"), [(True, 1), (False, 0)])
async def test_dead_letters_are_left_as_the_identity(
    cloud: Cloud, clock: VirtualClock, may: bool, letters: int
) -> None:
    queue = Queue(cloud)
    queue.status = 400
    cloud.authorization.grant(await principal(cloud), SENDER, ACCOUNT)
    if may:
        container = f"{ACCOUNT}/blobServices/default/containers/dead-letters"
        cloud.authorization.grant(await principal(cloud), BLOB_CONTRIBUTOR, container)
    blob = {"resourceId": ACCOUNT, "blobContainerName": "dead-letters"}
    dead = {"identity": SYSTEM, "deadLetterDestination": {"endpointType": "StorageBlob", "properties": blob}}
    await subscribe(cloud, deadLetterWithResourceIdentity=dead)
    assert (await ask(cloud, "GET", EVENTS)).body["properties"]["deadLetterWithResourceIdentity"] == dead
    write_cluster(cloud)
    await clock.advance(400)
    assert len(queue.urls) == 1
    assert len(cloud.event_grid.dead_letters()) == letters


@pytest.mark.parametrize(
    "said",
    [
        {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": "https://x.example"}}},
        {"deliveryWithResourceIdentity": {"identity": SYSTEM}},
        {"deliveryWithResourceIdentity": "no"},
        {"deadLetterWithResourceIdentity": {"identity": SYSTEM}},
        {"deadLetterWithResourceIdentity": {}},
    ],
)
async def test_what_says_no_delivery_is_refused(cloud: Cloud, said: dict[str, Any]) -> None:
    assert (await subscribe(cloud, **said)).status == 400
    assert (await ask(cloud, "GET", EVENTS)).status == 404


@pytest.mark.parametrize(
    ("identity", "queue"),
    [
        ({"type": "UserAssigned", "userAssignedIdentity": SHARED}, None),
        ({"type": "None"}, None),
        ({}, {"queueName": "events"}),
        ({}, {**QUEUE, "queueName": "Events"}),
        ({}, {**QUEUE, "resourceId": TOPIC}),
        ({}, {**QUEUE, "queueMessageTimeToLiveInSeconds": 0}),
    ],
)
async def test_an_identity_or_a_queue_that_cannot_be_is_refused(cloud: Cloud, identity: Any, queue: Any) -> None:
    assert (await subscribe(cloud, identity, queue)).status == 400


async def test_a_queue_without_an_identity_is_not_modelled(cloud: Cloud) -> None:
    plain = {"endpointType": "StorageQueue", "properties": QUEUE}
    answer = await ask(cloud, "PUT", EVENTS, {"properties": {"destination": plain}})
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidRequest")


@pytest.mark.parametrize("path", [TOPIC, TOPIC.replace("systemTopics", "topics")])
async def test_the_identity_of_a_topic_stays_the_same_and_goes_with_it(cloud: Cloud, path: str) -> None:
    properties = {"source": ROOT, "topicType": "Microsoft.Resources.Subscriptions"}
    body = {"location": "global", "identity": SYSTEM, "properties": properties if path == TOPIC else {}}
    first = (await ask(cloud, "PUT", path, body)).body["identity"]["principalId"]
    again = (await ask(cloud, "PUT", path, {**body, "tags": {"a": "b"}})).body["identity"]["principalId"]
    left_out = await ask(cloud, "PATCH", path, {"tags": {}})
    assert first == again == left_out.body["identity"]["principalId"]
    assert cloud.identity.principal_exists(first)
    await ask(cloud, "DELETE", path)
    assert not cloud.identity.principal_exists(first)
