"""The message of the `notify` queue: which destination has something to be delivered."""

import json

from shared.domain.errors import MalformedEventError

_LONGEST = 1024
"""Characters. Ours have some fifty."""


def notify_message(destination: str) -> str:
    return json.dumps({"destination": destination}, separators=(",", ":"))


def parse_notification(text: str) -> str:
    """The destination. Raises MalformedEventError when `text` is not a message this queue should hold."""
    if len(text) > _LONGEST:
        raise MalformedEventError(f"a notify message of {len(text)} characters; at most {_LONGEST} are read")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"a notify message that is not JSON: {text[:200]!r}") from error
    match message:
        case {"destination": str(destination)} if destination:
            return destination
        case _:
            raise MalformedEventError(f'not {{"destination": …}}: {text[:200]!r}')
