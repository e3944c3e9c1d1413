"""Recorded traffic of the real Azure, and what an answer of the simulator must have in common with it.

The recordings lie beside the checkout, not in it. Where that place is missing a test is skipped and says so; where it
is there, a recording that is missing fails."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from simulator.http import Response

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples"
MATTER = ("azure-asyncoperation", "location", "content-type", "retry-after", "etag")  # and x-ms-ratelimit-*

# What differs from call to call; everything else must be the same text.
_VOLATILE = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE), "<guid>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hex>"),
    (re.compile(r"\b(?!0001)\d{4}-\d\d-\d\dT\d\d(:|%3A)\d\d(:|%3A)\d\d(\.\d+)?Z"), "<moment>"),
    (re.compile(r"\bPT(?!0S)[\dHM.]+S?\b"), "<duration>"),
    (re.compile(r"(?<=/)[A-Za-z0-9]{90,}=*|^[A-Za-z0-9]{90,}=*$"), "<operation>"),
    (re.compile(r"^\d{12,}$"), "<number>"),
)


@dataclass(frozen=True)
class Exchange:
    """One recorded call. `path` and `query` are decoded; `answer` is None where there was no body."""

    n: int
    method: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    headers: Mapping[str, str]
    answer: Any


def recorded(folder: str) -> list[Exchange]:
    """The exchanges of one recording, in order. Skips the test where recordings are not at hand at all."""
    _skip_without_recordings()
    index = json.loads((SAMPLES / folder / "index.json").read_text(encoding="utf-8"))
    return list(_exchanges(SAMPLES / folder, index["interactions"]))


def cassette(name: str) -> Path:
    """The file of one of cloud-custodian's recordings. Skips as `recorded` does."""
    _skip_without_recordings()
    return SAMPLES / "cloud_custodian_cassettes" / name


def _skip_without_recordings() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"no recordings here: {SHARED} does not exist")


def _exchanges(folder: Path, interactions: list[dict[str, Any]]) -> Iterator[Exchange]:
    for number, one in enumerate(interactions):
        uri = urlsplit(one["uri"])
        yield Exchange(
            n=one.get("n", number),
            method=one["method"],
            path=unquote(uri.path),
            query=dict(parse_qsl(uri.query, keep_blank_values=True)),
            request=_json(folder, one.get("request")),
            status=one["status"],
            headers={name.lower(): value for name, value in one["response_headers"].items()},
            answer=_json(folder, one.get("response")),
        )


def _json(folder: Path, name: str | None) -> Any:
    return None if name is None else json.loads((folder / name).read_text(encoding="utf-8"))


def compare(
    recorded_status: int,
    recorded_headers: Mapping[str, str],
    recorded_body: Any,
    answer: Response,
    *,
    values: bool = True,
) -> list[str]:
    """How the simulator's answer differs from the recorded one: status, headers that matter, keys and JSON types of the
    body, and (`values`) every value that does not change from call to call. Empty: no difference. Headers the
    recording lacks are not looked at: the recordings were stripped of some."""
    differences = []
    if answer.status != recorded_status:
        differences.append(f"status: recorded {recorded_status}, answered {answer.status} {answer.body!r}")
    given = {name.lower(): value for name, value in answer.headers.items()}
    for name, value in recorded_headers.items():
        lowered = name.lower()
        counter = lowered.startswith("x-ms-ratelimit-")
        if lowered not in MATTER and not counter:
            continue
        if lowered not in given:
            differences.append(f"header {lowered}: recorded, not answered")
        elif not counter and _link(value) != _link(given[lowered]) and values:
            differences.append(f"header {lowered}: recorded {_link(value)}, answered {_link(given[lowered])}")
    return differences + list(_unlike(recorded_body, answer.body, "body", values))


def _link(value: str) -> str:
    """A header's value; of a link the path and the names in the query, for the rest is signature."""
    if not value.startswith("http"):
        return _steady(value)
    parts = urlsplit(value)
    return f"{_steady(parts.path)}?{'&'.join(sorted(name for name, _ in parse_qsl(parts.query)))}"


def _steady(text: str) -> str:
    for pattern, name in _VOLATILE:
        text = pattern.sub(name, text)
    return text


def _unlike(was: Any, now: Any, where: str, values: bool) -> Iterator[str]:
    if _kind(was) != _kind(now):
        yield f"{where}: recorded {_kind(was)} {was!r}, answered {_kind(now)} {now!r}"
    elif isinstance(was, Mapping):
        for name in sorted(was.keys() - now.keys()):
            yield f"{where}.{name}: recorded, not answered"
        for name in sorted(now.keys() - was.keys()):
            yield f"{where}.{name}: answered, not recorded"
        for name in was.keys() & now.keys():
            yield from _unlike(was[name], now[name], f"{where}.{name}", values)
    elif isinstance(was, list):
        if len(was) != len(now) and (values or not (was and now)):
            yield f"{where}: recorded {len(was)} items, answered {len(now)}"
        for position, item in enumerate(now[: len(was)]):
            yield from _unlike(was[position], item, f"{where}[{position}]", values)
    elif values and (_steady(was) != _steady(now) if isinstance(was, str) else was != now):
        yield f"{where}: recorded {was!r}, answered {now!r}"


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    if isinstance(value, int | float):
        return "number"
    return "object" if isinstance(value, Mapping) else type(value).__name__
