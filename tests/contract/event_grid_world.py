"""A cloud with one system topic and a webhook that hears its events, in virtual time."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

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
START = datetime(2026, 3, 1, 10, tzinfo=UTC)


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

    @classmethod
    def of(cls, cloud: Cloud, clock: VirtualClock) -> "Receiver":
        """The one that everything of this cloud is delivered to."""
        receiver = cls(clock)
        cloud.event_grid.deliver = receiver.deliver
        cloud.event_grid.preflight = receiver.preflight
        return receiver


def subscribed_cloud(clock: VirtualClock) -> Cloud:
    """A cloud whose subscription may have topics."""
    cloud = Cloud(clock, seed=1)
    cloud.resources.add_subscription(SUBSCRIPTION)
    cloud.resources.register(SUBSCRIPTION, "Microsoft.EventGrid", "Registered")
    cloud.resources.add_group(SUBSCRIPTION, "events", "westeurope")
    return cloud


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
