"""What Event Grid does not deliver as hoped: dead letters, and duplicates, shuffles, delays and losses on request."""

from typing import Any

import pytest

from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.http import Request
from tests.contract.event_grid_world import (
    GROUP,
    ONLY_CLUSTERS,
    START,
    TOPIC,
    Receiver,
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
    shown = await cloud.respond(Request("GET", "/simulator/eventgrid/deadletters"))
    assert (shown.status, shown.body) == (200, [letter])


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
