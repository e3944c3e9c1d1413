"""Which clusters of a sweep a person looks at, and in which order. Pure; ten thousand clusters are nothing to it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, get_args

from shared.domain.alerts import SEVERITIES
from shared.domain.compliance import JudgedCluster, Restorable, Verdict, VerdictStatus

NONE = "(none)"
"""As `team` or `profile`: those that have none."""
LARGEST_PAGE = 500
_LONGEST_TEXT = 300
_STATUSES: tuple[str, ...] = get_args(VerdictStatus)
_RESTORABLE: tuple[str, ...] = get_args(Restorable)
_FAILING: tuple[VerdictStatus, ...] = ("NonCompliant", "Unknown")


class InvalidViewError(ValueError):
    """`field` cannot be what it is; the text says what it can be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class View:
    """Empty fields leave nothing out. `text`: every word of it is found in name, resource group, team or subscription.
    `control` with no `status`: the clusters of which it is NonCompliant or Unknown; `status` alone: of any control.
    Raises InvalidViewError."""

    text: str = ""
    team: str = ""
    subscription: str = ""
    """Its id, or its name where that is known."""
    location: str = ""
    profile: str = ""
    restorable: str = ""
    control: str = ""
    status: str = ""
    sort: str = "score"
    descending: bool = False
    page: int = 1
    size: int = 50

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise InvalidViewError("sort", f"cannot sort by {self.sort[:60]!r}; use one of {', '.join(SORTS)}")
        for name, known in (("restorable", _RESTORABLE), ("status", _STATUSES)):
            value: str = getattr(self, name)
            if value and value not in known:
                raise InvalidViewError(name, f"{name} cannot be {value[:60]!r}; use one of {', '.join(known)}")
        if self.page < 1:
            raise InvalidViewError("page", f"there is no page {self.page}; the first is 1")
        if not 1 <= self.size <= LARGEST_PAGE:
            raise InvalidViewError("size", f"a page of {self.size} is not possible; use 1 to {LARGEST_PAGE}")
        if len(self.text) > _LONGEST_TEXT:
            raise InvalidViewError("text", f"the text is longer than {_LONGEST_TEXT} characters; use less of it")


@dataclass(frozen=True, slots=True)
class Page:
    """`total` clusters fit the view, on `pages` pages (at least one). A page beyond the last has no rows."""

    rows: tuple[JudgedCluster, ...]
    total: int
    page: int
    pages: int


class Fleet(tuple[JudgedCluster, ...]):
    """Clusters that are viewed again and again: what takes long to find out is found out once. By cluster id."""

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """What is searched, but for the names of subscriptions."""
        return {
            row.cluster_id: f"{row.name}\n{row.resource_group}\n{row.team}\n{row.subscription_id}".casefold()
            for row in self
        }

    @cached_property
    def gravities(self) -> Mapping[str, int | None]:
        """How grave the worst verdict is; 0 is the gravest, None: all is well."""
        return {
            row.cluster_id: min([_gravity(v) for v in row.verdicts if v.status in _FAILING], default=None)
            for row in self
        }

    @cached_property
    def failing_since(self) -> Mapping[str, datetime | None]:
        return {row.cluster_id: failing_since(row) for row in self}


