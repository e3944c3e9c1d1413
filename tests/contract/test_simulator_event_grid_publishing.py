"""Custom topics: the official publisher client, who may publish what, and a real webhook on this machine."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent
from azure.eventgrid.aio import EventGridPublisherClient

from simulator.clock import Clock, RealClock, VirtualClock
from simulator.cloud import Cloud
from simulator.eventgrid.webhooks import Answer
from simulator.http import Request, Response
from simulator.server import start
from simulator.transport import SimulatedCredential, SimulatedTransport

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/events"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/topics/jobs"
ENDPOINT = "/eventgrid/topics/jobs/api/events"
DATA_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
CLOUD_EVENTS = "CloudEventSchemaV1_0"
BATCH = "application/cloudevents-batch+json; charset=utf-8"


class Receiver:
    """What a webhook got."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []

    async def deliver(self, _url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        content = json.loads(body)
        if headers["aeg-event-type"] == "SubscriptionValidation":
            code = content[0]["data"]["validationCode"]
            return 200, {}, json.dumps({"validationResponse": code}).encode()
        self.bodies.append(content)
        return 200, {}, b""

    async def preflight(self, _url: str, _headers: Mapping[str, str]) -> Answer:
        return 200, {"WebHook-Allowed-Origin": "*"}, b""


def new_cloud(clock: Clock) -> Cloud:
    cloud = Cloud(clock, seed=1)
    cloud.resources.add_subscription(SUBSCRIPTION)
    cloud.resources.register(SUBSCRIPTION, "Microsoft.EventGrid", "Registered")
    cloud.resources.add_group(SUBSCRIPTION, "events", "westeurope")
    return cloud


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 1, 10, tzinfo=UTC))


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def cloud(clock: VirtualClock, receiver: Receiver) -> Cloud:
    cloud = new_cloud(clock)
    cloud.event_grid.deliver = receiver.deliver
    cloud.event_grid.preflight = receiver.preflight
    return cloud


async def ask(cloud: Cloud, method: str, path: str, body: Any = None, base_url: str = "http://127.0.0.1") -> Response:
    headers = {"authorization": f"Bearer {cloud.identity.token(cloud.identity.operator)}"}
    content = b"" if body is None else json.dumps(body).encode()
    query = {"api-version": "2025-02-15"}
    return await cloud.respond(Request(method, path, base_url, query, headers, content))


async def make_topic(
    cloud: Cloud, schema: str, url: str = "https://guard.example/jobs", base_url: str = "http://127.0.0.1", **more: Any
) -> str:
    """A topic with one webhook subscription; answers its first key."""
    body = {"location": "westeurope", "properties": {"inputSchema": schema, **more}}
    assert (await ask(cloud, "PUT", TOPIC, body, base_url)).status == 201
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": url}}
    path = f"{TOPIC}/eventSubscriptions/guard"
    assert (await ask(cloud, "PUT", path, {"properties": {"destination": destination}})).status == 201
    assert await settled(cloud, path) == "Succeeded"
    key: str = (await ask(cloud, "POST", f"{TOPIC}/listKeys")).body["key1"]
    return key


async def settled(cloud: Cloud, path: str) -> str:
    """The provisioning state of a resource, once it is final."""
    async with asyncio.timeout(20):
        while (state := (await ask(cloud, "GET", path)).body["properties"]["provisioningState"]) == "Creating":
            if isinstance(cloud.clock, VirtualClock):
                await cloud.clock.advance(60)
            else:
                await cloud.clock.sleep(1)
    return str(state)


async def advance(cloud: Cloud, seconds: float) -> None:
    assert isinstance(cloud.clock, VirtualClock)
    await cloud.clock.advance(seconds)


def cloud_event(**more: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "source": "/guard", "type": "AksBackupGuard.JobFinished"} | more


