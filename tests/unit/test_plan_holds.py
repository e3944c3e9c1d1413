"""What holds alerts back, and for how long: by the calendar of the window's own time zone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.alerts import Hold
from shared.domain.profile import Alerting, MaintenanceWindow, OneTimeWindow, ProtectionProfile, VaultSettings
from shared.domain.profile import WeeklyWindow as Weekly
from shared.domain.time import Moment
from shared.plan.holds import hold_of, window_end
from tests.unit.test_plan_selection import CLUSTER

SATURDAY, SUNDAY = 5, 6
NIGHT = Weekly((SATURDAY,), "22:00", 6 * 3600, "Europe/Berlin")
"""Saturday 22:00 to Sunday 04:00 in Berlin, unless the clocks change."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def profile(*windows: MaintenanceWindow) -> ProtectionProfile:
    return ProtectionProfile("gold", VaultSettings("On"), alerts=Alerting(maintenance=windows))


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("01-10T20:59:59", None),
        ("01-10T21:00", "01-11T03:00"),  # Berlin is an hour ahead in winter
        ("01-11T02:59:59", "01-11T03:00"),
        ("01-11T03:00", None),
        ("01-11T21:00", None),  # a Sunday
        ("07-11T20:00", "07-12T02:00"),  # two hours ahead in summer
        ("07-11T19:59", None),
        ("03-28T21:30", "03-29T03:00"),  # the clocks go forward that night: six hours all the same
        ("10-24T20:00", "10-25T02:00"),  # and back
        ("10-25T02:30", None),
    ],
)
def test_a_weekly_window_over_midnight_and_changes_of_the_clocks(now: str, end: str | None) -> None:
    assert window_end(NIGHT, at(now)) == (at(end) if end else None)


def test_a_start_that_the_clocks_skip_comes_later_by_as_much() -> None:
    skipped = Weekly((SUNDAY,), "02:30", 3600, "Europe/Berlin")  # 2026-03-29 goes from 01:59 to 03:00
    assert window_end(skipped, at("03-29T01:29")) is None
    assert window_end(skipped, at("03-29T01:30")) == at("03-29T02:30")


def test_a_start_that_the_clocks_repeat_is_the_first_of_both() -> None:
    repeated = Weekly((SUNDAY,), "02:30", 1800, "Europe/Berlin")  # 2026-10-25 has 02:30 twice
    assert window_end(repeated, at("10-25T00:30")) == at("10-25T01:00")
    assert window_end(repeated, at("10-25T01:30")) is None


def test_a_window_of_several_days_and_of_several_weekdays() -> None:
    weekend = Weekly((4,), "18:00", 62 * 3600)
    assert window_end(weekend, at("01-12T07:59")) == at("01-12T08:00")
    assert window_end(weekend, at("01-12T08:00")) is None
    overlapping = Weekly((SATURDAY, SUNDAY), "00:00", 86400 + 3600)
    assert window_end(overlapping, at("01-11T00:30")) == at("01-12T01:00"), "the later end counts"


def test_a_one_time_window_ends_when_it_says() -> None:
    window = OneTimeWindow(at("01-10T08:00"), at("01-10T12:00"))
    ends = [window_end(window, at(now)) for now in ("01-10T07:59", "01-10T08:00", "01-10T11:59", "01-10T12:00")]
    assert ends == [None, at("01-10T12:00"), at("01-10T12:00"), None]


def test_windows_go_by_the_calendar_however_fast_the_world_runs() -> None:
    start, length = at("01-10T21:00"), timedelta(hours=6)
    for scale in (1.0, 60.0):
        hold = hold_of(CLUSTER, "Protected", profile(NIGHT), Moment(start, scale))
        assert hold == Hold("Maintenance until 2026-01-11 03:00 UTC.", start + length)
        assert hold_of(CLUSTER, "Protected", profile(NIGHT), Moment(start + length, scale)) is None


def test_of_overlapping_windows_the_last_to_end_holds() -> None:
    short = OneTimeWindow(at("01-10T21:00"), at("01-10T22:00"))
    hold = hold_of(CLUSTER, "Protected", profile(short, NIGHT), Moment(at("01-10T21:30")))
    assert hold is not None
    assert hold.until == at("01-11T03:00")


@pytest.mark.parametrize("reason", ["Exempt", "NotSelected", "ClusterDeleted"])
def test_a_cluster_that_is_left_alone_holds_its_alerts(reason: str) -> None:
    hold = hold_of(None, reason, None, Moment(at("01-12T12:00")))
    assert hold is not None
    assert hold.until is None


def test_a_stopped_cluster_holds_its_alerts_until_somebody_starts_it() -> None:
    stopped = replace(CLUSTER, power_state="Stopped")
    hold = hold_of(stopped, "ClusterStopped", profile(NIGHT), Moment(at("01-10T21:00")))
    assert hold == Hold("The cluster is stopped.")
    assert hold_of(CLUSTER, "ClusterStopped", profile(), Moment(at("01-10T21:00"))) is None


@pytest.mark.parametrize("reason", ["Protected", "ProtectionError", "UnknownProfile", "TooYoung", "Unobserved", ""])
def test_nothing_else_holds(reason: str) -> None:
    assert hold_of(CLUSTER, reason, profile(NIGHT), Moment(at("01-12T12:00"))) is None