def viewed(clusters: Sequence[JudgedCluster], view: View, subscription_names: Mapping[str, str] | None = None) -> Page:
    """The page of the view. Subscriptions are sorted by their names, as far as these are given. Clusters that are alike
    in what is sorted by stay in the order they are given in."""
    fleet = clusters if isinstance(clusters, Fleet) else Fleet(clusters)
    names = {key.lower(): name.casefold() for key, name in (subscription_names or {}).items()}
    rows = _sorted(_filtered(fleet, view, names), view, fleet, names)
    start = (view.page - 1) * view.size
    pages = max(1, -(-len(rows) // view.size))
    return Page(tuple(rows[start : start + view.size]), len(rows), view.page, pages)


def worst(cluster: JudgedCluster) -> Verdict | None:
    """The gravest verdict that is NonCompliant or Unknown (NonCompliant before Unknown); None when there is none."""
    failing = [verdict for verdict in cluster.verdicts if verdict.status in _FAILING]
    return min(failing, key=_gravity) if failing else None


def failing_since(cluster: JudgedCluster) -> datetime | None:
    """Since when the longest of its NonCompliant and Unknown verdicts has been so; None when there is none."""
    times = [v.since for v in cluster.verdicts if v.status in _FAILING and v.since is not None]
    return min(times, default=None)


def _filtered(fleet: Fleet, view: View, names: Mapping[str, str]) -> list[JudgedCluster]:
    """One pass for each filter that is set: most are not."""
    rows = list(fleet)
    if view.team:
        rows = _matching(rows, "team", view.team)
    if view.profile:
        rows = _matching(rows, "profile", view.profile)
    if view.location:
        rows = _matching(rows, "location", view.location)
    if view.subscription:
        wanted = view.subscription.casefold()
        ids = {wanted, *(key for key, name in names.items() if name == wanted)}
        rows = [row for row in rows if row.subscription_id.lower() in ids]
    if view.restorable:
        rows = [row for row in rows if row.restorable == view.restorable]
    if view.control or view.status:
        rows = _judged_so(rows, view.control, (view.status,) if view.status else _FAILING)
    return _found(rows, view.text.casefold().split(), fleet, names)


def _matching(rows: list[JudgedCluster], field: str, value: str) -> list[JudgedCluster]:
    get, wanted = attrgetter(field), "" if value == NONE else value.casefold()
    return [row for row in rows if get(row).casefold() == wanted]


def _judged_so(rows: list[JudgedCluster], control: str, statuses: Collection[str]) -> list[JudgedCluster]:
    if not control:
        return [row for row in rows if any(verdict.status in statuses for verdict in row.verdicts)]
    return [row for row in rows for v in row.verdicts if v.control == control and v.status in statuses]


def _found(rows: list[JudgedCluster], words: list[str], fleet: Fleet, names: Mapping[str, str]) -> list[JudgedCluster]:
    texts = fleet.texts if words else {}
    for word in words:
        named = {subscription for subscription, name in names.items() if word in name}
        rows = [row for row in rows if word in texts[row.cluster_id] or row.subscription_id.lower() in named]
    return rows


def _sorted(rows: list[JudgedCluster], view: View, fleet: Fleet, names: Mapping[str, str]) -> list[JudgedCluster]:
    if view.sort == "subscription":
        ids = {row.subscription_id: row.subscription_id.lower() for row in rows}
        known = {given: names.get(subscription, subscription) for given, subscription in ids.items()}
        return sorted(rows, key=lambda row: known[row.subscription_id], reverse=view.descending)
    if view.sort not in ("worst", "since"):
        return sorted(rows, key=_KEYS[view.sort], reverse=view.descending)
    answers: Mapping[str, Any] = fleet.gravities if view.sort == "worst" else fleet.failing_since
    alike: dict[Any, list[JudgedCluster]] = {}  # there are few different answers: only those are sorted
    for row in rows:
        alike.setdefault(answers[row.cluster_id], []).append(row)
    well = alike.pop(None, [])  # whatever the direction, clusters without trouble come last
    return [row for answer in sorted(alike, reverse=view.descending) for row in alike[answer]] + well


_GRAVITY = {(s, g): 2 * SEVERITIES.index(g) + _FAILING.index(s) for s in _FAILING for g in SEVERITIES}
_URGENCY = {"No": 0, "Unknown": 1, "Yes": 2, "Exempt": 3}
_KEYS: Mapping[str, Callable[[JudgedCluster], Any]] = {
    "name": lambda row: row.name.casefold(),
    "team": lambda row: row.team.casefold(),
    "location": lambda row: row.location.lower(),
    "score": attrgetter("score"),
    "restorable": lambda row: _URGENCY[row.restorable],
}
SORTS = (*_KEYS, "subscription", "worst", "since")
"""What clusters can be sorted by. Upwards, what needs a person comes first: the lowest score, what cannot be restored,
the gravest verdict, the oldest trouble."""


def _gravity(verdict: Verdict) -> int:
    return _GRAVITY[verdict.status, verdict.severity]
