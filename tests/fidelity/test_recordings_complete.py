"""Every recorded exchange with the real Azure is played to the simulator, and answered alike.

One test for each exchange: a recording nobody plays fails. Where recordings are at hand none is skipped."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from simulator.http import Response
from tests.fidelity.recordings import SAMPLES, Exchange, compare, contents
from tests.fidelity.replays import REPLAYS, Differences

NO_EXCHANGE: Mapping[str, str] = {
    "alerts/azure_backup_common_alert_rsv_redacted.json": "a payload that Azure Monitor sends, not a call to it",
}

CONTENTS = contents()
EXCHANGES = [(recording, exchange) for recording, exchanges in CONTENTS.items() for exchange in exchanges]

pytestmark = [
    pytest.mark.fidelity,
    pytest.mark.skipif(not SAMPLES.parent.is_dir(), reason=f"no recordings here: {SAMPLES.parent} does not exist"),
]


@cache
def replayed(recording: str) -> Differences:
    """The differences of a whole recording: played once, for its exchanges build on each other."""
    return asyncio.run(_replayed(recording))


async def _replayed(recording: str) -> Differences:
    return await REPLAYS[recording](CONTENTS[recording])


@pytest.mark.parametrize(
    ("recording", "exchange"), [pytest.param(name, each, id=f"{name}-{each.n:03}") for name, each in EXCHANGES]
)
def test_it_answers_as_recorded(recording: str, exchange: Exchange) -> None:
    assert recording in REPLAYS, f"nothing replays {recording}"
    assert replayed(recording)[exchange.n] == []


def test_the_recordings_are_all_known() -> None:
    with_exchanges = {recording for recording, exchanges in CONTENTS.items() if exchanges}
    assert with_exchanges == REPLAYS.keys()
    assert CONTENTS.keys() - with_exchanges == NO_EXCHANGE.keys()


def test_the_comparison_sees_what_differs() -> None:
    headers = {"location": "https://a/x/1?api-version=1&t=2", "x-ms-ratelimit-remaining-subscription-writes": "9"}
    body: dict[str, Any] = {"id": "/x", "when": "2024-06-26T07:53:06Z", "list": [{"a": 1}], "none": None}
    exchange = Exchange(0, "GET", "/x", {}, None, 200, headers, body)
    twin = Response(
        200, body | {"when": "2026-01-01T00:00:00Z"}, headers | {"location": "http://b/x/1?t=3&api-version=1"}
    )
    assert compare(exchange, twin) == []
    for other in (
        Response(201, body, headers),
        Response(200, body, {}),
        Response(200, body, headers | {"location": "https://a/y/1?api-version=1&t=2"}),
        Response(200, body | {"more": 1}, headers),
        Response(200, body | {"none": "x"}, headers),
        Response(200, body | {"id": "/y"}, headers),
        Response(200, body | {"list": [{"a": "1"}]}, headers),
        Response(200, body | {"list": []}, headers),
    ):
        assert compare(exchange, other) != []
    assert compare(replace(exchange, answer=None), Response(200, None, headers)) == []
