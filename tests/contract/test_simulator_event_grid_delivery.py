"""Event Grid's deliveries in virtual time: ARM events, filters, both schemas, retries, destinations."""

import pytest

from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from tests.contract.event_grid_world import (
    CLUSTER,
    GROUP,
    ONLY_CLUSTERS,
    ROOT,
    START,
    SUBSCRIPTION,
    TOPIC,
    URL,
    Receiver,
    ask,
    cluster_written,
    subscribe,
    subscribed_cloud,
)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def cloud(clock: VirtualClock) -> Cloud:
    return subscribed_cloud(clock)


@pytest.fixture
def receiver(cloud: Cloud, clock: VirtualClock) -> Receiver:
    return Receiver.of(cloud, clock)


async def test_an_arm_write_reaches_the_webhook_in_the_event_grid_schema(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    await subscribe(cloud)
    receiver.bodies.clear()
    receiver.headers.clear()
    answer = await ask(cloud, "PUT", f"{ROOT}/resourceGroups/Fresh", {"location": "westeurope"}, "2021-04-01")
    assert answer.status == 201
    assert receiver.bodies == []  # respond() does not wait for deliveries
    await clock.advance(0)
    [event] = receiver.events()
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["topic"] == ROOT
    assert event["subject"].lower() == f"{ROOT}/resourceGroups/Fresh".lower()
    assert event["eventTime"] == "2026-03-01T10:01:00.0000000Z"
    assert (event["dataVersion"], event["metadataVersion"]) == ("2", "1")
    data = event["data"]
    assert data["operationName"] == "Microsoft.Resources/subscriptions/resourceGroups/write"
    assert (data["resourceProvider"], data["status"], data["subscriptionId"]) == (
        "Microsoft.Resources",
        "Created",
        SUBSCRIPTION,
    )
    assert "httpRequest" not in data  # absent on first create
    headers = receiver.headers[0]
    assert headers["aeg-event-type"] == "Notification"
    assert headers["aeg-subscription-name"] == "GUARD"
    assert headers["aeg-delivery-count"] == "0"
    assert headers["Content-Type"].startswith("application/json")
    assert receiver.urls[-1] == URL


async def test_updates_and_deletes_carry_the_http_request(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    await subscribe(cloud)
    cluster_written(cloud, first_create=True)
    cluster_written(cloud)
    await clock.advance(0)
    with_request = ["httpRequest" in event["data"] for event in receiver.events()[-2:]]
    assert with_request == [False, True]
    assert receiver.events()[-1]["data"]["httpRequest"]["method"] == "PUT"


async def test_casing_and_claims_vary_but_the_resource_is_the_same(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    for _ in range(60):
        cluster_written(cloud)
    await clock.advance(0)
    events = receiver.events()
    assert {event["data"]["resourceUri"].lower() for event in events} == {CLUSTER.lower()}
    assert len({event["data"]["resourceUri"] for event in events}) == 2
    assert {bool(event["data"]["claims"]) for event in events} == {True, False}
    assert len({event["id"] for event in events}) == 60


async def test_cloud_events_schema(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS, eventDeliverySchema="CloudEventSchemaV1_0")
    cluster_written(cloud)
    await clock.advance(0)
    [event] = receiver.bodies
    assert set(event) == {"specversion", "id", "source", "subject", "type", "time", "data"}
    assert (event["specversion"], event["source"]) == ("1.0", ROOT)
    assert event["type"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["data"]["operationName"] == "Microsoft.ContainerService/managedClusters/write"
    assert receiver.headers[0]["Content-Type"].startswith("application/cloudevents+json")


async def test_filters_decide_what_is_sent(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS | {"includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]})
    await ask(cloud, "PUT", f"{ROOT}/resourceGroups/Fresh", {"location": "westeurope"}, "2021-04-01")
    cluster_written(cloud)
    await clock.advance(0)
    assert [event["data"]["resourceProvider"] for event in receiver.events()] == ["Microsoft.ContainerService"]


async def test_a_topic_gets_no_events_of_other_subscriptions(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    other = CLUSTER.replace(SUBSCRIPTION, SUBSCRIPTION.replace("1", "2"))
    for resource_id in (other, CLUSTER):
        cloud.event_grid.resource_event(
            "Write",
            "Success",
            resource_id,
            "Microsoft.ContainerService/managedClusters/write",
            cloud.identity.app,
            status="Succeeded",
            method="PUT",
            url="https://management.azure.com/",
            correlation_id="c",
            first_create=False,
        )
    await clock.advance(0)
    assert [event["topic"] for event in receiver.events()] == [ROOT]


async def test_a_topic_on_a_resource_group_gets_the_events_within_it(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    source = f"{ROOT}/resourceGroups/BLUE"
    topic = {"source": source, "topicType": "Microsoft.Resources.ResourceGroups"}
    assert (await ask(cloud, "PUT", TOPIC, {"location": "global", "properties": topic})).status == 200
    body = {"properties": {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": URL}}}}
    assert (await ask(cloud, "PUT", f"{TOPIC}/eventSubscriptions/guard", body)).status == 201
    await clock.advance(60)
    cluster_written(cloud)
    await ask(cloud, "PUT", f"{ROOT}/resourceGroups/bluer", {"location": "westeurope"}, "2021-04-01")
    await ask(cloud, "PUT", f"{ROOT}/resourceGroups/blue", {"location": "westeurope"}, "2021-04-01")
    await clock.advance(0)
    assert [event["subject"].rpartition("/")[2] for event in receiver.events()] == ["one", "blue"]


async def test_retries_follow_the_schedule_until_the_receiver_accepts(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    receiver.answers = [500, 302, 205, TimeoutError(), OSError("refused"), 204]
    cluster_written(cloud)
    await clock.advance(86_400)
    assert receiver.seconds() == [0, 10, 40, 100, 400, 1000]
    assert len({event["id"] for event in receiver.events()}) == 1
    assert [headers["aeg-delivery-count"] for headers in receiver.headers] == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(("status", "wait"), [(404, 300), (408, 120), (503, 30), (500, 10), (429, 10)])
async def test_some_statuses_make_the_first_retry_wait_longer(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver, status: int, wait: float
) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    receiver.answers = [status]
    cluster_written(cloud)
    await clock.advance(3600)
    assert receiver.seconds() == [0, wait]


async def test_a_deleted_subscription_gets_nothing_more(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    receiver.answers = [500]
    cluster_written(cloud)
    await clock.advance(0)
    assert (await ask(cloud, "DELETE", f"{TOPIC}/eventSubscriptions/guard")).status == 202
    cluster_written(cloud)
    await clock.advance(86_400)
    assert len(receiver.bodies) == 1


async def test_an_expired_subscription_gets_nothing_more(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS, expirationTimeUtc="2026-03-01T11:00:00Z")
    cluster_written(cloud, "early")
    await clock.advance(3600)
    cluster_written(cloud, "late")
    await clock.advance(3600)
    assert [event["subject"].rpartition("/")[2] for event in receiver.events()] == ["early"]


async def test_a_function_destination_is_delivered_where_it_was_mapped(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    function = f"{GROUP}/providers/Microsoft.Web/sites/guard/functions/cluster_events"
    destination = {"endpointType": "AzureFunction", "properties": {"resourceId": function}}
    body = {"properties": {"destination": destination, "filter": ONLY_CLUSTERS}}
    path = f"{TOPIC}/eventSubscriptions/function"
    assert (await ask(cloud, "PUT", path, body)).status == 400
    cloud.event_grid.map_function(function.upper(), "http://127.0.0.1:7071/here")
    assert (await ask(cloud, "PUT", path, body)).status == 201
    await clock.advance(60)
    cluster_written(cloud)
    await clock.advance(0)
    assert sorted(receiver.urls) == ["http://127.0.0.1:7071/here", URL]
