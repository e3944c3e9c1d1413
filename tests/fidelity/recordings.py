"""Recorded traffic of the real Azure, and what an answer of the simulator must have in common with it.

The recordings lie beside the checkout, not in it: a folder of exchanges with an index, or one file of
cloud-custodian's ("cassette")."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from simulator.http import Response

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
MATTER = ("azure-asyncoperation", "location", "content-type", "retry-after", "etag")  # and x-ms-ratelimit-*

# What differs from call to call; everything else must be the same text.
_VOLATILE = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE), "<guid>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hex>"),
    (re.compile(r"\b(?!0001)\d{4}-\d\d-\d\dT\d\d(:|%3A)\d\d(:|%3A)\d\d(\.\d+)?(Z|\+00:00)"), "<moment>"),
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


def contents() -> dict[str, list[Exchange]]:
    """Every recording by its name under the samples, with its exchanges in order; a file that holds none has an empty
    list. Empty where recordings are not at hand."""
    if not SAMPLES.is_dir():
        return {}
    found: dict[str, list[Exchange]] = {}
    for folder in sorted(path for path in SAMPLES.iterdir() if path.is_dir()):
        index = folder / "index.json"
        if index.is_file():
            interactions = json.loads(index.read_text(encoding="utf-8"))["interactions"]
            found[folder.name] = list(_of_index(folder, interactions))
        else:
            for file in sorted(folder.glob("*.json")):
                content = json.loads(file.read_text(encoding="utf-8"))
                found[f"{folder.name}/{file.name}"] = list(_of_cassette(content.get("interactions", [])))
    return found


def _of_index(folder: Path, interactions: list[dict[str, Any]]) -> Iterator[Exchange]:
    def body(name: str | None) -> Any:
        return None if name is None else json.loads((folder / name).read_text(encoding="utf-8"))

    for number, one in enumerate(interactions):
        yield Exchange(
            n=one.get("n", number),
            method=one["method"],
            **_asked(one["uri"]),
            request=body(one.get("request")),
            status=one["status"],
            headers={name.lower(): value for name, value in one["response_headers"].items()},
            answer=body(one.get("response")),
        )


def _of_cassette(interactions: list[dict[str, Any]]) -> Iterator[Exchange]:
    for number, one in enumerate(interactions):
        asked, answered = one["request"], one["response"]
        yield Exchange(
            n=number,
            method=asked["method"],
            **_asked(asked["uri"]),
            request=asked["body"],
            status=answered["status"]["code"],
            headers={name.lower(): values[0] for name, values in answered["headers"].items()},
            answer=answered["body"]["data"],
        )


def _asked(uri: str) -> dict[str, Any]:
    parts = urlsplit(uri)
    return {"path": unquote(parts.path), "query": dict(parse_qsl(parts.query, keep_blank_values=True))}


def compare(exchange: Exchange, answer: Response, *, values: bool = True) -> list[str]:
    """How the simulator's answer differs from the recorded one: status, headers that matter, keys and JSON types of the
    body, and (`values`) every value that does not change from call to call. Empty: no difference. Headers the
    recording lacks are not looked at: the recordings were stripped of some."""
    differences = []
    if answer.status != exchange.status:
        differences.append(f"status: recorded {exchange.status}, answered {answer.status} {answer.body!r}")
    given = {name.lower(): value for name, value in answer.headers.items()}
    for name, value in exchange.headers.items():
        counter = name.startswith("x-ms-ratelimit-")
        if name not in MATTER and not counter:
            continue
        if name not in given:
            differences.append(f"header {name}: recorded, not answered")
        elif not counter and _link(value) != _link(given[name]):
            differences.append(f"header {name}: recorded {_link(value)}, answered {_link(given[name])}")
    return differences + list(_unlike(exchange.answer, answer.body, "body", values))


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
