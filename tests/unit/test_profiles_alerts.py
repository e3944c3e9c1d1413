"""guard.yaml on memory, cures, alerts and routes: what it says reaches the domain, and each mistake is named."""

from datetime import UTC, datetime

import pytest
import yaml

from shared.domain import profile as domain
from shared.profiles import InvalidConfigurationError, json_schema, load_configuration

GOLD = "revision: 1\nprofiles:\n  gold:\n    vault: {soft_delete: On}\n"
"""Three lines, and what is said of the profile follows from line 5 on."""


def gold(said: str = "") -> domain.ProtectionProfile:
    return load_configuration(f"{GOLD}{said}\nrules: []").profiles["gold"]


def told(said: str) -> domain.Notifications:
    return load_configuration(f"{GOLD}rules: []\nnotifications:\n{said}").notifications


def test_the_defaults_are_those_of_the_domain() -> None:
    profile = gold()
    assert profile.memory == domain.MemoryLadder()
    assert profile.cures == domain.Cures()
    assert profile.alerts == domain.Alerting()
    assert load_configuration(f"{GOLD}rules: []").notifications == domain.Notifications()


def test_everything_said_of_a_profile_reaches_the_domain() -> None:
    profile = gold("""
    memory: {automatic: false, rungs: [1Gi, 3Gi], ceiling: 4Gi, cpu_limit_after: "2", raise_request: true,
             node_share: 0.5, raise_ahead: true, come_down_after: P30D}
    cures: {automatic: false, reinstall_extension: true, retries_per_day: 2}
    alerts:
      not_protected_after: PT1H
      blocked_after: PT5M
      escalate_after_failures: 2
      escalate_after: PT12H
      maintenance:
        weekly:
          - {days: [Sunday, Monday, Sunday], start: 22:00, duration: PT6H, time_zone: Europe/Berlin}
          - {start: 01:00, duration: PT30M}
        once:
          - {start: 2026-12-24, end: 2026-12-26}
          - {start: 2026-12-31T18:00:00+01:00, end: 2027-01-01T06:00:00Z}
""")
    assert profile.memory == domain.MemoryLadder(False, ("1Gi", "3Gi"), "4Gi", "2", True, 0.5, True, 30 * 86_400)
    assert profile.cures == domain.Cures(False, True, 2)
    assert profile.alerts == domain.Alerting(
        not_protected_after=3600,
        blocked_after=300,
        escalate_after_failures=2,
        escalate_after=43_200,
        maintenance=(
            domain.WeeklyWindow((0, 6), "22:00", 21_600, "Europe/Berlin"),
            domain.WeeklyWindow((0, 1, 2, 3, 4, 5, 6), "01:00", 1800, "UTC"),
            domain.OneTimeWindow(datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 12, 27, tzinfo=UTC)),
            domain.OneTimeWindow(datetime(2026, 12, 31, 17, tzinfo=UTC), datetime(2027, 1, 1, 6, tzinfo=UTC)),
        ),
    )


def test_everything_said_of_routes_reaches_the_domain() -> None:
    assert told("""
  group_wait: PT30S
  group_interval: PT10M
  dashboard_url: https://guard.azurewebsites.net/api/dashboard
  routes:
    - name: team shop
      match: {tags: {team: shop}, names: [shop-*]}
      profiles: [gold]
      least: Error
      channels: [TEAM_SHOP, PAGER, TEAM_SHOP]
      quiet_hours: {start: 22:00, end: 06:00, time_zone: Asia/Kathmandu, unless: Error}
      updates: true
    - {name: rest, channels: [PLATFORM_2], fallback: true}
""") == domain.Notifications(
        routes=(
            domain.Route(
                "team shop",
                domain.Selector(names=("shop-*",), tags={"team": "shop"}),
                ("gold",),
                "Error",
                ("TEAM_SHOP", "PAGER"),
                domain.QuietHours("22:00", "06:00", "Asia/Kathmandu", "Error"),
                updates=True,
            ),
            domain.Route("rest", channels=("PLATFORM_2",), fallback=True),
        ),
        group_wait=30,
        group_interval=600,
        dashboard_url="https://guard.azurewebsites.net/api/dashboard",
    )


@pytest.mark.parametrize(
    "said",
    [
        "memory: {ceiling: 16Gi}",
        "cures: {reinstall_extension: true}",
        "alerts: {escalate_after: PT1H, maintenance: {once: [{start: 2026-12-24, end: 2026-12-26}]}}",
    ],
)
def test_what_changes_nothing_in_azure_makes_no_changed_profile(said: str) -> None:
    """The roll-out of a profile would pace it, and its circuit breaker would stop it."""
    one = load_configuration(f"{GOLD}rules: []")
    other = load_configuration(f"{GOLD}    {said}\nrules: []")
    assert other.profiles["gold"] != one.profiles["gold"]
    assert other.profiles["gold"].digest == one.profiles["gold"].digest
    assert other.digest != one.digest, "but another configuration"


