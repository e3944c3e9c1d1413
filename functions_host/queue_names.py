"""Names of queues (https://learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata)."""

import re

from functions_host.start_error import StartError

_VALID = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")
_POISON_SUFFIX = "-poison"


def queue_name(text: str, where: str) -> str:
    """A binding's queue name in lower case, as the storage extension takes it; binding expressions are refused."""
    name = text.lower()
    if _VALID.fullmatch(name) is None:
        raise StartError(f"{where}: {text!r} is not the name of a queue")
    return name


def poison_queue_name(name: str) -> str | None:
    """`<queue>-poison`, or None where the extension has none: poison queues and names that would get too long."""
    poison = name + _POISON_SUFFIX
    return None if name.endswith(_POISON_SUFFIX) or _VALID.fullmatch(poison) is None else poison
