"""Whom an announcement is for, and when they are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.alerts import THE_APP, About, Severity
from shared.domain.destinations import TOPIC, destination_of, route_and_channel
from shared.domain.profile import Notifications, QuietHours, Route, Selector
from shared.domain.time import Moment
from shared.plan.routes import addressed, destinations_of, due, quiet_until
from tests.fakes.announcements import NOON, SUBSCRIPTION, about, announced, cause

SHOP = Route("shop", Selector(tags={"Team": "shop"}), channels=("TEAMS_SHOP", "MAIL_SHOP"))
PLATFORM = Route("platform", least="Error", channels=("PAGER",))
REST = Route("rest", fallback=True, channels=("MAIL_REST",))
NIGHT = QuietHours("22:00", "07:00", "Europe/Berlin")


def names(who: About, severity: Severity = "Error", *routes: Route) -> list[str]:
    alert = announced(who=who, severity=severity).alert
    return [route.name for route in destinations_of(who, alert, Notifications(routes or (SHOP, PLATFORM, REST)))]


def test_every_route_that_matches_gets_it() -> None:
    assert names(about()) == ["shop", "platform"]


def test_a_route_is_spared_what_is_not_grave_enough_for_it() -> None:
    assert names(about(), "Warning") == ["shop"]


def test_the_fallback_takes_what_no_other_route_took() -> None:
    assert names(about(tags={"team": "pay"}), "Warning") == ["rest"]
    assert names(about(tags={}), "Informational") == [], "the fallback has its own least severity"


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        (Selector(), True),
        (Selector(subscriptions=(SUBSCRIPTION.upper(),)), True),
        (Selector(subscriptions=("00000000-0000-4000-8000-000000000002",)), False),
        (Selector(resource_groups=("sh*",)), True),
        (Selector(names=("AKS-SHOP",)), True),
        (Selector(names=("aks-pay",)), False),
        (Selector(locations=("westeurope",)), True),
        (Selector(locations=("northeurope",)), False),
        (Selector(tags={"TEAM": "SHOP"}), True),
        (Selector(tags={"team": "pay"}), False),
        (Selector(tags={"owner": "*"}), False),
    ],
)
def test_a_selector_must_fit_in_all_it_gives(selector: Selector, fits: bool) -> None:
    route = Route("one", selector, channels=("MAIL",))
    assert (names(about(), "Error", route) == ["one"]) is fits


def test_a_route_can_be_for_profiles() -> None:
    route = Route("gold", profiles=("gold", "silver"), channels=("MAIL",))
    assert names(about(profile="silver"), "Error", route) == ["gold"]
    assert names(about(profile="bronze"), "Error", route) == []


def test_what_shared_by_a_region_has_no_group_and_no_team() -> None:
    region = About(f"{SUBSCRIPTION}|westeurope|default", "default in westeurope", SUBSCRIPTION, location="westeurope")
    by_group = Route("group", Selector(resource_groups=("*-shop",)), channels=("MAIL",))
    by_region = Route("region", Selector(locations=("westeurope",)), channels=("MAIL",))
    assert names(region, "Error", by_group, by_region, REST) == ["region"]


def test_what_the_guard_says_of_itself_is_never_for_nobody() -> None:
    app = About(THE_APP, "AKS Backup Guard")
    assert names(app, "Error", SHOP) == ["shop"]
    assert names(app, "Error", SHOP, REST) == ["rest"]
    assert names(app, "Error", SHOP, PLATFORM, REST) == ["platform"]


def test_each_channel_is_a_destination_of_its_own() -> None:
    assert addressed(announced(), Notifications((SHOP, REST))) == (
        destination_of("shop", "TEAMS_SHOP"),
        destination_of("shop", "MAIL_SHOP"),
    )


def test_updates_are_for_routes_that_want_them() -> None:
    chatty = replace(SHOP, name="chatty", channels=("CHAT",), updates=True)
    assert addressed(announced("Updated"), Notifications((SHOP, chatty, REST))) == (destination_of("chatty", "CHAT"),)
    assert addressed(announced("Updated"), Notifications((SHOP, REST))) == (), (
        "the alert is taken: it does not fall back"
    )


def test_a_dead_channel_is_not_told_that_it_is_dead() -> None:
    app = announced(who=About(THE_APP, "AKS Backup Guard"), severity="Error")
    routes = Notifications((SHOP, PLATFORM, REST))
    assert addressed(app, routes, destination_of("shop", "MAIL_SHOP")) == (destination_of("platform", "PAGER"),)
    assert addressed(app, routes, destination_of("platform", "PAGER")) == (
        destination_of("shop", "TEAMS_SHOP"),
        destination_of("shop", "MAIL_SHOP"),
        destination_of("rest", "MAIL_REST"),
    ), "when it was the only one, all others are"
    assert addressed(app, Notifications((PLATFORM,)), destination_of("platform", "PAGER")) == ()


@pytest.mark.parametrize(("route", "channel"), [("shop", "TEAMS"), ("a|b", "X_1"), ("route:x", "Y"), ("", "Z")])
def test_a_destination_says_whose_it_is(route: str, channel: str) -> None:
    assert route_and_channel(destination_of(route, channel)) == (route, channel)


@pytest.mark.parametrize("nothing", [TOPIC, "", "shop", "route:shop", "other:shop|X"])
def test_what_is_no_destination_of_a_route(nothing: str) -> None:
    assert route_and_channel(nothing) is None


def berlin(day: int, hour: int, minute: int = 0, month: int = 1) -> datetime:
    """Winter time in January (UTC+1), summer time in July (UTC+2)."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=1 if month == 1 else 2)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (berlin(10, 21, 59), None),
        (berlin(10, 22), berlin(11, 7)),
        (berlin(11, 0, 30), berlin(11, 7)),
        (berlin(11, 6, 59), berlin(11, 7)),
        (berlin(11, 7), None),
        (berlin(11, 12), None),
        (berlin(10, 23, month=7), berlin(11, 7, month=7)),
        (berlin(11, 7, month=7), None),
    ],
)
def test_quiet_hours_are_the_teams_own_night(now: datetime, end: datetime | None) -> None:
    assert quiet_until(replace(SHOP, quiet_hours=NIGHT), "Error", now) == end


