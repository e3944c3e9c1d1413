"""Event Grid's deliveries in virtual time: ARM events, handshake, retries, dead letters, disturbances, both schemas."""

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
GROUP = f"{ROOT}/resourceGroups/events"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/arm"
URL = "https://guard.example/runtime/webhooks/eventgrid?functionName=cluster_events&code=secret"
CLUSTER = f"{ROOT}/resourceGroups/Blue/providers/Microsoft.ContainerService/managedClusters/one"


class Receiver:
    """A webhook: answers handshakes, then its `answers` one by one (a status, or an exception), then 200."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.answers: list[int | Exception] = []
        self.times: list[datetime] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[Any] = []
        self.urls: list[str] = []

    async def deliver(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        content = json.loads(body)
        if headers["aeg-event-type"] == "SubscriptionValidation":
            answer = {"validationResponse": content[0]["data"]["validationCode"]}
            return 200, {}, json.dumps(answer).encode()
        self.urls.append(url)
        self.times.append(self.clock.now())
        self.headers.append(headers)
        self.bodies.append(content)
        outcome = self.answers.pop(0) if self.answers else 200
        if isinstance(outcome, Exception):
            raise outcome
        return outcome, {}, b""

    async def preflight(self, url: str, headers: Mapping[str, str]) -> Answer:
        return 200, {"WebHook-Allowed-Origin": headers["WebHook-Request-Origin"]}, b""

    def events(self) -> list[dict[str, Any]]:
        return [body[0] for body in self.bodies]

    def seconds(self) -> list[float]:
        """When deliveries came, counted from the first."""
        return [(moment - self.times[0]).total_seconds() for moment in self.times]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 1, 10, tzinfo=UTC))


@pytest.fixture
def cloud(clock: VirtualClock) -> Cloud:
    cloud = Cloud(clock, seed=1)
    cloud.resources.add_subscription(SUBSCRIPTION)
    cloud.resources.register(SUBSCRIPTION, "Microsoft.EventGrid", "Registered")
    cloud.resources.add_group(SUBSCRIPTION, "events", "westeurope")
    return cloud


@pytest.fixture
def receiver(cloud: Cloud, clock: VirtualClock) -> Receiver:
    receiver = Receiver(clock)
    cloud.event_grid.deliver = receiver.deliver
    cloud.event_grid.preflight = receiver.preflight
    return receiver


async def ask(cloud: Cloud, method: str, path: str, body: Any = None, version: str = "2025-02-15") -> Response:
    headers = {"authorization": f"Bearer {cloud.identity.token(cloud.identity.operator)}"}
    content = b"" if body is None else json.dumps(body).encode()
    return await cloud.respond(Request(method, path, query={"api-version": version}, headers=headers, body=content))


async def subscribe(cloud: Cloud, name: str = "guard", **properties: Any) -> None:
    """A system topic with one webhook subscription, past its handshake."""
    topic = {
        "location": "global",
        "properties": {"source": ROOT, "topicType": "Microsoft.Resources.Subscriptions"},
    }
    assert (await ask(cloud, "PUT", TOPIC, topic)).status == 200
    body = {
        "properties": {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": URL}}, **properties}
    }
    answer = await ask(cloud, "PUT", f"{TOPIC}/eventSubscriptions/{name}", body)
    assert answer.status == 201
    assert isinstance(cloud.clock, VirtualClock)
    await cloud.clock.advance(60)
    state = await ask(cloud, "GET", f"{TOPIC}/eventSubscriptions/{name}")
    assert state.body["properties"]["provisioningState"] == "Succeeded"


ONLY_CLUSTERS = {
    "advancedFilters": [
        {
            "operatorType": "StringIn",
            "key": "data.operationName",
            "values": ["Microsoft.ContainerService/managedClusters/write"],
        }
    ]
}


def cluster_written(cloud: Cloud, name: str = "one", *, first_create: bool = False, status: str = "Succeeded") -> None:
    cloud.event_grid.resource_event(
        "Write",
        "Success",
        CLUSTER.removesuffix("one") + name,
        "Microsoft.ContainerService/managedClusters/write",
        cloud.identity.operator,
        status=status,
        method="PUT",
        url=f"https://management.azure.com{CLUSTER}?api-version=2025-01-01",
        correlation_id="c0",
        first_create=first_create,
    )


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


DEAD_LETTERS = {
    "endpointType": "StorageBlob",
    "properties": {
        "resourceId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/deadletters",
        "blobContainerName": "events",
    },
}


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        (400, "UndeliverableDueToHttpBadRequest", "BadRequest"),
        (401, "UndeliverableDueToHttpUnauthorized", "Unauthorized"),
        (403, "UndeliverableDueToHttpForbidden", "Forbidden"),
        (413, "UndeliverableDueToHttpPayloadTooLarge", "PayloadTooLarge"),
    ],
)
async def test_final_statuses_go_straight_to_the_dead_letters_after_five_minutes(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver, status: int, reason: str, outcome: str
) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS, deadLetterDestination=DEAD_LETTERS)
    receiver.answers = [status]
    cluster_written(cloud)
    await clock.advance(299)
    assert cloud.event_grid.dead_letters() == []
    await clock.advance(86_400)
    assert len(receiver.bodies) == 1
    [letter] = cloud.event_grid.dead_letters()
    assert letter["eventSubscription"] == f"{TOPIC}/eventSubscriptions/guard"
    assert letter["container"] == "events"
    assert letter["blob"].startswith("GUARD/2026/3/1/10/")
    event = letter["event"]
    assert event["data"] == receiver.events()[0]["data"]
    assert (event["deadLetterReason"], event["lastDeliveryOutcome"], event["lastHttpStatusCode"]) == (
        reason,
        outcome,
        status,
    )
    assert event["deliveryAttempts"] == 1
    assert event["publishTime"] == event["lastDeliveryAttemptTime"]


async def test_attempts_run_out(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(
        cloud, filter=ONLY_CLUSTERS, deadLetterDestination=DEAD_LETTERS, retryPolicy={"maxDeliveryAttempts": 3}
    )
    receiver.answers = [500] * 10
    cluster_written(cloud)
    await clock.advance(86_400)
    assert receiver.seconds() == [0, 10, 40]
    [letter] = cloud.event_grid.dead_letters()
    assert letter["event"]["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"
    assert letter["event"]["deliveryAttempts"] == 3


async def test_the_time_to_live_runs_out_and_cloud_events_say_it_in_lower_case(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    await subscribe(
        cloud,
        filter=ONLY_CLUSTERS,
        deadLetterDestination=DEAD_LETTERS,
        eventDeliverySchema="CloudEventSchemaV1_0",
        retryPolicy={"eventTimeToLiveInMinutes": 5},
    )
    receiver.answers = [500] * 10
    cluster_written(cloud)
    await clock.advance(86_400)
    assert receiver.seconds() == [0, 10, 40, 100]  # the next would be due at 400 s
    [letter] = cloud.event_grid.dead_letters()
    assert letter["event"]["deadletterreason"] == "TimeToLiveExceeded"
    assert all(name == name.lower() for name in letter["event"])


async def test_without_a_dead_letter_destination_the_event_is_gone(
    cloud: Cloud, clock: VirtualClock, receiver: Receiver
) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    receiver.answers = [400]
    cluster_written(cloud)
    await clock.advance(86_400)
    assert len(receiver.bodies) == 1
    assert cloud.event_grid.dead_letters() == []


async def test_duplicates(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    cloud.event_grid.configure(duplicate=True)
    cluster_written(cloud)
    await clock.advance(0)
    assert len(receiver.bodies) == 2
    assert receiver.events()[0] == receiver.events()[1]
    cloud.event_grid.configure(duplicate=0.5)
    for _ in range(100):
        cluster_written(cloud)
    await clock.advance(0)
    assert 120 < len(receiver.bodies) - 2 < 180  # 100 events, about half of them twice; the seed is fixed


async def test_reordering_shuffles_and_loses_nothing(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    assert cloud.event_grid.configure(reorder=True)["reorder"] is True
    sent = [f"cluster-{n}" for n in range(20)]
    for name in sent:
        cluster_written(cloud, name)
    await clock.advance(60)
    came = [event["subject"].rpartition("/")[2] for event in receiver.events()]
    assert came != sent
    assert sorted(came) == sorted(sent)


async def test_delay(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    cloud.event_grid.configure(delay_seconds=90)
    cluster_written(cloud)
    await clock.advance(89)
    assert receiver.bodies == []
    await clock.advance(1)
    assert len(receiver.bodies) == 1


async def test_loss(cloud: Cloud, clock: VirtualClock, receiver: Receiver) -> None:
    await subscribe(cloud, filter=ONLY_CLUSTERS)
    cloud.event_grid.configure(lose=True)
    cluster_written(cloud, "lost")
    await clock.advance(86_400)
    assert receiver.bodies == []
    cloud.event_grid.configure(lose=0.25)
    for _ in range(100):
        cluster_written(cloud)
    await clock.advance(86_400)
    assert 55 < len(receiver.bodies) < 95  # the seed is fixed
    assert cloud.event_grid.configure(lose=False) == {
        "duplicate": False,
        "reorder": False,
        "delay_seconds": 0.0,
        "lose": False,
    }
    cluster_written(cloud, "kept")
    await clock.advance(0)
    assert receiver.events()[-1]["subject"].endswith("/kept")


@pytest.mark.parametrize("switch", [{"duplicate": 1.5}, {"lose": -0.1}, {"delay_seconds": -1.0}])
def test_impossible_disturbances_are_refused(cloud: Cloud, switch: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(switch))):
        cloud.event_grid.configure(**switch)


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