def test_who_is_told_makes_no_changed_profile() -> None:
    one = load_configuration(f"{GOLD}rules: []")
    other = load_configuration(f"{GOLD}rules: []\nnotifications: {{routes: [{{name: a, channels: [A]}}]}}")
    assert other.profiles == one.profiles
    assert other.digest != one.digest


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("memory: {rungs: []}", "memory.rungs: [] is empty; name at least one, or remove it"),
        ("memory: {rungs: [1GB]}", "memory.rungs[0]: '1GB' is no amount of memory; write it as 1536Mi or 2Gi"),
        (
            "memory: {rungs: [2Gi, 2048Mi]}",
            "memory.rungs[1]: 2048Mi is not more than the 2Gi before it; write the rungs from the lowest to",
        ),
        ("memory: {rungs: [4Gi, 16Gi]}", "memory.rungs[1]: 16Gi is above the ceiling of 8Gi and never reached; raise"),
        ("memory: {ceiling: 1Gi}", "memory.ceiling: 1Gi is less than the first rung of 1280Mi; raise it, or lower"),
        ("memory: {ceiling: much}", "memory.ceiling: 'much' is no amount of memory"),
        ("memory: {cpu_limit_after: 2}", "memory.cpu_limit_after: 2 is no text; put it in quotes"),
        ("memory: {cpu_limit_after: two}", "memory.cpu_limit_after: 'two' is no amount of CPU"),
        (
            "memory: {cpu_limit_after: 500m}\n    extension: {cpu_limit: '1'}",
            "memory.cpu_limit_after: 500m is not more than extension.cpu_limit, which is 1; raise it, or remove it",
        ),
        ("memory: {node_share: 1}", "memory.node_share: 1.0 is more than what AKS leaves to pods; use 0.1 to 0.95"),
        ("memory: {node_share: half}", "memory.node_share: 'half' is no number; write it as 0.75, without quotes"),
        ("memory: {come_down_after: PT1H}", "memory.come_down_after: PT1H is too short to judge by; use P1D or more"),
        ("memory: {rung: [1Gi]}", "memory.rung: there is no such setting here; did you mean rungs?"),
        ("cures: {retries_per_day: 11}", "cures.retries_per_day: 11 is more than Azure's ten on-demand backups a day"),
        ("cures: {automatic: yes}", "cures.automatic: 'yes' is neither true nor false"),
        ("alerts: {escalate_after_failures: 0}", "alerts.escalate_after_failures: 0 is less than one failure"),
        ("alerts: {blocked_after: 30m}", "alerts.blocked_after: '30m' is no ISO 8601 duration"),
        ("alerts: {maintenance: []}", "alerts.maintenance: [] is no mapping"),
        (
            "alerts: {maintenance: {weekly: [{days: [Sun], start: 22:00, duration: PT1H}]}}",
            "alerts.maintenance.weekly[0].days[0]: 'Sun' is not one of 'Monday'",
        ),
        (
            "alerts: {maintenance: {weekly: [{days: [], start: 22:00, duration: PT1H}]}}",
            "alerts.maintenance.weekly[0].days: [] is empty",
        ),
        (
            "alerts: {maintenance: {weekly: [{start: 22:00, duration: PT0S}]}}",
            "alerts.maintenance.weekly[0].duration: PT0S is no length for a window of every week; use up to P7D",
        ),
        (
            "alerts: {maintenance: {weekly: [{start: 22:00, duration: P8D}]}}",
            "alerts.maintenance.weekly[0].duration: P8D is no length for a window of every week; use up to P7D",
        ),
        (
            "alerts: {maintenance: {weekly: [{start: 25:00, duration: PT1H}]}}",
            "alerts.maintenance.weekly[0].start: '25:00' is no time of day; write it as 22:00",
        ),
        (
            "alerts: {maintenance: {weekly: [{start: 22:00, duration: PT1H, time_zone: europe/berlin}]}}",
            "alerts.maintenance.weekly[0].time_zone: 'europe/berlin' is no time zone of the IANA database; "
            "did you mean Europe/Berlin?",
        ),
        (
            "alerts: {maintenance: {once: [{start: 2026-12-24T18:00:00Z, end: 2026-12-24T18:00:00Z}]}}",
            "alerts.maintenance.once[0].end: 2026-12-24T18:00:00Z is not after the start, 2026-12-24T18:00:00Z; swap",
        ),
        (
            "alerts: {maintenance: {once: [{start: 2026-12-24, end: 2026-12-23}]}}",
            "alerts.maintenance.once[0].end: 2026-12-23 is not after the start",
        ),
        (
            "alerts: {maintenance: {once: [{start: Christmas, end: 2026-12-26}]}}",
            "alerts.maintenance.once[0].start: 'Christmas' is no day or time; write a day as 2027-01-31",
        ),
    ],
)
def test_a_mistake_in_a_profile_is_named_with_its_line_and_remedy(said: str, error: str) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        gold(f"    {said}")
    (only,) = caught.value.errors
    assert only.startswith(f"guard.yaml:5: profiles.gold.{error}"), only


