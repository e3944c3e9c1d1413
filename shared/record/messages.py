"""The messages of the queues. `reconcile`: whom to look at, and the wake-up it belongs to. `notify`: which destination
has something to be delivered."""

import json

from shared.domain.errors import MalformedEventError
from shared.domain.ids import parse_subject
from shared.domain.record import ReconcileRequest

_LONGEST = 4096
"""Characters. Ours have some 300."""


def request_message(request: ReconcileRequest) -> str:
    return json.dumps({"subject": request.subject.key, "wake_id": request.wake_id}, separators=(",", ":"))


def parse_request(text: str) -> ReconcileRequest:
    """Raises MalformedEventError when `text` is not a message this queue should hold."""
    match _read(text, "a reconcile message"):
        case {"subject": str(key), "wake_id": str(wake_id)}:
            try:
                return ReconcileRequest(parse_subject(key), wake_id)
            except ValueError as error:
                raise MalformedEventError(f"a reconcile message about nothing known: {error}") from error
        case _:
            raise MalformedEventError(f'not {{"subject": …, "wake_id": …}}: {text[:200]!r}')


def notify_message(destination: str) -> str:
    return json.dumps({"destination": destination}, separators=(",", ":"))


def parse_notification(text: str) -> str:
    """The destination. Raises MalformedEventError when `text` is not a message this queue should hold."""
    match _read(text, "a notify message"):
        case {"destination": str(destination)} if destination:
            return destination
        case _:
            raise MalformedEventError(f'not {{"destination": …}}: {text[:200]!r}')


def _read(text: str, what: str) -> object:
    if len(text) > _LONGEST:
        raise MalformedEventError(f"{what} of {len(text)} characters; at most {_LONGEST} are read")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"{what} that is not JSON: {text[:200]!r}") from error
