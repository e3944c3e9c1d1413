"""The message of a delivery is read back as it was written; anything else is dropped with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import MalformedEventError
from shared.record.messages import notify_message, parse_notification


@pytest.mark.parametrize("destination", ["topic", "route:team ä / b|TEAM_A"])
def test_a_destination_survives_its_message(destination: str) -> None:
    assert parse_notification(notify_message(destination)) == destination


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "topic",
        '{"destination": 1}',
        '{"destination": ""}',
        '{"destination": "' + "d" * 5000 + '"}',
        "[" * 1000,
    ],
)
def test_what_is_no_destination_is_malformed(text: str) -> None:
    with pytest.raises(MalformedEventError):
        parse_notification(text)


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(MalformedEventError):
        parse_notification(text)
