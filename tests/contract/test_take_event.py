"""An event that comes in: what is kept of it, what is dropped, and what is raised so that it comes again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.errors import TransientError
from shared.domain.fleet import Scope
from shared.events.app_events import SYNTHETIC, as_cloud_event, news_event
from shared.events.cluster_events import OPERATIONS, TYPES, parse_cluster_event
from shared.events.job_events import TYPES as JOB_EVENT_TYPES
from shared.events.synthetic import parse_synthetic_event, synthetic_event
from shared.ports import HandledEvent
from shared.take_event import take_cluster_event, take_event, take_job_event
from shared.world import World
from tests.contract.test_http_api_health import Kept
from tests.triggers.test_job_functions import job
from tests.virtual.world import VirtualWorld

CLUSTER = job("shop").cluster
WRITTEN = {
    "specversion": "1.0",
    "id": "1",
    "type": TYPES[0],
    "source": "/subscriptions/x",
    "data": {"resourceUri": CLUSTER.arm_id, "operationName": next(iter(OPERATIONS))},
}
JOB = as_cloud_event(news_event(job("shop")))
SYNTHETIC_ID = "5f3c1b9e8f5e4c1a9d550f1d6f2f7b11"


def synthetic(event_id: str = SYNTHETIC_ID) -> dict[str, Any]:
    """As its readers get it."""
    return as_cloud_event(synthetic_event(event_id, job("any").ended_at))


class Down:
    """Storage that nobody reaches."""

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: Any, **__: Any) -> Any:
            raise TransientError("StorageUnavailable", "refused")

        return fail


async def no_world() -> World:
    raise AssertionError("nothing is to be done, so nothing is built")


@pytest.mark.parametrize("take", [take_event, take_cluster_event])
async def test_a_cluster_that_changed_is_to_be_looked_at(take: Any) -> None:
    virtual = VirtualWorld()

    async def world() -> World:
        return virtual.host

    await take(json.dumps(WRITTEN), world)
    record = await virtual.records.get(CLUSTER)
    assert record is not None
    assert record.due_at is not None


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        (Scope((CLUSTER.subscription_id,)), True),
        (Scope(("00000000-0000-0000-0000-0000000000ff",)), False),
        (Scope(("00000000-0000-0000-0000-0000000000ff",), ("landing",)), True),
        (Scope(()), True),
    ],
)
async def test_an_event_from_elsewhere_is_not_believed(scope: Scope, asked: bool) -> None:
    """Else whoever holds a key of the topic could fill the table with clusters that nobody may read, each an alert."""
    virtual = VirtualWorld()
    host = replace(virtual.host, scope=scope)

    async def world() -> World:
        return host

    await take_event(json.dumps(WRITTEN), world)
    assert (await virtual.records.get(CLUSTER) is not None) is asked


@pytest.mark.parametrize("take", [take_event, take_job_event])
async def test_the_synthetic_event_is_written_down_over_the_one_before(take: Any) -> None:
    kept = Kept(HandledEvent("0" * 32, VirtualWorld().clock.now()))
    host = replace(VirtualWorld().host, synthetic_events=kept)

    async def world() -> World:
        return host

    await take(json.dumps(synthetic()), world)
    assert kept.event == HandledEvent(SYNTHETIC_ID, host.clock.now())


@pytest.mark.parametrize("event", [WRITTEN, JOB, synthetic()], ids=lambda event: str(event["type"]))
async def test_what_cannot_be_kept_is_raised_so_that_it_comes_again(event: dict[str, Any]) -> None:
    down: Any = Down()
    host = replace(VirtualWorld().host, records=down, history=down, synthetic_events=down)

    async def world() -> World:
        return host

    with pytest.raises(TransientError):
        await take_event(json.dumps(event), world)


@pytest.mark.parametrize(
    "payload",
    [
        "", "not JSON", "[" * 5000, "[]", "{}", "5", "null", '{"type": 5}', '{"type": "Someone.Else"}',
        '{"type": "Microsoft.Resources.ResourceWriteSuccess"}',
        '{"eventType": "Microsoft.Resources.ResourceReadSuccess", "data": {}}',
        json.dumps(synthetic() | {"specversion": "2"}),
        json.dumps(synthetic("A" * 32)),
        json.dumps(JOB | {"id": "forged"}),
        json.dumps("a" * 1_100_000),
    ],
    ids=lambda payload: payload[:40],
)  # fmt: skip
@pytest.mark.parametrize("take", [take_event, take_cluster_event, take_job_event])
async def test_what_is_not_ours_is_dropped_before_anything_is_built(take: Any, payload: str) -> None:
    await take(payload, no_world)


def test_the_events_a_subscription_lets_through_are_those_that_are_taken() -> None:
    for kind in TYPES:
        for operation in OPERATIONS:
            event = WRITTEN | {"type": kind, "data": {"resourceUri": CLUSTER.arm_id, "operationName": operation}}
            assert parse_cluster_event(json.dumps(event)) is not None, (kind, operation)
    assert SYNTHETIC in JOB_EVENT_TYPES
    assert JOB["type"] in JOB_EVENT_TYPES
    assert parse_synthetic_event(json.dumps(JOB)) is None
