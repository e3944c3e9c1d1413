"""Queue clients for the queue trigger and the queue output, one service client an account."""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

_log = logging.getLogger(__name__)
_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.2


class QueueAccounts:
    """The storage accounts the app's queue bindings name.

    Clients send and receive plain text: base64 is done here, because a message that is not base64 must reach the
    poison queue instead of failing inside the SDK.
    """

    def __init__(self) -> None:
        self._services: dict[str, QueueServiceClient] = {}

    def queue(self, connection: str, name: str) -> QueueClient:
        service = self._services.get(connection)
        if service is None:
            # The SDK would wait 15 s and longer between attempts; what must not be lost is repeated by `persistently`.
            service = QueueServiceClient.from_connection_string(connection, retry_total=0)
            self._services[connection] = service
        return service.get_queue_client(name)

    async def close(self) -> None:
        for service in self._services.values():
            await service.close()


def encode(content: bytes, *, base64_encoded: bool) -> str:
    """A message's content as it goes over the wire."""
    return base64.b64encode(content).decode("ascii") if base64_encoded else content.decode("utf-8")


async def create_if_missing(queue: QueueClient) -> None:
    """Create a queue; one that exists is fine."""
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return


async def send(queue: QueueClient, text: str) -> None:
    """Put a message on a queue, creating the queue when it is missing, as AddMessageAndCreateIfNotExists does."""
    try:
        await queue.send_message(text)
    except ResourceNotFoundError:
        await create_if_missing(queue)
        await queue.send_message(text)


async def persistently[T](what: str, call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call through server errors and lost connections; a refusal by the service (4xx) is final."""
    pause = _FIRST_PAUSE_SECONDS
    for _ in range(_ATTEMPTS - 1):
        try:
            return await call()
        except AzureError as error:
            status = error.status_code if isinstance(error, HttpResponseError) else None
            if status is not None and status < 500:
                raise
            _log.warning("%s failed, trying again in %.1f s: %s", what, pause, type(error).__name__)
        await asyncio.sleep(pause)
        pause *= 2
    return await call()
