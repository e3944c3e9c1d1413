"""The queue of deliveries on Queue Storage."""

from shared.record.keys import NOTIFY_QUEUE
from shared.record.messages import notify_message
from shared.record.queue import put_message
from shared.record.storage import Storage


class StorageNotifyQueue:
    """`ports.NotifyQueue`. Two messages for one destination deliver nothing twice: what is pending is in the outbox."""

    def __init__(self, storage: Storage, name: str = NOTIFY_QUEUE) -> None:
        self._storage, self._name = storage, name

    async def send(self, destination: str, delay: float = 0) -> None:
        """Raises TransientError."""
        await put_message(self._storage, self._name, notify_message(destination), delay)
