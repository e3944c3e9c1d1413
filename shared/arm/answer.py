"""An answer of ARM, and how its error bodies are read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

JsonObject = Mapping[str, Any]
_MOST_DETAILS = 20


@dataclass(frozen=True, slots=True)
class ArmAnswer:
    """Header names are lower-case; `body` is None when the answer had none or it was not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any = None
    text: str = ""

    @property
    def request_id(self) -> str:
        return self.headers.get("x-ms-request-id", "")

    @property
    def operation_url(self) -> str:
        """Where a long-running operation tells how it stands; empty when the answer names none. Location is not it:
        there its result appears, and before that an empty answer (as azure-core polls it)."""
        return self.headers.get("azure-asyncoperation", "")

    def json_object(self) -> JsonObject | None:
        return self.body if isinstance(self.body, dict) else None


@dataclass(frozen=True, slots=True)
class AzureError:
    """What an error body says. `inner_codes` are those of its details, outermost first; `details` their words."""

    code: str
    message: str
    recommended_action: str = ""
    inner_codes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


def parse_json(content: bytes) -> Any:
    """The JSON value, or None when it is none: gateways answer with HTML."""
    try:
        return json.loads(content) if content.strip() else None
    except ValueError:
        return None


def read_error(body: Any) -> AzureError | None:
    """The error in an answer's body: ARM's envelope `{"error": {…}}`, or the flat `{"code", "message"}` that AKS sends
    (recorded of its trusted access bindings). None when the body is no error."""
    if not isinstance(body, dict):
        return None
    error = body["error"] if isinstance(body.get("error"), dict) else body
    code = error.get("code")
    if not isinstance(code, str) or not code:
        return None
    message = error.get("message")
    details = tuple(_details(error))
    return AzureError(
        code,
        message if isinstance(message, str) else "",
        _recommended_action(error),
        tuple(detail["code"] for detail in details if isinstance(detail.get("code"), str)),
        tuple(filter(None, map(_words, details[:_MOST_DETAILS]))),
    )


def _details(error: JsonObject, depth: int = 0) -> Iterator[JsonObject]:
    details = error.get("details")
    inner = [*(details if isinstance(details, list) else ()), error.get("innerError"), error.get("innererror")]
    for detail in inner if depth < 4 else ():
        if isinstance(detail, dict):
            yield detail
            yield from _details(detail, depth + 1)


def _words(detail: JsonObject) -> str:
    """Its code, its message and, of a query that cannot be read (recorded of Resource Graph), where it breaks."""
    said = [text for name in ("code", "message") if isinstance(text := detail.get(name), str) and text]
    where = [f"{name} {detail[name]}" for name in ("line", "characterPositionInLine", "token") if name in detail]
    return ": ".join((*dict.fromkeys(said), *([", ".join(where)] if where else [])))[:500]


def _recommended_action(error: JsonObject) -> str:
    """Azure Backup hides it in `additionalInfo[0].info` (recorded, api-version 2024-04-01); jobs and protection errors
    may carry it."""
    found: Any = error.get("recommendedAction")
    infos = error.get("additionalInfo")
    if not found and isinstance(infos, list) and infos and isinstance(infos[0], dict):
        info = infos[0].get("info")
        found = info.get("recommendedAction") if isinstance(info, dict) else None
    if isinstance(found, str):
        return found.strip()
    return " ".join(line.strip() for line in found if isinstance(line, str)) if isinstance(found, list) else ""


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Retry-After in seconds of the wall clock: it comes as seconds or as a date. None when there is none."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None
