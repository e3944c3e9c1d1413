"""Parents, links and errors of spans; and messages that carry a trace."""

import json

import pytest
from opentelemetry import context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.domain.alerts import Announcement
from shared.domain.errors import BlockedError, MalformedEventError
from shared.domain.ids import ClusterId
from shared.domain.record import ReconcileRequest
from shared.record.entity import dump, load
from shared.record.messages import notify_message, parse_notification, parse_request, request_message
from shared.telemetry import current_traceparent, link_to, span, traceparent_in, valid_traceparent
from shared.telemetry.catalogue import ALERT, EVENT, JOB, LOOK
from tests.fakes.announcements import announced
from tests.virtual.traces import Told, telling

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = int(GIVEN[3:35], 16)
CLUSTER = ClusterId("00000000-0000-0000-0000-000000000001", "shop", "aks-shop")


def invocation() -> context.Context:
    """As the worker attaches what the host gave it."""
    return TraceContextTextMapPropagator().extract({"traceparent": GIVEN})


def only(told: Told, name: str) -> tuple[int, int | None, list[int]]:
    """Trace, parent and traces it has links to."""
    [found] = told.named(name)
    assert found.context is not None
    return (
        found.context.trace_id,
        found.parent and found.parent.span_id,
        [link.context.trace_id for link in found.links],
    )


def test_an_event_is_a_child_of_the_hosts_invocation() -> None:
    with telling() as told:
        token = context.attach(invocation())
        with span(EVENT, "cluster_events"):
            assert current_traceparent().startswith(GIVEN[:35])
        assert current_traceparent() == "", "the host's own span is nobody's story"
        context.detach(token)
    assert only(told, "event cluster_events") == (TRACE, int(GIVEN[36:52], 16), [])


def test_a_span_with_another_parent_has_a_link_to_the_invocation() -> None:
    other = "00-11111111111111111111111111111111-2222222222222222-01"
    with telling() as told:
        token = context.attach(invocation())
        with span(LOOK, "cluster", parent=other):
            pass
        with span(JOB, alone=True):
            pass
        with span(LOOK, "region", parent=""):
            pass
        context.detach(token)
    assert only(told, "look cluster") == (int("1" * 32, 16), int("2" * 16, 16), [TRACE])
    for name in ("job published", "look region"):
        trace, parent, links = only(told, name)
        assert trace != TRACE
        assert (parent, links) == (None, [TRACE])


def test_a_link_leads_to_another_trace_only() -> None:
    with telling() as told, span(EVENT, "job_events"):
        link_to(current_traceparent())
        link_to("")
        link_to("nonsense")
        link_to(GIVEN)
    assert only(told, "event job_events")[2] == [TRACE]


def test_an_error_is_told_by_its_code_and_never_by_its_text() -> None:
    with telling() as told:
        with pytest.raises(BlockedError), span(LOOK, "cluster"):
            raise BlockedError("ScopeLocked", "https://hooks.example/secret")
        with pytest.raises(KeyError), span(ALERT, "Opened"):
            raise KeyError("https://hooks.example/secret")
    look, alert = told.spans
    assert look.attributes == {"error.type": "ScopeLocked"}
    assert alert.attributes == {"error.type": "KeyError"}
    assert "secret" not in look.to_json() + alert.to_json()
    assert {each.status.status_code.name for each in told.spans} == {"ERROR"}


def test_nothing_happens_when_nobody_exports() -> None:
    with span(LOOK, "cluster", parent=GIVEN, subject="x") as note:
        note.say(outcome="acted")
        note.fail("Because")
        link_to(GIVEN)
        assert current_traceparent() == ""


def test_a_request_keeps_its_trace() -> None:
    request = ReconcileRequest(CLUSTER, "wake-1", GIVEN)
    assert parse_request(request_message(request)) == request
    assert "traceparent" not in request_message(ReconcileRequest(CLUSTER, "wake-1"))


@pytest.mark.parametrize(
    "bad", ["", GIVEN.upper(), GIVEN + "0", "ff" + GIVEN[2:], GIVEN[:-1] + "é", 7, None, ["x"], "x" * 3000]
)
def test_a_trace_that_is_malformed_counts_as_none(bad: object) -> None:
    message = json.dumps({"subject": CLUSTER.key, "wake_id": "wake-1", "traceparent": bad})
    assert parse_request(message) == ReconcileRequest(CLUSTER, "wake-1")
    assert valid_traceparent(bad) == traceparent_in(message) == ""


@pytest.mark.parametrize(
    "text", ["", "[]", '"traceparent"', '{"traceparent"', '["traceparent"]', '"traceparent"' + "[" * 100_000]
)
def test_no_text_is_too_odd_to_look_for_a_trace_in(text: str) -> None:
    assert traceparent_in(text) == ""


def test_a_delivery_is_asked_for_in_the_trace_of_who_asks() -> None:
    with telling():
        with span(ALERT, "Opened"):
            inside, message = current_traceparent(), notify_message("route:shop|TEAMS")
        outside = notify_message("route:shop|TEAMS")
    assert traceparent_in(message) == inside
    assert outside == '{"destination":"route:shop|TEAMS"}'
    assert parse_notification(message) == parse_notification(outside) == "route:shop|TEAMS"
    with pytest.raises(MalformedEventError):
        parse_notification(json.dumps({"traceparent": GIVEN}))


def test_an_announcement_of_older_code_has_no_trace_and_a_newer_one_is_read_by_older_code() -> None:
    written = dump(Announcement, announced())
    assert written.pop("traceparent") == ""
    assert load(Announcement, written) == announced()
    assert load(Announcement, written | {"of_tomorrow": 1}) == announced()