@pytest.mark.parametrize(
    ("now", "end"),
    [
        # Clocks go forward on 2026-03-29 at 01:00 UTC, and back on 2026-10-25 at 01:00 UTC.
        (datetime(2026, 3, 29, 4, 59, tzinfo=UTC), datetime(2026, 3, 29, 5, tzinfo=UTC)),
        (datetime(2026, 3, 29, 5, 0, tzinfo=UTC), None),
        (datetime(2026, 10, 25, 5, 59, tzinfo=UTC), datetime(2026, 10, 25, 6, tzinfo=UTC)),
        (datetime(2026, 10, 25, 6, 0, tzinfo=UTC), None),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall_when_clocks_change(now: datetime, end: datetime | None) -> None:
    assert quiet_until(replace(SHOP, quiet_hours=NIGHT), "Error", now) == end


def test_quiet_hours_within_one_day() -> None:
    route = replace(SHOP, quiet_hours=QuietHours("12:00", "13:30"))
    assert quiet_until(route, "Error", NOON) == NOON + timedelta(minutes=90)
    assert quiet_until(route, "Error", NOON + timedelta(minutes=90)) is None


def test_quiet_hours_do_not_hold_back_what_is_grave_enough() -> None:
    route = replace(SHOP, quiet_hours=replace(NIGHT, unless="Error"))
    night = berlin(10, 23)
    assert quiet_until(route, "Warning", night) is not None
    assert quiet_until(route, "Error", night) is None
    assert quiet_until(route, "Critical", night) is None


CALM = Notifications((SHOP,), group_wait=120, group_interval=300)


def turn(*pending: Any, now: datetime, route: Route = SHOP, scale: float = 1.0) -> Any:
    return due(pending, route, CALM, Moment(now, scale))


def test_the_first_waits_for_others_to_come_along() -> None:
    one, two = announced(at=NOON), announced(at=NOON + timedelta(seconds=100), who=about("aks-two"))
    early = turn(one, two, now=NOON + timedelta(seconds=110))
    assert (early.announcements, early.wait_until) == ((), NOON + timedelta(seconds=120))
    assert turn(one, two, now=NOON + timedelta(seconds=120)).announcements == (one, two)


def test_the_wait_is_in_azures_seconds() -> None:
    assert turn(announced(at=NOON), now=NOON + timedelta(seconds=1), scale=60).wait_until == NOON + timedelta(seconds=2)
    assert turn(announced(at=NOON), now=NOON + timedelta(seconds=2), scale=60).announcements


def test_nothing_pending_is_nothing_due() -> None:
    assert turn(now=NOON).announcements == ()
    assert turn(now=NOON).wait_until is None
    assert turn(now=NOON).quiet_until is None


def test_quiet_hours_let_only_the_grave_through_and_lose_nothing() -> None:
    night, route = berlin(10, 23), replace(SHOP, quiet_hours=NIGHT)
    low = announced(at=night)
    grave = announced(at=night, who=about("aks-two"), what=cause(severity="Critical"))
    at_night = turn(low, grave, now=night + timedelta(minutes=5), route=route)
    assert at_night.announcements == (grave,)
    assert turn(low, now=night + timedelta(minutes=5), route=route).quiet_until == berlin(11, 7)
    assert turn(low, now=night + timedelta(minutes=5), route=route).wait_until is None, "the grave is not made to wait"
    assert turn(low, now=berlin(11, 7), route=route).announcements == (low,)


def test_everything_about_one_alert_goes_together() -> None:
    """The opening was postponed; it goes with the escalation that is not."""
    night, route = berlin(10, 23), replace(SHOP, quiet_hours=NIGHT)
    opened = announced(at=night)
    escalated = announced("Escalated", at=night + timedelta(minutes=5), severity="Critical")
    assert turn(opened, escalated, now=night + timedelta(minutes=10), route=route).announcements == (opened, escalated)
