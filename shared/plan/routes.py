"""Whom an announcement is for, and when they are told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.alerts import SEVERITIES, THE_APP, About, Alert, Announcement, Severity, at_least
from shared.domain.destinations import destination_of
from shared.domain.ids import ClusterId
from shared.domain.profile import Notifications, QuietHours, Route
from shared.domain.time import Moment
from shared.plan.selection import matches


@dataclass(frozen=True, slots=True)
class Turn:
    """What a destination is told now. When that is nothing: nothing at all is told before `wait_until`, so that others
    can come along, or nothing of what is pending before `quiet_until`, while something graver would be."""

    announcements: tuple[Announcement, ...] = ()
    wait_until: datetime | None = None
    quiet_until: datetime | None = None


def destinations_of(about: About, alert: Alert, notifications: Notifications) -> tuple[Route, ...]:
    """The routes that take an alert: all that match, else the fallback. What the Guard says of itself belongs to no
    team, so when no route matches it, every route takes it."""
    taking = tuple(route for route in notifications.routes if at_least(alert.severity, route.least))
    matching = tuple(route for route in taking if not route.fallback and _matches(route, about))
    matching = matching or tuple(route for route in taking if route.fallback and _matches(route, about))
    return matching or (taking if about.subject == THE_APP else ())


def addressed(announcement: Announcement, notifications: Notifications, leave_out: str = "") -> tuple[str, ...]:
    """Names of the destinations. `leave_out` is one that is dead: it is not told of its own death, and when nobody else
    would be, every other channel is."""
    routes = destinations_of(announcement.about, announcement.alert, notifications)
    wanted = tuple(route for route in routes if announcement.kind != "Updated" or route.updates)
    names = _names(wanted)
    if leave_out in names and len(names) == 1:
        names = _names(notifications.routes)
    return tuple(name for name in names if name != leave_out)


def quiet_until(route: Route, severity: Severity, now: datetime) -> datetime | None:
    """The end (UTC) of the quiet hours that keep an alert of that severity back now; None when nothing does."""
    hours = route.quiet_hours
    if hours is None or at_least(severity, hours.unless):
        return None
    return next((end for begin, end in _windows(hours, now) if begin <= now < end), None)


def due(pending: Sequence[Announcement], route: Route, notifications: Notifications, moment: Moment) -> Turn:
    """What of the pending goes into one message now. Everything about one alert goes together and is as urgent as the
    gravest of it; quiet hours only postpone."""
    by_alert: dict[str, list[Announcement]] = {}
    for announcement in pending:
        by_alert.setdefault(announcement.alert.id, []).append(announcement)
    ready: set[str] = set()
    ends: list[datetime] = []
    for alert_id, announcements in by_alert.items():
        gravest = min((a.alert.severity for a in announcements), key=SEVERITIES.index)
        end = quiet_until(route, gravest, moment.now)
        if end is None:
            ready.add(alert_id)
        else:
            ends.append(end)
    now = tuple(a for a in pending if a.alert.id in ready)
    if not now:
        return Turn(quiet_until=min(ends, default=None))
    waited = max(moment.since(a.at) for a in now)
    if waited < notifications.group_wait:
        return Turn(wait_until=moment.after(notifications.group_wait - waited))
    return Turn(now)


def _matches(route: Route, about: About) -> bool:
    if route.profiles and about.profile not in route.profiles:
        return False
    place = ClusterId(about.subscription_id, about.resource_group, about.name)
    return matches(route.selector, place, about.location, {name.lower(): tag for name, tag in about.tags.items()})


def _names(routes: Sequence[Route]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(destination_of(route.name, channel) for route in routes for channel in route.channels))


def _windows(hours: QuietHours, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Those that begin yesterday and today where the team lives, in UTC: when the clocks change they are as much
    shorter or longer as the night is."""
    zone = ZoneInfo(hours.time_zone)
    start, end = time.fromisoformat(hours.start), time.fromisoformat(hours.end)
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        last = day if start < end else day + timedelta(days=1)
        yield (
            datetime.combine(day, start, zone).astimezone(UTC),
            datetime.combine(last, end, zone).astimezone(UTC),
        )
