"""What is sent to one channel, before it has that channel's form."""

from dataclasses import dataclass

from shared.domain.alerts import Announcement


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one route: about one alert, or about many at once. `key` is the same when it is composed twice."""

    key: str
    route: str
    announcements: tuple[Announcement, ...]
    dashboard_url: str = ""
