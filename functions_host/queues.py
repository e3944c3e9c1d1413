"""The queue trigger: polling, leases, retries and poison messages.

Imitates QueueListener and QueueProcessor of Microsoft.Azure.WebJobs.Extensions.Storage (azure-sdk-for-net): messages
are received in batches and run in parallel; a new batch is fetched when no more than newBatchThreshold are running;
a received message is invisible for ten minutes, renewed at half-time; a failed one is visible again after
visibilityTimeout; one that failed maxDequeueCount times, or was received more often than that, goes to
`<queue>-poison`, and so does one that is not base64. A poison queue has no poison queue of its own: there a failed
message stays invisible until its lease ends, and after maxDequeueCount it is no longer run.
"""

import asyncio
import base64
import binascii
import json
import logging
import random
import uuid
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient
from azure_functions_runtime.bindings.datumdef import Datum

from functions_host import storage, worker
from functions_host.bindings import Function
from functions_host.host_json import QueueOptions
from functions_host.invocations import Invocations
from functions_host.worker import Result

_MIN_POLLING_SECONDS = 0.1
_MESSAGE_LIFETIME = timedelta(days=7)

_log = logging.getLogger(__name__)


class Backoff:
    """RandomizedExponentialBackoffStrategy: 100 ms after a message, then doubling with jitter up to the maximum."""

    def __init__(self, maximum: float) -> None:
        self._maximum = maximum
        self._exponent = 0

    def after_message(self) -> None:
        self._exponent = 0

    def next_delay(self) -> float:
        if self._exponent == 0:
            delay = _MIN_POLLING_SECONDS
        else:
            jitter = random.uniform(0.8, 1.2)  # noqa: S311 - no secret depends on it
            delay = _MIN_POLLING_SECONDS * (1 + jitter * 2.0 ** min(self._exponent - 1, 32))
        self._exponent += 1
        return min(delay, self._maximum)