def test_a_ladder_that_is_cut_by_its_ceiling_alone_is_none() -> None:
    assert gold("    memory: {ceiling: 4Gi}").memory.ceiling == "4Gi"


@pytest.mark.parametrize("zone", ["", "Mars/Base", "Europe", "../UTC", "/etc/passwd", "UTC\0", "x" * 5000, "CET+1"])
def test_no_text_but_a_time_zone_is_one(zone: str) -> None:
    window = {"start": "22:00", "duration": "PT1H", "time_zone": zone}
    with pytest.raises(InvalidConfigurationError, match="is no time zone of the IANA database; "):
        gold(f"    alerts: {yaml.safe_dump({'maintenance': {'weekly': [window]}}, default_flow_style=True)}")


@pytest.mark.parametrize(
    ("said", "line", "error"),
    [
        ("- name: a", 8, "[0].channels: is missing; add it"),
        ("- {name: a, channels: []}", 8, "[0].channels: [] is empty; name at least one"),
        ("- {channels: [A]}", 8, "[0].name: is missing; add it"),
        ("- {name: 'a|b', channels: [A]}", 8, "[0].name: 'a|b' is no name of a route; use up to 63 letters"),
        (
            "- {name: a, channels: [team]}",
            8,
            "[0].channels[0]: this is no name of a channel; use the end of its app setting "
            "AKS_BACKUP_GUARD_CHANNEL_<NAME>: upper-case letters, digits and underscores",
        ),
        ("- {name: a, channels: [A]}\n- {name: a, channels: [B]}", 9, "[1].name: 'a' is given twice; rename one"),
        (
            "- {name: a, channels: [A]}\n- {name: A, channels: [B]}",
            9,
            "[1].name: differs from a by upper and lower case only; rename one",
        ),
        (
            "- {name: a, channels: [A], profiles: [glod]}",
            8,
            "[0].profiles[0]: there is no profile 'glod'; did you mean gold?",
        ),
        (
            "- {name: a, channels: [A], fallback: true}\n- {name: b, channels: [B], fallback: true}",
            9,
            "[1].fallback: route 'a' is the fallback already; keep one",
        ),
        ("- {name: a, channels: [A], least: warning}", 8, "[0].least: 'warning' is not one of 'Critical', 'Error', "),
        (
            "- {name: a, channels: [A], quiet_hours: {start: 22:00, end: 22:00}}",
            8,
            "[0].quiet_hours.end: 22:00 is the start too",
        ),
        (
            "- {name: a, channels: [A], quiet_hours: {start: 22:00, end: 6:00}}",
            8,
            "[0].quiet_hours.end: '6:00' is no time of day; write it as 22:00",
        ),
        (
            "- {name: a, channels: [A], quiet_hours: {start: 22:00, end: 06:00, time_zone: Berlin}}",
            8,
            "[0].quiet_hours.time_zone: 'Berlin' is no time zone of the IANA database; ",
        ),
        ("- {name: a, channels: [A], quiet: {}}", 8, "[0].quiet: there is no such setting here; "),
    ],
)
def test_a_mistake_in_a_route_is_named_with_its_line_and_remedy(said: str, line: int, error: str) -> None:
    text = "".join(f"  {entry}\n" for entry in said.splitlines())
    with pytest.raises(InvalidConfigurationError) as caught:
        told(f"  routes:\n{text}")
    (only,) = caught.value.errors
    assert only.startswith(f"guard.yaml:{line}: notifications.routes{error}"), only


@pytest.mark.parametrize("url", ["http://guard/api", "guard.net", "https://", "https://a b", "javascript:alert(1)"])
def test_the_dashboard_is_linked_by_https_only(url: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=r"dashboard_url: .* is no https address; it looks like https:"):
        told(f"  dashboard_url: '{url}'")


def test_an_address_that_was_written_where_its_name_belongs_is_not_repeated() -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        told("  routes: [{name: a, channels: ['mailto://me:secret@mail']}]")
    assert "secret" not in str(caught.value)


def test_editors_know_the_new_settings() -> None:
    definitions = json_schema()["$defs"]
    assert definitions["MemoryModel"]["properties"]["node_share"]["maximum"] == 0.95
    assert definitions["RouteModel"]["required"] == ["name", "channels"]
    assert definitions["RouteModel"]["properties"]["channels"]["minItems"] == 1
