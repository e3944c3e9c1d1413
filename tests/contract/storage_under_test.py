"""The two storages that keep the same promises: the fakes in memory and the real tables in Azurite."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.domain.ids import ClusterId
from shared.ports import AlertBook, Destinations, JobHistory, NotifyQueue, Outbox, Watermarks
from shared.record.alert_book import TableAlertBook
from shared.record.destinations import TableDestinations
from shared.record.history import TableJobHistory
from shared.record.notify_queue import StorageNotifyQueue
from shared.record.outbox import TableOutbox
from shared.record.storage import Storage
from shared.record.watermarks import TableWatermarks
from tests.fakes.clock import VirtualClock
from tests.fakes.queue import FakeNotifyQueue
from tests.fakes.storage import FakeAlertBook, FakeDestinations, FakeJobHistory, FakeOutbox, FakeWatermarks

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class StorageUnderTest:
    """One implementation of every port."""

    history: JobHistory
    alert_book: AlertBook
    outbox: Outbox
    destinations: Destinations
    watermarks: Watermarks
    notify_queue: NotifyQueue
    receive: Callable[[], Awaitable[str | None]]
    """The text of the next message of the notify queue."""


async def storage_under_test(request: pytest.FixtureRequest) -> AsyncIterator[StorageUnderTest]:
    """For a fixture with the parameters `fake` and `azurite`."""
    if request.param == "fake":
        queue = FakeNotifyQueue(VirtualClock())

        async def receive_fake() -> str | None:
            message = queue.receive()
            return message.text if message else None

        fakes = FakeJobHistory(), FakeAlertBook(), FakeOutbox(), FakeDestinations(), FakeWatermarks()
        yield StorageUnderTest(*fakes, queue, receive_fake)
        return

    storage = Storage.by_connection_string(request.getfixturevalue("azurite").connection_string)
    name = f"notify-{uuid4().hex[:8]}"

    async def receive_azurite() -> str | None:
        async with storage.queue(name, "receive") as client:
            message = await client.receive_message()
            return base64.b64decode(message.content, validate=True).decode() if message else None

    yield StorageUnderTest(
        TableJobHistory(storage),
        TableAlertBook(storage),
        TableOutbox(storage),
        TableDestinations(storage),
        TableWatermarks(storage),
        StorageNotifyQueue(storage, name),
        receive_azurite,
    )
    await storage.close()


def a_cluster() -> ClusterId:
    """One no other test knows: they share the tables."""
    return ClusterId("00000000-0000-0000-0000-000000000001", "rg", f"aks-{uuid4().hex[:12]}")