class QueueListener:
    """Polls one queue for one function."""

    def __init__(
        self,
        function: Function,
        queue: QueueClient,
        poison: QueueClient | None,
        options: QueueOptions,
        lease_seconds: int,
        invocations: Invocations,
    ) -> None:
        self._function = function
        self._queue = queue
        self._poison = poison
        self._options = options
        self._lease = lease_seconds
        self._invocations = invocations
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Poll now: a function of this host has put a message on the queue."""
        self._wake.set()

    def stop(self) -> None:
        """Receive no more messages."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Poll until stopped, then wait for what is running."""
        backoff = Backoff(self._options.max_polling_seconds)
        exists = False
        while not self._stopping:
            self._wake.clear()
            try:
                if not exists:
                    await storage.create_if_missing(self._queue)
                    exists = True
                batch = await self._receive()
            except AzureError as error:
                # The queue may have been deleted under us, or the storage is away: look again, later.
                exists = False
                batch = []
                _log.warning("polling queue %s failed: %s: %s", self._queue.queue_name, type(error).__name__, error)
            for message in batch:
                task = asyncio.create_task(self._process(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if batch:
                backoff.after_message()
                await self._below_threshold()
            else:
                await self._wait(backoff.next_delay())
        if self._running:
            await asyncio.wait(self._running)

    async def _receive(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size, visibility_timeout=self._lease
        ).by_page()
        async for page in pages:
            return [message async for message in page]
        return []

    async def _below_threshold(self) -> None:
        while len(self._running) > self._options.new_batch_threshold:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _process(self, message: QueueMessage) -> None:
        name = self._queue.queue_name
        raw = str(message.content or "")
        try:
            if (message.dequeue_count or 0) > self._options.max_dequeue_count:
                # It was received that often and nobody lived to say how it ended.
                await self._to_poison(message, raw, "was received too often")
                return
            try:
                content = base64.b64decode(raw, validate=True) if self._options.base64 else raw.encode()
            except binascii.Error:
                wire = storage.encode(raw.encode(), base64_encoded=True)
                await self._to_poison(message, wire, "is not base64")
                return
            result = await self._run(message, content)
            if result.ok:
                await self._settle("deleting", message, delete=True)
            elif self._poison is None:
                return
            elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
                await self._to_poison(message, raw, f"failed {message.dequeue_count} times")
            else:
                await self._settle("releasing", message, delete=False)
        except AzureError as error:
            # Its lease ends and it comes again: at least once is what a queue promises.
            _log.error("message %s of queue %s is left to its lease: %s", message.id, name, error)

    async def _run(self, message: QueueMessage, content: bytes) -> Result:
        renewal = asyncio.create_task(self._renew(message))
        try:
            return await run_message(self._invocations, self._function, content, message)
        finally:
            renewal.cancel()
            # Until it has stopped, the pop receipt may still change.
            await asyncio.wait([renewal])

    async def _renew(self, message: QueueMessage) -> None:
        while True:
            await asyncio.sleep(self._lease / 2)
            # Shielded: a renewal that reached the service has changed the pop receipt, which must not get lost.
            update = asyncio.ensure_future(self._update_visibility(message, self._lease))
            try:
                await asyncio.shield(update)
            except asyncio.CancelledError:
                await asyncio.wait([update])
                raise
            except HttpResponseError as error:
                if error.status_code is not None and error.status_code < 500:
                    _log.warning("the lease on message %s is lost: %s", message.id, error.error)
                    return
            except AzureError as error:
                _log.warning("renewing the lease on message %s failed: %s", message.id, error)

    async def _update_visibility(self, message: QueueMessage, seconds: int) -> None:
        updated = await self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
        message.pop_receipt = updated.pop_receipt

    async def _settle(self, doing: str, message: QueueMessage, *, delete: bool) -> None:
        async def call() -> None:
            if delete:
                await self._queue.delete_message(message.id, message.pop_receipt)
            else:
                await self._update_visibility(message, self._options.visibility_timeout_seconds)

        try:
            await storage.persistently(f"{doing} message {message.id}", call)
        except HttpResponseError as error:
            if error.status_code not in (400, 404, 409):
                raise
            # Someone else has it by now, or the queue is gone: theirs to settle.
            _log.warning("%s message %s of queue %s: %s", doing, message.id, self._queue.queue_name, error.reason)
        if not delete and self._options.visibility_timeout_seconds == 0:
            self.wake()

    async def _to_poison(self, message: QueueMessage, text: str, why: str) -> None:
        if self._poison is None:
            return
        poison = self._poison
        _log.warning(
            "message %s of queue %s %s: moved to %s",
            message.id,
            self._queue.queue_name,
            why,
            poison.queue_name,
            extra={"function": self._function.name, "outcome": "Poisoned"},
        )
        await storage.persistently(f"moving message {message.id}", lambda: storage.send(poison, text))
        await self._settle("deleting", message, delete=True)


async def run_message(
    invocations: Invocations, function: Function, content: bytes, message: QueueMessage | None = None
) -> Result:
    """Run a queue function on one message; without `message`, as POST /admin/functions does, on a made-up one."""
    if str(function.trigger.properties.get("dataType", "")).lower() == "binary":
        data = worker.bytes_datum(content)
    else:
        try:
            data = worker.string_datum(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            _log.error("%s: the message is not UTF-8: %s", function.name, error, extra={"function": function.name})
            return Result(ok=False, error=str(error))
    return await invocations.run(function, data, _metadata(message))


def _metadata(message: QueueMessage | None) -> dict[str, Datum]:
    now = datetime.now(UTC)
    times = {
        "InsertionTime": (message.inserted_on if message else None) or now,
        "ExpirationTime": (message.expires_on if message else None) or now + _MESSAGE_LIFETIME,
        "NextVisibleTime": (message.next_visible_on if message else None) or now,
    }
    return {
        "Id": worker.string_datum(message.id if message else str(uuid.uuid4())),
        "PopReceipt": worker.string_datum((message.pop_receipt if message else None) or ""),
        "DequeueCount": worker.json_datum(str(message.dequeue_count or 1) if message else "1"),
        **{key: worker.json_datum(json.dumps(value.isoformat())) for key, value in times.items()},
    }
