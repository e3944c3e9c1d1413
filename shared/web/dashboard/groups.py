"""The fleet by team, subscription, region and profile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.domain.compliance import SweepSummary, Tally
from shared.report.view import NONE
from shared.web.dashboard.query import only


@dataclass(frozen=True, slots=True)
class Group:
    """A team, a subscription, a region or a profile. `label` may be hostile text."""

    key: str
    label: str
    tally: Tally
    href: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """`title` in the plural, `one` in the singular; `groups` the worst first; `more` how many are not shown."""

    by: str
    title: str
    one: str
    groups: tuple[Group, ...]
    more: int


@dataclass(frozen=True, slots=True)
class _Grouped:
    title: str
    one: str
    nobody: str
    tallies: Callable[[SweepSummary], Mapping[str, Tally]]


GROUPINGS: Mapping[str, _Grouped] = {
    "team": _Grouped("Teams", "Team", "(no team)", lambda summary: summary.by_team),
    "subscription": _Grouped("Subscriptions", "Subscription", "", lambda summary: summary.by_subscription),
    "location": _Grouped("Regions", "Region", "", lambda summary: summary.by_location),
    "profile": _Grouped("Profiles", "Profile", "(no profile)", lambda summary: summary.by_profile),
}


def grouping(summary: SweepSummary, by: str, most: int | None = None) -> Grouping:
    """The worst first: most clusters that could not be restored, then most that nobody knows of."""
    grouped = GROUPINGS[by]
    groups = [
        Group(key, label_of(summary, by, key), tally, only(**{by: key or NONE}))
        for key, tally in grouped.tallies(summary).items()
    ]
    groups.sort(key=lambda group: (-group.tally.no, -group.tally.unknown, group.tally.score, group.label.lower()))
    return Grouping(by, grouped.title, grouped.one, tuple(groups[:most]), max(0, len(groups) - (most or len(groups))))


def label_of(summary: SweepSummary, by: str, key: str) -> str:
    if by == "subscription":
        return summary.subscription_names.get(key) or key
    return key or GROUPINGS[by].nobody
