"""What Event Grid hears of ARM calls: every change that reached a provider, nothing else."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from simulator.eventgrid.webhooks import Answer
from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller

VERSION = "2025-02-15"
TOPIC = f"{SUBSCRIPTION}/resourceGroups/events/providers/Microsoft.EventGrid/systemTopics/arm"


class Heard:
    """A webhook that keeps the events it is given."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def deliver(self, _url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        events = json.loads(body)
        if headers["aeg-event-type"] == "SubscriptionValidation":
            answer = {"validationResponse": events[0]["data"]["validationCode"]}
            return 200, {}, json.dumps(answer).encode()
        self.events += events
        return 200, {}, b""

    def summary(self) -> set[tuple[str, str, str]]:
        """Type, operation and status of each event; the subject's casing varies by design."""
        return {
            (event["eventType"].rpartition(".")[2], event["data"]["operationName"], event["data"]["status"])
            for event in self.events
        }


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller()


@pytest.fixture
async def heard(arm: ArmCaller) -> Heard:
    """Subscribed to everything that happens in the subscription, its own making over."""
    heard = Heard()
    arm.cloud.event_grid.deliver = heard.deliver
    await arm.group("events")
    topic = {"source": SUBSCRIPTION, "topicType": "Microsoft.Resources.Subscriptions"}
    made = await arm.call("PUT", TOPIC, {"location": "global", "properties": topic}, version=VERSION)
    assert made.status in (200, 201), made.body
    await arm.clock.advance(600)
    endpoint = {"endpointType": "WebHook", "properties": {"endpointUrl": "https://guard.example/hook"}}
    path = f"{TOPIC}/eventSubscriptions/all"
    subscribed = await arm.call("PUT", path, {"properties": {"destination": endpoint}}, version=VERSION)
    assert subscribed.status in (200, 201), subscribed.body
    await arm.clock.advance(600)
    heard.events.clear()
    return heard


async def test_writes_deletes_and_actions_are_told(arm: ArmCaller, heard: Heard) -> None:
    group = await arm.group()
    await arm.call("PATCH", group, {"tags": {"a": "1"}})
    await arm.call("POST", f"{SUBSCRIPTION}/providers/Microsoft.DataProtection/register")
    await arm.call("DELETE", group)
    await arm.clock.advance(600)
    kind = "Microsoft.Resources/subscriptions/resourceGroups"
    assert heard.summary() == {
        ("ResourceWriteSuccess", f"{kind}/write", "Created"),
        ("ResourceWriteSuccess", f"{kind}/write", "Succeeded"),
        ("ResourceActionSuccess", "Microsoft.DataProtection/register/action", "Succeeded"),
        ("ResourceDeleteSuccess", f"{kind}/delete", "Accepted"),
        ("ResourceDeleteSuccess", f"{kind}/delete", "Succeeded"),
    }


async def test_a_refusal_by_the_provider_is_told_as_a_failure(arm: ArmCaller, heard: Heard) -> None:
    await arm.call("PUT", f"{SUBSCRIPTION}/resourceGroups/rg", {"location": "nowhere"})
    await arm.clock.advance(600)
    operation = "Microsoft.Resources/subscriptions/resourceGroups/write"
    assert heard.summary() == {("ResourceWriteFailure", operation, "Failed")}


async def test_reads_and_what_never_reached_a_provider_are_not_told(arm: ArmCaller, heard: Heard) -> None:
    stranger = arm.cloud.identity.new_principal("stranger")
    group = f"{SUBSCRIPTION}/resourceGroups/rg"
    await arm.call("PUT", group, {"location": "westeurope"}, principal=stranger)
    await arm.call("PUT", group, {"location": "westeurope"}, version="1999-01-01")
    await arm.control("POST", "faults", {"match": {"times": 1}, "then": {"status": 500}})
    await arm.call("PUT", group, {"location": "westeurope"})
    await arm.call("GET", f"{SUBSCRIPTION}/resourceGroups")
    await arm.clock.advance(600)
    assert heard.events == []


async def test_a_group_that_goes_tells_of_each_resource_in_it(arm: ArmCaller, heard: Heard) -> None:
    (cluster,) = (await arm.control("POST", "clusters", {"count": 1, "location": "westeurope"})).body["ids"]
    await arm.clock.advance(3600)
    heard.events.clear()
    await arm.call("DELETE", cluster.partition("/providers/")[0])
    await arm.clock.advance(3600)
    told = [
        event
        for event in heard.events
        if event["data"]["operationName"] == "Microsoft.ContainerService/managedClusters/delete"
    ]
    assert [event["subject"].lower() for event in told] == [cluster.lower()]
    assert {event["eventType"] for event in told} == {"Microsoft.Resources.ResourceDeleteSuccess"}


async def test_the_event_carries_the_calls_correlation_id_and_caller(arm: ArmCaller, heard: Heard) -> None:
    correlation = "11111111-2222-3333-4444-555555555555"
    headers = {"x-ms-correlation-request-id": correlation}
    body = {"location": "westeurope"}
    for _ in range(20):  # some events come without claims, as some of Azure's do
        await arm.call("PUT", f"{SUBSCRIPTION}/resourceGroups/rg", body, headers=headers)
    await arm.clock.advance(600)
    assert {event["data"]["correlationId"] for event in heard.events} == {correlation}
    claims = [event["data"].get("claims") or {} for event in heard.events]
    assert arm.cloud.identity.operator.application_id in {claim.get("appid") for claim in claims}


async def test_all_events_of_one_call_share_a_correlation_id(arm: ArmCaller, heard: Heard) -> None:
    group = await arm.group()
    await arm.clock.advance(600)
    heard.events.clear()
    deleted = await arm.call("DELETE", group)
    await arm.clock.advance(600)
    assert len(heard.events) == 2
    told = {event["data"]["correlationId"] for event in heard.events}
    assert told == {deleted.headers["x-ms-correlation-request-id"]}