def event_grid_event(**more: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "subject": "clusters/one",
        "eventType": "AksBackupGuard.JobFinished",
        "eventTime": "2026-03-01T10:00:00Z",
        "dataVersion": "1",
        "data": {"n": 1},
    } | more


async def publish(cloud: Cloud, body: Any, content_type: str = BATCH, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await cloud.respond(
        Request("POST", ENDPOINT, query={"api-version": "2018-01-01"}, headers=sent, body=content)
    )


async def test_cloud_events_arrive_as_they_were_published(cloud: Cloud, receiver: Receiver) -> None:
    key = await make_topic(cloud, CLOUD_EVENTS)
    first, second = cloud_event(id="1", data={"n": 1}), cloud_event(id="2", traceparent="00-ab")
    assert (await publish(cloud, [first, second], aeg_sas_key=key)).status == 200
    assert (await publish(cloud, cloud_event(id="3"), "application/cloudevents+json", aeg_sas_key=key)).status == 200
    assert receiver.bodies == []
    await advance(cloud, 0)
    assert receiver.bodies == [first, second, cloud_event(id="3")]


async def test_event_grid_events_are_stamped_with_their_topic(cloud: Cloud, receiver: Receiver) -> None:
    key = await make_topic(cloud, "EventGridSchema")
    assert (await publish(cloud, [event_grid_event()], "application/json", aeg_sas_key=key)).status == 200
    await advance(cloud, 0)
    assert receiver.bodies == [[event_grid_event(topic=TOPIC, metadataVersion="1")]]


async def test_a_topics_filters_and_retries_are_those_of_system_topics(cloud: Cloud, receiver: Receiver) -> None:
    key = await make_topic(cloud, CLOUD_EVENTS)
    narrow = {"filter": {"includedEventTypes": ["Nothing.LikeThat"]}}
    assert (await ask(cloud, "PATCH", f"{TOPIC}/eventSubscriptions/guard", narrow)).status == 201
    await advance(cloud, 60)
    await publish(cloud, [cloud_event()], aeg_sas_key=key)
    await advance(cloud, 3600)
    assert receiver.bodies == []


async def refusal(response: Response) -> tuple[int, str, str]:
    error = response.body["error"]
    assert error["details"] == [{"code": error["code"], "message": error["message"]}]
    return response.status, error["code"], error["message"]


async def test_keys(cloud: Cloud, receiver: Receiver) -> None:
    key = await make_topic(cloud, CLOUD_EVENTS)
    status, code, message = await refusal(await publish(cloud, [cloud_event()]))
    assert (status, code) == (401, "Unauthorized")
    assert "aeg-sas-token, aeg-sas-key" in message
    status, code, message = await refusal(await publish(cloud, [cloud_event()], aeg_sas_key="wrong"))
    assert (status, code, message) == (
        401,
        "Unauthorized",
        "The request authorization key is not authorized for 127.0.0.1.",
    )
    assert (await ask(cloud, "PATCH", TOPIC, {"properties": {"disableLocalAuth": True}})).status == 200
    status, code, _ = await refusal(await publish(cloud, [cloud_event()], aeg_sas_key=key))
    assert (status, code) == (401, "Unauthorized")
    await advance(cloud, 60)
    assert receiver.bodies == []


async def test_tokens_need_the_right_audience_and_the_data_role(cloud: Cloud, receiver: Receiver) -> None:
    await make_topic(cloud, CLOUD_EVENTS, disableLocalAuth=True)
    sender = cloud.identity.new_principal("sender")

    async def send(token: str) -> Response:
        return await publish(cloud, [cloud_event()], authorization=f"Bearer {token}")

    audience = "https://eventgrid.azure.net"
    assert (await refusal(await send(cloud.identity.token(sender, audience))))[:2] == (403, "Forbidden")
    assert (await refusal(await send(cloud.identity.token(cloud.identity.operator, audience))))[0] == 403  # Owner
    cloud.authorization.grant(sender.object_id, DATA_SENDER, TOPIC)
    assert (await refusal(await send(cloud.identity.token(sender))))[0] == 401
    assert (await refusal(await send("no.token")))[0] == 401
    assert (await send(cloud.identity.token(sender, audience))).status == 200
    await advance(cloud, 0)
    assert receiver.bodies == [cloud_event()]
    old = cloud.identity.token(sender, audience, lifetime_seconds=60)
    await advance(cloud, 61)
    assert (await refusal(await send(old)))[0] == 401


@pytest.mark.parametrize(
    ("schema", "content_type", "body", "says"),
    [
        (CLOUD_EVENTS, BATCH, [event_grid_event()], "unexpected property 'eventType'"),
        ("EventGridSchema", "application/json", [cloud_event()], "unexpected property 'specversion'"),
        ("EventGridSchema", "application/json", event_grid_event(), "Token Expected: StartArray"),
        (CLOUD_EVENTS, "application/cloudevents+json", [cloud_event()], "Token Expected: StartObject"),
        (CLOUD_EVENTS, BATCH, [cloud_event(id="")], "'id'"),
        (CLOUD_EVENTS, BATCH, [cloud_event(specversion="0.3")], "specversion"),
        (CLOUD_EVENTS, BATCH, ["x"], "object"),
        ("EventGridSchema", "application/json", [event_grid_event(eventTime=None)], "'eventTime'"),
        (CLOUD_EVENTS, BATCH, b"[{", "not valid JSON"),
        (CLOUD_EVENTS, BATCH, b"\xff\xfe", "not valid JSON"),
    ],
)
async def test_what_is_no_event_of_the_topics_schema_is_refused_as_a_whole(
    cloud: Cloud, receiver: Receiver, schema: str, content_type: str, body: Any, says: str
) -> None:
    key = await make_topic(cloud, schema)
    if isinstance(body, list):
        body = [cloud_event() if schema == CLOUD_EVENTS else event_grid_event(), *body]
    if content_type == "application/cloudevents+json":
        body = [cloud_event()]
    status, code, message = await refusal(await publish(cloud, body, content_type, aeg_sas_key=key))
    assert (status, code) == (400, "BadRequest")
    assert says in message
    await advance(cloud, 60)
    assert receiver.bodies == []


async def test_a_megabyte_is_the_most(cloud: Cloud, receiver: Receiver) -> None:
    key = await make_topic(cloud, CLOUD_EVENTS)
    empty = len(json.dumps([cloud_event(data="")]))
    fits = [cloud_event(data="x" * (1_048_576 - empty))]
    assert (await publish(cloud, fits, aeg_sas_key=key)).status == 200
    too_large = [cloud_event(data="x" * (1_048_577 - empty))]
    assert (await refusal(await publish(cloud, too_large, aeg_sas_key=key)))[:2] == (413, "PayloadTooLarge")
    await advance(cloud, 0)
    assert receiver.bodies == fits


async def test_topics_that_are_not_there_not_ready_or_not_public(cloud: Cloud) -> None:
    assert (await publish(cloud, [cloud_event()], aeg_sas_key="k")).status == 404
    await ask(cloud, "PUT", TOPIC, {"location": "westeurope", "properties": {"publicNetworkAccess": "disabled"}})
    assert (await publish(cloud, [cloud_event()], aeg_sas_key="k")).status == 404  # still Creating
    await advance(cloud, 60)
    assert (await publish(cloud, [cloud_event()], aeg_sas_key="k")).status == 403
    assert (await cloud.respond(Request("GET", ENDPOINT))).status == 405


class Webhook:
    """A real receiver on this machine: its handshakes succeed, its first delivery fails."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[Mapping[str, str], Any]] = asyncio.Queue()
        self.answers = [500]

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            origin = request.headers["WebHook-Request-Origin"]
            return web.Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})
        content = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            return web.json_response({"validationResponse": content[0]["data"]["validationCode"]})
        if self.answers:
            return web.Response(status=self.answers.pop(0))
        await self.received.put((request.headers, content))
        return web.Response()


@pytest.fixture
async def webhook() -> AsyncIterator[tuple[Webhook, str]]:
    receiver, app = Webhook(), web.Application()
    app.router.add_route("*", "/webhook", receiver.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield receiver, f"http://{host}:{port}/webhook"
    await runner.cleanup()


@pytest.fixture
async def served() -> AsyncIterator[tuple[Cloud, str]]:
    """A cloud behind a real port, in scaled real time."""
    cloud = new_cloud(RealClock(speed=1000))
    runner, base = await start(cloud)
    yield cloud, base
    await cloud.event_grid.close()
    await runner.cleanup()


@pytest.mark.parametrize("schema", [CLOUD_EVENTS, "EventGridSchema"])
async def test_the_official_publisher_reaches_a_real_webhook_through_a_retry(
    served: tuple[Cloud, str], webhook: tuple[Webhook, str], schema: str
) -> None:
    (cloud, base), (receiver, url) = served, webhook
    key = await make_topic(cloud, schema, url=f"{url}?functionName=job_events", base_url=base)
    endpoint = (await ask(cloud, "GET", TOPIC)).body["properties"]["endpoint"]
    event = sample(schema)
    async with EventGridPublisherClient(endpoint, AzureKeyCredential(key)) as client:
        await client.send(event)
        async with asyncio.timeout(20):
            headers, body = await receiver.received.get()
    assert headers["aeg-delivery-count"] == "1"
    got = body if schema == CLOUD_EVENTS else body[0]
    assert (got["id"], got["subject"], got["data"]) == (str(event.id), "one", {"n": 1})


async def test_a_webhook_that_is_not_there_fails_the_handshake(served: tuple[Cloud, str]) -> None:
    cloud, _ = served
    nowhere = {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:1/none"}}
    path = f"{GROUP}/providers/Microsoft.EventGrid/eventSubscriptions/lost"
    assert (await ask(cloud, "PUT", path, {"properties": {"destination": nowhere}})).status == 201
    assert await settled(cloud, path) == "Failed"


def sample(schema: str) -> CloudEvent[Any] | EventGridEvent:
    if schema == CLOUD_EVENTS:
        return CloudEvent(source="/guard", type="AksBackupGuard.JobFinished", subject="one", data={"n": 1})
    return EventGridEvent("one", "AksBackupGuard.JobFinished", {"n": 1}, "1.0")


@pytest.mark.parametrize(("schema", "other"), [(CLOUD_EVENTS, "EventGridSchema"), ("EventGridSchema", CLOUD_EVENTS)])
async def test_the_official_publisher_in_virtual_time(
    cloud: Cloud, receiver: Receiver, schema: str, other: str
) -> None:
    key = await make_topic(cloud, schema)
    transport, endpoint = SimulatedTransport(cloud), f"http://127.0.0.1{ENDPOINT}"
    sent = [sample(schema), sample(schema)]
    client = EventGridPublisherClient(endpoint, AzureKeyCredential(key), transport=transport)
    await client.send(sent)
    with pytest.raises(HttpResponseError) as mismatch:
        await client.send(sample(other))
    assert mismatch.value.status_code == 400
    stranger = EventGridPublisherClient(endpoint, AzureKeyCredential("wrong"), transport=transport)
    with pytest.raises(ClientAuthenticationError, match="The request authorization key is not authorized for"):
        await stranger.send(sample(schema))
    cloud.authorization.grant(cloud.identity.app.object_id, DATA_SENDER, GROUP)
    signed_in = EventGridPublisherClient(endpoint, SimulatedCredential(cloud), transport=transport)
    await signed_in.send(last := sample(schema), enforce_https=False)
    await advance(cloud, 0)
    bodies = receiver.bodies if schema == CLOUD_EVENTS else [body[0] for body in receiver.bodies]
    assert [body["id"] for body in bodies] == [str(event.id) for event in (*sent, last)]
