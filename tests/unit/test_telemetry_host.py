"""The local Functions host gives every invocation a trace context, as the real one does."""

import pytest

from functions_host.trace_context import traceparent_within
from shared.telemetry import valid_traceparent

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_invocation_lies_within_the_trace_of_its_request() -> None:
    made = traceparent_within(GIVEN)
    assert valid_traceparent(made)
    assert made[:36] == GIVEN[:36]
    assert made[36:52] != GIVEN[36:52]
    assert traceparent_within(GIVEN[:-2] + "00").endswith("-00"), "what its sender did not record stays so"


@pytest.mark.parametrize("header", [None, "", "nonsense", GIVEN[:-1], "00-" + "0" * 32 + GIVEN[35:]])
def test_without_one_it_begins_a_trace(header: str | None) -> None:
    first, second = traceparent_within(header), traceparent_within(header)
    assert valid_traceparent(first)
    assert first.endswith("-01")
    assert first[3:35] != second[3:35]
