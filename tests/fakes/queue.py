"""Queues in memory that behave as Queue Storage and the Functions host together do, under a given clock.

A received message is hidden, not gone: it comes back unless it is deleted, and goes to the poison queue after
`max_dequeue_count` tries.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.record import ReconcileRequest
from shared.ports import Clock
from shared.record.messages import notify_message, request_message
from shared.record.queue import visibility_timeout
from tests.fakes.storage import Interrupt


@dataclass(frozen=True, slots=True)
class Message:
    number: int
    text: str
    visible_at: datetime
    dequeue_count: int = 0


class HostedQueue:
    """Texts, and the host's end of the queue. `retry_delay` and `max_dequeue_count` are host.json's
    `visibilityTimeout` and `maxDequeueCount`; `hidden_for` is how long a received message stays invisible when its
    receiver dies (the host's 10 minutes). All in seconds."""

    def __init__(
        self, clock: Clock, *, retry_delay: float = 30, max_dequeue_count: int = 5, hidden_for: float = 600
    ) -> None:
        self._clock = clock
        self._retry_delay, self._max_dequeue_count, self._hidden_for = retry_delay, max_dequeue_count, hidden_for
        self._messages: dict[int, Message] = {}
        self._last_number = 0
        self.poison: list[str] = []
        self.interrupt: Interrupt = lambda _point: None

    def put(self, text: str, delay: float = 0) -> None:
        """Any text, as anybody with the right to send could put it."""
        self._last_number += 1
        visible_at = self._clock.now() + timedelta(seconds=visibility_timeout(delay))
        self._messages[self._last_number] = Message(self._last_number, text, visible_at)

    def receive(self, now: datetime | None = None) -> Message | None:
        """The message that has been visible longest, hidden from now on; None when there is none."""
        now = now or self._clock.now()
        while visible := [message for message in self._messages.values() if message.visible_at <= now]:
            first = min(visible, key=lambda message: (message.visible_at, message.number))
            received = replace(
                first, dequeue_count=first.dequeue_count + 1, visible_at=now + timedelta(seconds=self._hidden_for)
            )
            if received.dequeue_count <= self._max_dequeue_count:
                self._messages[first.number] = received
                return received
            self._to_poison(first)
        return None

    def delete(self, message: Message) -> None:
        """Its work is done. Of a message that has come back meanwhile, the receipt is stale: nothing happens."""
        if self._messages.get(message.number) == message:
            del self._messages[message.number]

    def fail(self, message: Message) -> None:
        """Its work raised: it comes back after `retry_delay`, or is poison after the last try."""
        if self._messages.get(message.number) != message:
            return
        if message.dequeue_count >= self._max_dequeue_count:
            self._to_poison(message)
        else:
            visible_at = self._clock.now() + timedelta(seconds=self._retry_delay)
            self._messages[message.number] = replace(message, visible_at=visible_at)

    def next_visible_at(self) -> datetime | None:
        """When the next message can be received, in the past when one already can; None when the queue is empty."""
        return min((message.visible_at for message in self._messages.values()), default=None)

    def __len__(self) -> int:
        return len(self._messages)

    def _to_poison(self, message: Message) -> None:
        del self._messages[message.number]
        self.poison.append(message.text)


class FakeQueue(HostedQueue):
    """`ports.WorkQueue`."""

    async def send(self, request: ReconcileRequest, delay: float = 0) -> None:
        self.interrupt("before send")
        self.put(request_message(request), delay)
        self.interrupt("after send")


class FakeNotifyQueue(HostedQueue):
    """`ports.NotifyQueue`."""

    async def send(self, destination: str, delay: float = 0) -> None:
        self.interrupt("before send")
        self.put(notify_message(destination), delay)
        self.interrupt("after send")
