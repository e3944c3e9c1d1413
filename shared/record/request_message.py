"""The message of the `reconcile` queue: whom to look at, and the wake-up it belongs to."""

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
    if len(text) > _LONGEST:
        raise MalformedEventError(f"a reconcile message of {len(text)} characters; at most {_LONGEST} are read")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"a reconcile message that is not JSON: {text[:200]!r}") from error
    match message:
        case {"subject": str(key), "wake_id": str(wake_id)}:
            try:
                return ReconcileRequest(parse_subject(key), wake_id)
            except ValueError as error:
                raise MalformedEventError(f"a reconcile message about nothing known: {error}") from error
        case _:
            raise MalformedEventError(f'not {{"subject": …, "wake_id": …}}: {text[:200]!r}')
