"""The work queue on Queue Storage."""

import math

from shared.domain.record import ReconcileRequest
from shared.record.keys import RECONCILE_QUEUE
from shared.record.messages import request_message
from shared.record.retry import repeated
from shared.record.storage import Storage

_LONGEST_DELAY = 7 * 24 * 3600
"""Seconds a message can stay invisible. What is due later comes early, and is only looked at once more."""


class StorageQueue:
    """`ports.WorkQueue`. Messages never expire: a request is dropped by its stale `wake_id`, not by age."""

    def __init__(self, storage: Storage, name: str = RECONCILE_QUEUE) -> None:
        self._storage, self._name = storage, name

    async def send(self, request: ReconcileRequest, delay: float = 0) -> None:
        """Repeated when it may not have been put: two messages with one `wake_id` are looked at once. Raises
        TransientError."""
        await put_message(self._storage, self._name, request_message(request), delay)


async def put_message(storage: Storage, name: str, text: str, delay: float) -> None:
    """Visible after `delay` seconds. Put again when it may not have been put. Raises TransientError."""

    async def once() -> None:
        async with storage.queue(name, "put a message") as client:
            await client.send_message(text, visibility_timeout=visibility_timeout(delay), time_to_live=-1)

    await repeated()(once)


def visibility_timeout(delay: float) -> int:
    """Whole seconds, never early."""
    return min(max(math.ceil(delay), 0), _LONGEST_DELAY)
