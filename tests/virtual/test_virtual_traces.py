"""A trace follows one cluster from the event to the outcome, whatever becomes of hosts and messages on the way."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from shared.domain.profile import Notifications, Route
from shared.reconcile import reconcile
from shared.record.messages import parse_request
from shared.take_event import take_cluster_event
from shared.telemetry import traceparent_in
from tests.fakes.topic import FakeTopic
from tests.virtual.effects import Effects, Failure
from tests.virtual.traces import Told, TracedWorld, event_of, telling
from tests.virtual.world import QUICK, configuration_of, enforcing

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SHOP = Route("shop", channels=("TEAMS_SHOP",))


def traces(spans: Sequence[ReadableSpan]) -> set[int]:
    return {each.context.trace_id for each in spans if each.context}


def links(span: ReadableSpan) -> set[int]:
    return {link.context.trace_id for link in span.links}


def parents(prefix: str, told: Told) -> set[str | None]:
    """Names of the parents of the spans of that name, without their variants; None for the first span of a trace."""
    names = {each.context.span_id: each.name.split()[0] for each in told.spans if each.context}
    return {each.parent and names[each.parent.span_id] for each in told.named(prefix)}


async def test_a_cluster_is_one_trace_from_its_event_to_its_protection() -> None:
    with telling() as told:
        world = TracedWorld()
        cluster = world.create_cluster(settled=True, name="hostile-name-4711")
        await world.notice(cluster)
        assert await world.run_until_ready(cluster, seconds=1200)

    assert len(traces(told.spans)) == 1
    assert len(told.named("event cluster_events")) == 1
    assert len(told.named("look cluster")) > 10
    assert parents("event", told) == {None}
    assert parents("look cluster", told) == {"event"}
    assert parents("look region", told) == {"look"}
    assert parents("step", told) == {"look"}
    assert parents("ARM", told) == {"look", "step"}
    assert {
        str(each.attributes["aks_backup_guard.subject"]).lower()
        for each in told.named("look cluster")
        if each.attributes
    } == {cluster.key}
    names = {each.name for each in told.spans}
    assert not [name for name in names if "4711" in name or "other" in name]
    assert not [each.name for each in told.spans if each.status.status_code.name == "ERROR"]


async def test_an_event_that_names_its_trace_goes_on_with_it() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await take_cluster_event(event_of(cluster, GIVEN), world.get_host)
        assert await world.run_until_ready(cluster)

    assert traces(told.spans) == {int(GIVEN.split("-")[1], 16)}


@pytest.mark.parametrize(
    "given", [GIVEN[:-2] + "00", GIVEN[:-1], "00-" + "0" * 32 + GIVEN[35:], "x" * 5000, "01" + GIVEN[2:]]
)
async def test_a_trace_nobody_recorded_or_nobody_can_read_is_not_taken_over(given: str) -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await take_cluster_event(event_of(cluster, given), world.get_host)
        assert await world.run_until_ready(cluster)

    assert len(traces(told.spans)) == 1
    assert traces(told.spans) != {int(GIVEN.split("-")[1], 16)}


async def test_messages_that_come_twice_stay_in_the_trace() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        while not world.is_ready(cluster):
            if (message := world.queue.receive()) is not None:
                await world.clock.advance(0.001)
                await world.handle(message)
                await world.handle(message)
                world.queue.delete(message)
            else:
                assert await world.step()

    assert len(traces(told.spans)) == 1
    assert told.counts("reconciles")["cluster", "stale"] > 5


@pytest.mark.parametrize("number", range(3, 60, 4))
async def test_a_host_that_dies_anywhere_leaves_one_trace(number: int) -> None:
    """The message comes back, or the timer sends the wake-up that was lost."""
    with telling() as told:
        world = TracedWorld(timings=QUICK, effects=Effects(Failure(number, "after", "death")))
        world.start_timer()
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        assert await world.run_until_ready(cluster, seconds=4 * 3600)

    assert world.effects.struck, "the way is shorter than that"
    looks = told.named("look cluster")
    story = traces(looks[:-1])  # the timer's roll call may have had one more look at it
    assert len(story) == 1
    event = told.named("event")[0]
    assert story == traces([event])


async def test_who_asks_in_the_middle_of_a_story_joins_it() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        await world.run_until_says(cluster, "ExtensionReady", "Installing")
        await world.notice(cluster)
        assert await world.run_until_ready(cluster)

    first, second = told.named("event")
    assert traces(told.named("look")) == traces([first])
    assert traces([second]) != traces([first])
    assert links(second) == traces([first])


async def test_a_story_ends_when_nothing_remains() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        assert await world.run_until_ready(cluster)
        protected = traces(told.spans)
        await world.notice(cluster)
        await world.run(seconds=3 * 86400)

    record = world.record(cluster)
    assert record is not None
    assert record.traceparent == ""
    later = told.named("look cluster")[-3:]
    assert len(protected) == 1
    assert len(traces(later)) == 3, "each regular look is a story of its own"
    assert not traces(later) & protected


async def test_what_waits_long_is_a_trace_a_look() -> None:
    """A cluster the Guard cannot protect: a person must act, and it looks every hour whether somebody has."""
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True, identity="ServicePrincipal")
        await world.notice(cluster)
        await world.run(seconds=12 * 3600)

    looks = told.named("look cluster")
    assert len(looks) > 5
    assert len(traces(looks)) == len(looks)


async def test_what_is_asked_about_again_and_again_is_a_trace_a_day() -> None:
    """Somebody has changed guard.yaml without a new revision: every five minutes the Guard looks again."""
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        await world.step()
        world.restart(replace(world.configuration, digest="another"))
        await world.run_until_says(cluster, "Ready", "RevisionNotRaised")
        await world.run(seconds=3.2 * 86400)

    looks = told.named("look cluster")
    assert len(looks) > 800
    assert len(traces(looks)) == 4


async def test_messages_of_older_code_are_taken_and_older_code_takes_ours() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        message = world.queue.receive()
        assert message is not None
        assert traceparent_in(message.text)
        match json.loads(message.text):  # as it was read before there was a trace in it
            case {"subject": str(key), "wake_id": str(wake_id)}:
                old = json.dumps({"subject": key, "wake_id": wake_id})
        await reconcile(parse_request(old), world.host)
        world.queue.delete(message)
        assert await world.run_until_ready(cluster)

    assert len(traces(told.spans)) == 1, "the record knows the trace too"


async def test_a_failed_job_is_one_trace_from_its_event_to_the_message_about_it() -> None:
    with telling() as told:
        notifications = Notifications((SHOP,), group_wait=30)
        configuration = configuration_of(enforcing(), notifications=notifications)
        world = TracedWorld(configuration, timings=QUICK, topic=FakeTopic())
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        assert await world.run_until_ready(cluster)
        told.exporter.clear()
        world.start_job_watch()
        world.cloud.data_protection.add_job(cluster.arm_id, "Backup", "failed", None, "UserErrorHookExecutionFailed")
        await world.run(seconds=1800)

    [message] = world.channels.to("TEAMS_SHOP")
    [alert] = told.named("alert Opened")
    [sent] = [each for each in told.named("delivery") if dict(each.attributes or {}).get(SENT) and for_people(each)]
    assert len(message.announcements) == 1
    assert traces([alert]) == traces([sent]) <= traces(told.named("event job_events"))
    assert parents("alert", told) == {"look"}
    assert parents("delivery", told) <= {"alert", "delivery"}


async def test_one_message_about_many_clusters_has_links_to_their_traces() -> None:
    with telling() as told:
        notifications = Notifications((SHOP,), group_wait=600)
        world = TracedWorld(configuration_of(enforcing(), notifications=notifications), timings=QUICK)
        clusters = [world.create_cluster(settled=True) for _ in range(3)]
        await world.notice(*clusters)
        assert await world.run_until_ready(*clusters)
        world.start_job_watch()
        for cluster in clusters:
            world.cloud.data_protection.add_job(
                cluster.arm_id, "Backup", "failed", None, "UserErrorHookExecutionFailed"
            )
        await world.run(seconds=3600)

    [message] = world.channels.to("TEAMS_SHOP")
    [sent] = [each for each in told.named("delivery") if dict(each.attributes or {}).get(SENT)]
    assert len(message.announcements) == 3
    assert len(traces(told.named("alert"))) == 3
    assert traces([sent]) | links(sent) == traces(told.named("alert"))


SENT = "aks_backup_guard.announcements"


def for_people(span: ReadableSpan) -> bool:
    return "TEAMS_SHOP" in str(dict(span.attributes or {})["aks_backup_guard.destination"])
