"""The table of clusters: filters, sorting and paging are links and a form, the work is done here on the server."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.compliance import JudgedCluster, SweepSummary, VerdictStatus
from shared.report.marks import RESTORABLE, VERDICTS, Mark, urgency
from shared.report.snapshot import Snapshot
from shared.report.view import NONE, Page, View
from shared.web.dashboard.groups import GROUPINGS, label_of
from shared.web.dashboard.query import cluster_link, link, said
from shared.web.dashboard.words import Words, title_of

_WORST_SHOWN = 2
_OPTIONS = 30
"""The text filter finds the rest."""
_COLUMNS = (
    ("name", "Cluster"),
    ("team", "Team"),
    ("subscription", "Subscription"),
    ("location", "Region"),
    ("restorable", "Restorable"),
    ("score", "Score"),
    ("worst", "What is wrong"),
)


@dataclass(frozen=True, slots=True)
class Worst:
    mark: Mark
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of clusters."""

    cluster: JudgedCluster
    subscription: str
    href: str
    restorable: Mark
    worst: tuple[Worst, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Column:
    """A header that sorts. `order`: ascending, descending or none, as aria-sort has it."""

    name: str
    title: str
    href: str
    order: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter with its options (value, words)."""

    name: str
    title: str
    options: tuple[tuple[str, str], ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class Table:
    view: View
    page: Page
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    choices: tuple[Choice, ...]
    hidden: Mapping[str, str]
    """What a filter's form keeps of the address."""
    first: int
    last: int
    pages: tuple[tuple[str, str], ...]
    """Words and address of the other pages."""
    narrowed: bool


def table(snapshot: Snapshot, page: Page, view: View, words: Words) -> Table:
    first = (page.page - 1) * view.size + 1 if page.rows else 0
    return Table(
        view=view,
        page=page,
        rows=tuple(row(cluster, snapshot.summary, words) for cluster in page.rows),
        columns=tuple(column(view, *each) for each in _COLUMNS),
        choices=choices(snapshot.summary, view, words),
        hidden={name: value for name, value in said(view).items() if name in {"sort", "descending"}},
        first=first,
        last=first + len(page.rows) - 1 if page.rows else 0,
        pages=pages(view, page),
        narrowed=bool(set(said(view)) - {"sort", "descending", "page", "size"}),
    )


def row(cluster: JudgedCluster, summary: SweepSummary, words: Words) -> Row:
    problems = sorted((v for v in cluster.verdicts if v.status in {"NonCompliant", "Unknown"}), key=urgency)
    return Row(
        cluster=cluster,
        subscription=label_of(summary, "subscription", cluster.subscription_id),
        href=cluster_link(cluster.cluster_id),
        restorable=RESTORABLE[cluster.restorable],
        worst=tuple(
            Worst(VERDICTS[verdict.status], title_of(words, verdict.control)) for verdict in problems[:_WORST_SHOWN]
        ),
        more=max(0, len(problems) - _WORST_SHOWN),
    )


def column(view: View, name: str, title: str) -> Column:
    """A click on the column that sorts already turns it round."""
    sorts = view.sort == name
    turned = sorts and not view.descending
    order = "none" if not sorts else "descending" if view.descending else "ascending"
    return Column(name, title, link(view, sort=name, descending=turned), order)


def choices(summary: SweepSummary, view: View, words: Words) -> tuple[Choice, ...]:
    restorable = tuple((word, mark.word) for word, mark in RESTORABLE.items())
    failed = sorted(
        ((control, title_of(words, control)) for control, counts in summary.by_control.items() if failed_by(counts)),
        key=lambda option: option[1],
    )
    return (
        Choice("restorable", "Restorable", restorable, view.restorable),
        *(_grouped(summary, by, getattr(view, by)) for by in GROUPINGS),
        Choice("control", "Fails", with_chosen(tuple(failed), view.control), view.control),
    )


def failed_by(counts: Mapping[VerdictStatus, int]) -> int:
    """Clusters that do not pass a control, or of which nobody knows."""
    return counts.get("NonCompliant", 0) + counts.get("Unknown", 0)


def _grouped(summary: SweepSummary, by: str, chosen: str) -> Choice:
    """The largest groups, in the order of their names."""
    grouped = GROUPINGS[by]
    largest = sorted(grouped.tallies(summary).items(), key=lambda item: -item[1].clusters)[:_OPTIONS]
    labelled = ((key or NONE, label_of(summary, by, key)) for key, _ in largest)
    options = sorted(labelled, key=lambda option: option[1].lower())
    return Choice(by, grouped.one, with_chosen(tuple(options), chosen), chosen)


def with_chosen(options: tuple[tuple[str, str], ...], chosen: str) -> tuple[tuple[str, str], ...]:
    """What was chosen can be seen, also when it is none of the options."""
    return options if not chosen or any(key == chosen for key, _ in options) else ((chosen, chosen), *options)


def pages(view: View, page: Page) -> tuple[tuple[str, str], ...]:
    """First, previous, next and last, as far as there are such."""
    there = [("First", 1), ("Previous", page.page - 1), ("Next", page.page + 1), ("Last", page.pages)]
    return tuple(
        (word, link(view, page=number)) for word, number in there if number != page.page and 1 <= number <= page.pages
    )
