"""Channels in memory: what arrived where, and channels that are dead."""

from collections.abc import Callable

from shared.domain.errors import DeliveryError
from shared.domain.messages import Message
from shared.notify.document import document


class FakeChannels:
    """`ports.Channels`. `messages` holds what arrived, as (channel, message) in order; names in `dead` fail.
    `interrupt` is called before and after each acceptance: raise from it to let the process die there."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.dead: set[str] = set()
        self.attempts: list[str] = []
        self.interrupt: Callable[[str], None] = lambda _point: None

    async def deliver(self, channel: str, message: Message) -> None:
        self.interrupt("before deliver")
        self.attempts.append(channel)
        if channel in self.dead:
            raise DeliveryError(f"AKS_BACKUP_GUARD_CHANNEL_{channel}: answered HTTP 503")
        document(message)  # what cannot be rendered could not be sent
        self.messages.append((channel, message))
        self.interrupt("after deliver")

    def to(self, channel: str) -> list[Message]:
        """What arrived at one channel, oldest first."""
        return [message for name, message in self.messages if name == channel]

    def titles(self, channel: str) -> list[str]:
        """As people would read them."""
        return [document(message).title for message in self.to(channel)]
