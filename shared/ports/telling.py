"""Alerts, and the ways by which people and programs hear of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domain.alerts import Alert, Announcement, Word
from shared.domain.compliance import SweepSummary, VerdictChange
from shared.domain.messages import Message
from shared.ports.jobs import News


class AlertBook(Protocol):
    """The alerts as people and other programs see them (table `alerts`), and what people said about them. The Guard
    and people write different columns, so that neither hinders the other."""

    async def show(self, alerts: Sequence[Alert]) -> None:
        """Write them as they stand now."""
        ...

    async def words(self, subject: str) -> Mapping[str, Word]:
        """By the alert's id."""
        ...

    async def say(self, alert_id: str, subject: str, word: Word) -> None:
        """Raises KeyError when there is no such alert."""
        ...

    def all_of(self, subject: str | None = None, *, open_only: bool = False) -> AsyncIterator[Alert]:
        """The alerts with people's words in them; of one subject, or of the fleet."""
        ...


@dataclass(frozen=True, slots=True)
class OutgoingNews:
    """News on its way to the app's own topic. Without `news` only its id is known (`job_id`), and the jobs API must be
    asked. `published_at` is set when Event Grid took it; it stays until the history knows it."""

    key: str
    job_id: str
    found_at: datetime
    news: News | None
    published_at: datetime | None = None


class Outbox(Protocol):
    """What is to be published or sent, written down before anything is done about it (table `outbox`)."""

    async def put_news(self, entry: OutgoingNews) -> None:
        """Create or replace the entry of that key."""
        ...

    def outgoing_news(self) -> AsyncIterator[OutgoingNews]: ...

    async def drop_news(self, entry: OutgoingNews) -> None: ...

    async def put(self, destination: str, announcement: Announcement) -> bool:
        """Keep it for the destination, once: False when one of that key is there, delivered or not."""
        ...

    async def pending(self, destination: str) -> Sequence[Announcement]:
        """What has not been delivered, oldest first."""
        ...

    async def delivered(self, destination: str, keys: Sequence[str], at: datetime) -> None: ...

    async def forget_delivered(self, destination: str, before: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Destination:
    """One channel of a route, or the topic, and how delivering to it goes. The lease keeps two hosts from sending the
    same; `not_before` holds until when nothing is sent, and whoever sets it sends a wake-up for then; `failing` holds
    the channel with the number of failures in a row."""

    name: str
    lease_id: str = ""
    lease_until: datetime | None = None
    not_before: datetime | None = None
    failing: Mapping[str, int] = field(default_factory=dict)
    failing_since: datetime | None = None
    sent: tuple[str, ...] = ()
    """Keys of the announcements in the newest message that arrived: the outbox may not know it yet."""
    etag: str = ""


class Destinations(Protocol):
    async def get(self, name: str) -> Destination: ...

    async def save(self, destination: Destination) -> Destination:
        """Raises RecordConflict when somebody else wrote first."""
        ...


class NotifyQueue(Protocol):
    async def send(self, destination: str, delay: float = 0) -> None:
        """Ask for a delivery to the destination after `delay` seconds of the wall clock."""
        ...


class Channels(Protocol):
    """Teams, Slack, mail, PagerDuty, webhooks and the rest, by the name of the app setting with the address."""

    async def deliver(self, channel: str, message: Message) -> None:
        """Raises DeliveryError, whose text never holds the address."""
        ...


class EventTopic(Protocol):
    """The app's own Event Grid topic, for CloudEvents 1.0."""

    async def publish_news(self, news: Sequence[News]) -> None:
        """Raises GuardError: then none, some or all may have been published."""
        ...

    async def publish_announcements(self, announcements: Sequence[Announcement]) -> None:
        """As above."""
        ...

    async def publish_changes(self, changed: Sequence[Sequence[VerdictChange]]) -> None:
        """As above; each item is what changed of one cluster in one sweep."""
        ...

    async def publish_sweep(self, summary: SweepSummary) -> None:
        """As above."""
        ...
