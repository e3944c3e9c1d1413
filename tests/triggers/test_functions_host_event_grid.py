"""The Event Grid webhook of the local Functions host answers as the real one."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pytest

from tests.conftest import RunningHost, StartHost
from tests.triggers.conftest import Answer, Call, SampleApp, WriteApp

FUNCTIONS = """
together = {}


@app.event_grid_trigger(arg_name="event")
async def take(event: str) -> None:
    body = json.loads(event)
    record("take", raw=event)
    if body.get("id") == "bad":
        raise ValueError("this event is bad")


@app.event_grid_trigger(arg_name="event")
async def meet(event: func.EventGridEvent) -> None:
    # Each waits for the other: they only get through when both run at once.
    together.setdefault(event.subject, asyncio.Barrier(2))
    async with asyncio.timeout(30):
        await together[event.subject].wait()
    record("meet", id=event.id)


@app.event_grid_trigger(arg_name="event")
def typed(event: func.EventGridEvent) -> None:
    record("typed", kind=type(event).__name__)


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def yearly(timer: func.TimerRequest) -> None: ...
"""
NOTIFICATION = {"aeg-event-type": "Notification", "Content-Type": "application/json"}


class Deliver(Protocol):
    """Posts to the webhook of a function: text as it is, everything else as JSON."""

    def __call__(
        self, body: object, function: str = "take", headers: Mapping[str, str] = NOTIFICATION, method: str = "POST"
    ) -> Answer: ...


@pytest.fixture(scope="module")
def app(write_app: WriteApp) -> SampleApp:
    return write_app(FUNCTIONS)


@pytest.fixture(scope="module")
def host(app: SampleApp, start_functions_host: StartHost) -> RunningHost:
    return start_functions_host(app.folder, app.settings | {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "100000"})


@pytest.fixture
def deliver(host: RunningHost, call: Call) -> Deliver:
    def send(
        body: object, function: str = "take", headers: Mapping[str, str] = NOTIFICATION, method: str = "POST"
    ) -> Answer:
        text = body if isinstance(body, str | bytes | None) else json.dumps(body)
        return call(method, f"{host.api}/runtime/webhooks/eventgrid?functionName={function}&code=any", text, headers)

    return send


def event(event_id: str, **more: object) -> dict[str, object]:
    return {
        "id": event_id,
        "topic": "t",
        "subject": "s",
        "eventType": "E",
        "eventTime": "2026-01-02T03:04:05.1234567Z",
        "data": {"é": [1, None]},
        "dataVersion": "1",
        **more,
    }


def test_handshake_in_the_event_grid_schema_returns_the_code(deliver: Deliver) -> None:
    answer = deliver(
        [event("1", data={"validationCode": "the-code"})], headers={"aeg-event-type": "SubscriptionValidation"}
    )

    assert (answer.status, answer.json()) == (200, {"validationResponse": "the-code"})


def test_handshake_with_data_encoded_twice_returns_the_code(deliver: Deliver) -> None:
    body = {"specversion": "1.0", "data": json.dumps({"validationCode": "the-code"})}

    answer = deliver(body, headers={"aeg-event-type": "subscriptionvalidation"})

    assert (answer.status, answer.json()) == (200, {"validationResponse": "the-code"})


@pytest.mark.parametrize("body", ["[]", "[1]", '[{"data": {}}]', '{"data": "no json"}', "{"])
def test_handshake_without_a_code_is_a_bad_request(deliver: Deliver, body: str) -> None:
    assert deliver(body, headers={"aeg-event-type": "SubscriptionValidation"}).status == 400


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("eventgrid.azure.us", "eventgrid.azure.us"), ("evil.example", "eventgrid.azure.net")],
)
def test_cloud_events_handshake_allows_only_event_grid(deliver: Deliver, origin: str, allowed: str) -> None:
    answer = deliver(None, headers={"WebHook-Request-Origin": origin}, method="OPTIONS")

    assert (answer.status, answer.headers["WebHook-Allowed-Origin"]) == (200, allowed)


@pytest.mark.parametrize("kind", ["Unsubscribe", "SubscriptionDeletion"])
def test_goodbye_is_accepted(deliver: Deliver, kind: str) -> None:
    assert deliver("[]", headers={"aeg-event-type": kind}).status == 202


def test_request_that_is_not_from_event_grid_is_a_bad_request(deliver: Deliver) -> None:
    assert deliver([event("1")], headers={}).status == 400


def test_unknown_function_is_not_found(deliver: Deliver) -> None:
    assert deliver([event("1")], function="nobody").status == 404
    assert deliver([event("1")], function="yearly").status == 404


def test_body_that_is_not_json_is_a_bad_request(deliver: Deliver) -> None:
    assert deliver("{").status == 400
    assert deliver(b"\xff\xfe").status == 400


def test_large_body_is_refused_and_the_host_lives_on(deliver: Deliver) -> None:
    assert deliver([event("1", subject="x" * 200_000)]).status == 413
    assert deliver([]).status == 202


def test_every_element_is_one_invocation_with_its_json_unchanged(deliver: Deliver, app: SampleApp) -> None:
    events = [event(f"each-{number}") for number in range(5)]

    assert deliver(events).status == 202

    bodies = [json.loads(line["raw"]) for line in app.recorded("take")]
    assert sorted((body for body in bodies if body["id"].startswith("each-")), key=lambda b: b["id"]) == events


def test_single_object_is_one_event(deliver: Deliver, app: SampleApp) -> None:
    assert deliver(event("single", specversion="1.0")).status == 202
    assert [json.loads(line["raw"])["id"] for line in app.recorded("take")].count("single") == 1


def test_elements_run_in_parallel(deliver: Deliver, app: SampleApp) -> None:
    assert deliver([event("a", subject="pair"), event("b", subject="pair")], function="meet").status == 202
    assert sorted(line["id"] for line in app.recorded("meet")) == ["a", "b"]


def test_one_failure_fails_the_delivery_after_all_have_run(deliver: Deliver, app: SampleApp) -> None:
    answer = deliver([event("bad"), event("good-beside-bad")])

    assert answer.status == 500
    assert "this event is bad" in answer.text
    assert "good-beside-bad" in [json.loads(line["raw"])["id"] for line in app.recorded("take")]


def test_schema_of_the_payload_decides_the_type_the_function_gets(deliver: Deliver, app: SampleApp) -> None:
    assert deliver({"specversion": "1.0", "id": "c", "source": "s", "type": "T"}, function="typed").status == 202
    assert app.recorded("typed") == [{"kind": "CloudEvent"}]


def test_every_invocation_is_one_structured_log_line(
    deliver: Deliver, host: RunningHost, eventually: Callable[..., Any]
) -> None:
    deliver([event("bad")])

    def failures() -> list[dict[str, Any]]:
        return [line for line in host.logs() if line.get("outcome") == "Failed" and line.get("function") == "take"]

    line = eventually(failures, "the failure in the log")[0]
    assert line["level"] == "ERROR"
    assert line["invocation_id"]
    assert line["duration_ms"] >= 0
    assert "ValueError: this event is bad" in line["exception"]
