"""The queue message is read back as it was written; anything else is dropped with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import MalformedEventError
from shared.domain.ids import ClusterId, RegionId, Subject
from shared.domain.record import ReconcileRequest
from shared.record.messages import parse_request, request_message
from shared.record.queue import visibility_timeout

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize(
    "subject", [ClusterId(SUBSCRIPTION, "rg.one", "aks_1"), RegionId(SUBSCRIPTION, "westeurope", "default")]
)
def test_a_request_survives_its_message(subject: Subject) -> None:
    request = ReconcileRequest(subject, "wake 1")
    assert parse_request(request_message(request)) == request


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "not JSON",
        '{"subject": 1, "wake_id": "w"}',
        '{"subject": "a|b|c"}',
        '{"subject": "/subscriptions/x", "wake_id": "w"}',
        '{"subject": "a|b", "wake_id": "w"}',
        '{"subject": "a|b|c", "wake_id": "' + "w" * 5000 + '"}',
        "[" * 4000,
    ],
)
def test_what_is_no_request_is_malformed(text: str) -> None:
    with pytest.raises(MalformedEventError):
        parse_request(text)


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(MalformedEventError):
        parse_request(text)


@pytest.mark.parametrize(
    ("delay", "seconds"), [(-3, 0), (0, 0), (0.2, 1), (59.0, 59), (59.001, 60), (10**9, 604_800), (604_800, 604_800)]
)
def test_a_delay_is_never_shortened_but_at_seven_days(delay: float, seconds: int) -> None:
    assert visibility_timeout(delay) == seconds
