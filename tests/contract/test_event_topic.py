"""The publisher against a custom topic: over the official client, with a token, in batches, and through what goes
wrong."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.alerts import About, Alert, Announcement, Cause
from shared.domain.errors import BlockedError, TransientError
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, JobIssue, OutOfMemorySign, bounded
from shared.events.job_events import parse_job_event
from shared.notify.event_topic import EventGridTopic
from simulator.clock import RealClock, VirtualClock
from simulator.cloud import Cloud
from simulator.eventgrid.webhooks import Answer
from simulator.http import ConnectionLost, Request, Response
from simulator.server import start
from simulator.transport import SimulatedCredential, SimulatedTransport, simulated

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/events"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/topics/guard"
DATA_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
VAULT = f"{GROUP}/providers/Microsoft.DataProtection/backupVaults/kv"
CLUSTER = ClusterId.parse(f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/shop")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = EndedJob(
    arm_id=f"{VAULT}/backupJobs/0a11fc24-4d8d-42bd-a8d9-309923d7d994",
    cluster=CLUSTER,
    instance_id=f"{VAULT}/backupInstances/shop-1",
    operation="Backup",
    status="failed",
    user_triggered=False,
    started_at=NOW - timedelta(minutes=9),
    ended_at=NOW - timedelta(minutes=3),
    errors=(JobIssue("UserErrorX", "Ünicode 𝄞 <b>", "", ""),),
)
SIGN = OutOfMemorySign(CLUSTER, "agent-1", "velero", NOW)


class Subscriber:
    """The one who subscribed to the topic."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.anything = asyncio.Event()

    async def deliver(self, _url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers["aeg-event-type"] == "SubscriptionValidation":
            answer = {"validationResponse": json.loads(body)[0]["data"]["validationCode"]}
            return 200, {}, json.dumps(answer).encode()
        self.heard.append(json.loads(body))
        self.anything.set()
        return 200, {}, b""

    async def preflight(self, _url: str, _headers: Mapping[str, str]) -> Answer:
        return 200, {"WebHook-Allowed-Origin": "*"}, b""


class Wire(SimulatedTransport):
    """Counts requests, and fails the first ones as told: an answer, or None for a connection that breaks."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.cloud = cloud
        self.bodies: list[bytes] = []
        self.faults: list[Response | None] = []

    async def send(self, request: Any, **kwargs: Any) -> Any:
        self.bodies.append(simulated(request).body)
        if not self.faults:
            return await super().send(request, **kwargs)
        fault = self.faults.pop(0)

        class Broken:
            async def respond(self, _request: Request) -> Response:
                if fault is None:
                    raise ConnectionLost("reset")
                return fault

        self._cloud, real = Broken(), self._cloud  # type: ignore[assignment]
        try:
            return await super().send(request, **kwargs)
        finally:
            self._cloud = real


class Place:
    """A cloud with a topic, somebody who listens, and the publisher under test."""

    def __init__(self, cloud: Cloud, subscriber: Subscriber, transport: Wire | None, endpoint: str) -> None:
        self.cloud, self.subscriber = cloud, subscriber
        self.pauses: list[float] = []
        self.topic = EventGridTopic(
            endpoint,
            SimulatedCredential(cloud),
            clock=cloud.clock,
            transport=transport,
            sleep=self._pause,
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def heard(self) -> list[dict[str, Any]]:
        if isinstance(self.cloud.clock, VirtualClock):
            await self.cloud.clock.advance(1)
        return self.subscriber.heard


async def ask(cloud: Cloud, method: str, path: str, body: Any = None, base_url: str = "http://127.0.0.1") -> Response:
    headers = {"authorization": f"Bearer {cloud.identity.token(cloud.identity.operator)}"}
    content = b"" if body is None else json.dumps(body).encode()
    return await cloud.respond(Request(method, path, base_url, {"api-version": "2025-02-15"}, headers, content))


async def make_topic(cloud: Cloud, base_url: str, schema: str = "CloudEventSchemaV1_0", *, role: bool = True) -> str:
    """A topic with one subscription, the app allowed to send; answers its endpoint."""
    cloud.resources.add_subscription(SUBSCRIPTION)
    cloud.resources.register(SUBSCRIPTION, "Microsoft.EventGrid", "Registered")
    cloud.resources.add_group(SUBSCRIPTION, "events", "westeurope")
    properties = {"inputSchema": schema, "disableLocalAuth": True}
    made = await ask(cloud, "PUT", TOPIC, {"location": "westeurope", "properties": properties}, base_url)
    assert made.status == 201
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": "https://guard.example/jobs"}}
    path = f"{TOPIC}/eventSubscriptions/guard"
    body = {"properties": {"destination": destination, "eventDeliverySchema": schema}}
    assert (await ask(cloud, "PUT", path, body)).status == 201
    async with asyncio.timeout(20):
        while (state := (await ask(cloud, "GET", path)).body["properties"]["provisioningState"]) == "Creating":
            await (cloud.clock.advance(60) if isinstance(cloud.clock, VirtualClock) else cloud.clock.sleep(1))
    assert state == "Succeeded"
    if role:
        cloud.authorization.grant(cloud.identity.app.object_id, DATA_SENDER, TOPIC)
        if isinstance(cloud.clock, VirtualClock):
            await cloud.clock.advance(900)  # the role spreads
    return str((await ask(cloud, "GET", TOPIC, base_url=base_url)).body["properties"]["endpoint"])


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(VirtualClock(NOW), seed=1)


@pytest.fixture
def subscriber(cloud: Cloud) -> Subscriber:
    subscriber = Subscriber()
    cloud.event_grid.deliver, cloud.event_grid.preflight = subscriber.deliver, subscriber.preflight
    return subscriber


@pytest.fixture
def wire(cloud: Cloud) -> Wire:
    return Wire(cloud)


@pytest.fixture
async def place(cloud: Cloud, subscriber: Subscriber, wire: Wire) -> Place:
    return Place(cloud, subscriber, wire, await make_topic(cloud, "http://127.0.0.1"))


async def test_news_arrives_and_a_job_is_read_as_what_it_was(place: Place) -> None:
    await place.topic.publish_news([JOB, SIGN])
    events = await place.heard()
    assert [event["id"] for event in events] == [JOB.key, SIGN.key]
    now = place.cloud.clock.now()
    assert [parse_job_event(json.dumps(event), now) for event in events] == [JOB, None], "kills are for others to read"


async def test_an_announcement_arrives_with_every_field_null_ones_too(place: Place) -> None:
    cause = Cause("Backup:X", "X", "Error", "It failed", "Because.", "Mend it.", NOW, NOW, did=("a", "b"))
    alert = Alert(CLUSTER.key, cause, "Open", "Error", NOW)
    about = About(CLUSTER.key, "shop", tags={"owner": "team-a"})
    await place.topic.publish_announcements([Announcement("k", "Opened", alert, about, NOW)])
    (event,) = await place.heard()
    assert (event["type"], event["id"], event["source"]) == ("AksBackupGuard.AlertOpened", "k", "aks-backup-guard")
    assert event["data"]["resolvedAt"] is None
    assert (event["data"]["tags"], event["data"]["did"]) == ({"owner": "team-a"}, ["a", "b"])


async def test_nothing_to_publish_is_no_request(place: Place, wire: Wire) -> None:
    await place.topic.publish_news([])
    assert wire.bodies == []


async def test_much_news_goes_out_in_requests_of_at_most_a_megabyte(place: Place, wire: Wire) -> None:
    warnings = tuple(JobIssue(f"Code{n}", "ü" * 300, "", f"ns/pvc-{n}") for n in range(200))
    jobs = [replace(JOB, arm_id=f"{VAULT}/backupJobs/{n}", warnings=warnings) for n in range(12)]
    await place.topic.publish_news(jobs)
    assert len(wire.bodies) > 1
    assert max(len(body) for body in wire.bodies) <= 1_048_576
    heard = [parse_job_event(json.dumps(event), place.cloud.clock.now()) for event in await place.heard()]
    assert heard == [bounded(job) for job in jobs]


async def test_the_largest_job_fits_into_a_request(place: Place) -> None:
    warnings = tuple(JobIssue("C" * 300, "\U0001d11e" * 5000, "\ud800" * 9000, f"ns/{n}") for n in range(5000))
    await place.topic.publish_news([replace(JOB, warnings=warnings)])
    (event,) = await place.heard()
    assert len(event["data"]["warnings"]) + event["data"]["leftOut"] == 5000


@pytest.mark.parametrize("fault", [None, Response(503, {}), Response(500, {"error": {"code": "Oops"}})])
async def test_a_short_trouble_is_tried_again_at_once(place: Place, wire: Wire, fault: Response | None) -> None:
    wire.faults = [fault, fault]
    await place.topic.publish_news([JOB])
    assert len(await place.heard()) == 1
    assert len(place.pauses) == 2


async def test_a_long_trouble_is_transient(place: Place, wire: Wire) -> None:
    wire.faults = [None] * 9
    with pytest.raises(TransientError, match="did not answer"):
        await place.topic.publish_news([JOB])
    assert len(wire.bodies) == 3


async def test_who_is_told_to_wait_does_not_try_at_once(place: Place, wire: Wire) -> None:
    wire.faults = [Response(429, {"error": {"code": "TooManyRequests", "message": "slow"}}, {"Retry-After": "40"})]
    with pytest.raises(TransientError, match="slow") as raised:
        await place.topic.publish_news([JOB])
    assert raised.value.retry_after == 40
    assert len(wire.bodies) == 1


async def test_without_the_role_a_person_is_told_which_to_give(
    cloud: Cloud, subscriber: Subscriber, wire: Wire
) -> None:
    place = Place(cloud, subscriber, wire, await make_topic(cloud, "http://127.0.0.1", role=False))
    with pytest.raises(BlockedError) as raised:
        await place.topic.publish_news([JOB])
    assert "EventGrid Data Sender" in raised.value.recommended_action
    assert TOPIC in raised.value.message
    assert len(wire.bodies) == 1


async def test_a_topic_of_another_schema_is_named_as_what_is_wrong(
    cloud: Cloud, subscriber: Subscriber, wire: Wire
) -> None:
    place = Place(cloud, subscriber, wire, await make_topic(cloud, "http://127.0.0.1", "EventGridSchema"))
    with pytest.raises(BlockedError) as raised:
        await place.topic.publish_news([JOB])
    assert "CloudEventSchemaV1_0" in raised.value.recommended_action


async def test_a_topic_that_is_not_there_is_named_by_its_setting(place: Place, wire: Wire) -> None:
    gone = Place(place.cloud, place.subscriber, wire, "http://127.0.0.1/eventgrid/topics/other/api/events")
    with pytest.raises(BlockedError) as raised:
        await gone.topic.publish_news([JOB])
    assert "AKS_BACKUP_GUARD_EVENT_TOPIC" in raised.value.recommended_action


async def test_a_page_of_a_gateway_is_no_crash(place: Place, wire: Wire) -> None:
    wire.faults = [Response(502, b"<html>", {"Content-Type": "application/json"})] * 9
    with pytest.raises(TransientError):
        await place.topic.publish_news([JOB])


async def test_no_token_is_transient(place: Place, wire: Wire) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    class NoIdentity:
        async def get_token(self, *_: str, **__: Any) -> Any:
            raise ClientAuthenticationError("no identity here")

        async def close(self) -> None:
            """Nothing is held."""

    topic = EventGridTopic(
        "http://127.0.0.1/eventgrid/topics/guard/api/events",
        NoIdentity(),  # type: ignore[arg-type]
        clock=place.cloud.clock,
        transport=wire,
    )
    with pytest.raises(TransientError, match="no identity here"):
        await topic.publish_news([JOB])
    assert wire.bodies == []


@pytest.mark.parametrize("endpoint", ["http://guard.example/api/events", "ftp://127.0.0.1/x", ""])
def test_a_token_never_goes_in_the_clear_to_another_machine(cloud: Cloud, endpoint: str) -> None:
    with pytest.raises(ValueError, match="https"):
        EventGridTopic(endpoint, SimulatedCredential(cloud), clock=cloud.clock)


@pytest.fixture
async def served(cloud: Cloud) -> AsyncIterator[tuple[Cloud, str]]:
    real = Cloud(RealClock(speed=1000), seed=1)
    runner, base = await start(real)
    yield real, base
    await real.event_grid.close()
    await runner.cleanup()


async def test_over_a_real_socket(served: tuple[Cloud, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (cloud, base), subscriber = served, Subscriber()
    cloud.event_grid.deliver, cloud.event_grid.preflight = subscriber.deliver, subscriber.preflight
    place = Place(cloud, subscriber, None, await make_topic(cloud, base))
    async with asyncio.timeout(20):
        while True:  # until the role has spread
            try:
                await place.topic.publish_news([JOB])
                break
            except BlockedError:
                await asyncio.sleep(0.05)
        await subscriber.anything.wait()
    await place.topic.close()
    assert parse_job_event(json.dumps(subscriber.heard[0]), NOW) == JOB
    assert cloud.identity.token(cloud.identity.app)[:20] not in caplog.text
