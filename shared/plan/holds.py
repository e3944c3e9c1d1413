"""What holds the alerts of a cluster back: they wait for its end, and are not lost."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.alerts import Hold
from shared.domain.observed import Cluster
from shared.domain.profile import MaintenanceWindow, OneTimeWindow, ProtectionProfile
from shared.domain.time import Moment

LEFT_ALONE = {
    "Exempt": "The cluster is exempt.",
    "NotSelected": "guard.yaml leaves the cluster alone.",
    "ClusterDeleted": "The cluster is deleted.",
}
"""By the reason of `Ready`. A tag that names an unknown profile is a mistake that somebody must hear of."""


def hold_of(cluster: Cluster | None, reason: str, profile: ProtectionProfile | None, moment: Moment) -> Hold | None:
    """`reason` is that of the condition `Ready`. What has no end that anybody knows goes before a window."""
    if reason in LEFT_ALONE:
        return Hold(LEFT_ALONE[reason])
    if cluster is not None and cluster.power_state.lower() == "stopped":
        return Hold("The cluster is stopped.")
    windows = profile.alerts.maintenance if profile else ()
    ends = [end for window in windows if (end := window_end(window, moment.now)) is not None]
    return Hold(f"Maintenance until {max(ends):%Y-%m-%d %H:%M} UTC.", max(ends)) if ends else None


def window_end(window: MaintenanceWindow, now: datetime) -> datetime | None:
    """When the window that `now` lies in ends (UTC); None when it lies in none. Windows go by the calendar of their
    time zone and last as long as they say, whatever its clocks do meanwhile; a start that the clocks skip comes as
    much later as they skip."""
    if isinstance(window, OneTimeWindow):
        return window.end.astimezone(UTC) if window.start <= now < window.end else None
    zone, length = ZoneInfo(window.time_zone), timedelta(seconds=window.seconds)
    today = now.astimezone(zone).date()
    # One day more than it lasts: it may have begun late on the day before.
    days = [today - timedelta(days=back) for back in range(length.days + 2)]
    begins = [
        datetime.combine(day, time.fromisoformat(window.start), zone).astimezone(UTC)
        for day in days
        if day.weekday() in window.days
    ]
    return max((begin + length for begin in begins if begin <= now < begin + length), default=None)
