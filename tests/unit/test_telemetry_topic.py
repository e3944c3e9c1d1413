"""News of a job carries its trace through the topic to the function that takes it in."""

import json
from datetime import UTC, datetime

from shared.events.job_events import parse_job_event
from shared.take_event import take_job_event
from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from tests.contract.test_event_topic import CLUSTER, JOB, Place, Subscriber, Wire, make_topic
from tests.virtual.traces import TracedWorld, telling


async def place() -> tuple[Place, Wire]:
    cloud, subscriber = Cloud(VirtualClock(datetime(2026, 3, 1, 12, tzinfo=UTC)), seed=1), Subscriber()
    cloud.event_grid.deliver, cloud.event_grid.preflight = subscriber.deliver, subscriber.preflight
    wire = Wire(cloud)
    return Place(cloud, subscriber, wire, await make_topic(cloud, "http://127.0.0.1")), wire


async def test_the_trace_goes_on_where_the_event_arrives() -> None:
    with telling() as told:
        there, _ = await place()
        await there.topic.publish_news([JOB, JOB])
        events = await there.heard()
        world = TracedWorld()
        await take_job_event(json.dumps(events[0]), world.get_host)

    published, again = told.named("job published")
    [taken] = told.named("event job_events")
    assert published.context
    assert again.context
    assert taken.parent
    assert published.parent is None
    assert published.context.trace_id != again.context.trace_id, "each news is a story of its own"
    assert taken.parent.span_id in (published.context.span_id, again.context.span_id)
    assert parse_job_event(json.dumps(events[0]), datetime.now(UTC)) is not None
    assert dict(published.attributes or {})["aks_backup_guard.subject"] == CLUSTER.arm_id


async def test_nobody_exports_and_the_event_has_no_trace() -> None:
    there, wire = await place()
    await there.topic.publish_news([JOB])
    assert JOB.key.encode() in wire.bodies[-1]
    assert b"traceparent" not in wire.bodies[-1]
