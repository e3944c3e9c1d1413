"""An Event Grid topic in memory: it takes events, and brings them to its one subscriber at least once."""

import json
from collections import deque
from collections.abc import Sequence

from shared.domain.alerts import Announcement
from shared.domain.compliance import SweepSummary, VerdictChange
from shared.events.app_events import (
    AppEvent,
    announcement_event,
    as_cloud_event,
    changed_event,
    news_event,
    sweep_event,
)
from shared.ports import News


class FakeTopic:
    """`ports.EventTopic`, and Event Grid's end of it."""

    def __init__(self) -> None:
        self.published: list[AppEvent] = []
        self._undelivered: deque[str] = deque()

    async def publish_news(self, news: Sequence[News]) -> None:
        for each in news:
            event = news_event(each)
            self.published.append(event)
            self._undelivered.append(json.dumps(as_cloud_event(event)))

    async def publish_announcements(self, announcements: Sequence[Announcement]) -> None:
        self.published += [announcement_event(each) for each in announcements]

    async def publish_changes(self, changed: Sequence[Sequence[VerdictChange]]) -> None:
        self.published += [changed_event(changes) for changes in changed]

    async def publish_sweep(self, summary: SweepSummary) -> None:
        self.published.append(sweep_event(summary))

    def next_event(self) -> str | None:
        """The next one to be brought; it is brought again until it was heard."""
        return self._undelivered[0] if self._undelivered else None

    def heard(self, event: str) -> None:
        self._undelivered.remove(event)

    def lose_everything(self) -> None:
        """What Event Grid took never arrives."""
        self._undelivered.clear()
