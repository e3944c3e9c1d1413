"""The messages of the queues. `reconcile`: whom to look at, and the wake-up it belongs to. `notify`: which destination
has something to be delivered.

Both may have a `traceparent`, the W3C trace context they belong to. Code that does not know it leaves it unread; one
that is malformed counts as none."""

import json

from shared.domain.errors import MalformedEventError
from shared.domain.ids import parse_subject
from shared.domain.record import ReconcileRequest
from shared.telemetry import current_traceparent, valid_traceparent

_LONGEST = 4096
"""Characters. Ours have some 300."""


def request_message(request: ReconcileRequest) -> str:
    return _written({"subject": request.subject.key, "wake_id": request.wake_id}, request.traceparent)


def parse_request(text: str) -> ReconcileRequest:
    """Raises MalformedEventError when `text` is not a message this queue should hold."""
    match _read(text, "a reconcile message"):
        case {"subject": str(key), "wake_id": str(wake_id), **rest}:
            try:
                return ReconcileRequest(parse_subject(key), wake_id, valid_traceparent(rest.get("traceparent")))
            except ValueError as error:
                raise MalformedEventError(f"a reconcile message about nothing known: {error}") from error
        case _:
            raise MalformedEventError(f'not {{"subject": …, "wake_id": …}}: {text[:200]!r}')


def notify_message(destination: str) -> str:
    """In the trace it is written in."""
    return _written({"destination": destination}, current_traceparent())


def parse_notification(text: str) -> str:
    """The destination; its trace is `telemetry.traceparent_in`'s to find. Raises MalformedEventError when `text` is not
    a message this queue should hold."""
    match _read(text, "a notify message"):
        case {"destination": str(destination)} if destination:
            return destination
        case _:
            raise MalformedEventError(f'not {{"destination": …}}: {text[:200]!r}')


def _written(message: dict[str, str], traceparent: str) -> str:
    return json.dumps(message | ({"traceparent": traceparent} if traceparent else {}), separators=(",", ":"))


def _read(text: str, what: str) -> object:
    if len(text) > _LONGEST:
        raise MalformedEventError(f"{what} of {len(text)} characters; at most {_LONGEST} are read")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"{what} that is not JSON: {text[:200]!r}") from error
