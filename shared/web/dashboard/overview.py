"""What the overview shows, worked out before anything is written as HTML."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from shared.domain.alerts import Severity
from shared.domain.compliance import Finding, Repairs, SweepSummary, Tally, Verdict
from shared.domain.facts import Fact, Present
from shared.domain.fleet import Source
from shared.domain.record import Action
from shared.domain.steps import Step
from shared.report.marks import RESTORABLE, VERDICTS, Mark, outcome, urgency
from shared.report.snapshot import Snapshot
from shared.report.view import Page, View
from shared.web.dashboard.groups import GROUPINGS, Grouping, grouping
from shared.web.dashboard.live import Live, without_beginnings
from shared.web.dashboard.query import cluster_link, control_link, only
from shared.web.dashboard.table import Table, table
from shared.web.dashboard.words import Words, title_of

OLD = timedelta(hours=26)
"""A daily sweep that is older has been missed."""
_GROUPS_SHOWN, _FINDINGS_SHOWN, _LINES_SHOWN, _CONTROLS_SHOWN = 7, 3, 6, 9
_LONGEST_STEP = 60
_STEPS = frozenset(kind.__name__ for kind in get_args(Step))


@dataclass(frozen=True, slots=True)
class Part:
    """One share of the fleet, with the clusters behind it."""

    mark: Mark
    clusters: int
    href: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How the fleet stands with one control."""

    control: str
    title: str
    essential: bool
    failing: int
    unknown: int
    exempt: int
    compliant: int
    href: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Findings of one control. `more`: how many of them are not shown here; `remedy`: what is to be done about each of
    them, when that is the same."""

    control: str
    title: str
    mark: Mark
    severity: Severity
    remedy: str
    findings: tuple[Finding, ...]
    more: int
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """Of the audit trail. `name` and `href` are the cluster's, or the region's, which has no page."""

    action: Action
    mark: Mark
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Overview:
    now: datetime
    summary: SweepSummary
    old: bool
    parts: tuple[Part, ...]
    judged: int
    """Clusters that are not exempt as a whole."""
    gained: float | None
    """Points of the score since the sweep before."""
    broken: tuple[Source, ...]
    """Questions of the sweep that were not answered."""
    trend: tuple[SweepSummary, ...]
    """Oldest first."""
    groupings: tuple[Grouping, ...]
    failing: tuple[Standing, ...]
    controls: int
    passing: int
    findings: tuple[Kind, ...]
    table: Table
    live: Live
    todo: tuple[tuple[str, int], ...]
    """Steps that are left, and for how many clusters."""
    awaited: tuple[tuple[str, int], ...]
    """What must come from elsewhere before a cluster is as its profile says, and how many wait for it."""
    repairs: Repairs
    done: tuple[Line, ...]


def overview(
    snapshot: Snapshot,
    page: Page,
    view: View,
    *,
    trend: Sequence[SweepSummary],
    live: Live,
    words: Words,
    now: datetime,
) -> Overview:
    """`trend` is newest first, and so are the lines of `live`."""
    summary = snapshot.summary
    tally = summary.overall
    before = next((old for old in trend if old.sweep_id < summary.sweep_id), None)
    stand = standings(summary, words)
    failing = tuple(row for row in stand if row.failing or row.unknown)
    left = left_to_do(snapshot)
    return Overview(
        now=now,
        summary=summary,
        old=now - summary.ended_at > OLD,
        parts=parts_of(tally),
        judged=tally.clusters - tally.exempt,
        gained=None if before is None else round(tally.score - before.overall.score, 1),
        broken=tuple(source for source in summary.sources if source.error),
        trend=tuple(reversed(trend)),
        groupings=tuple(grouping(summary, by, _GROUPS_SHOWN) for by in GROUPINGS),
        failing=failing[:_CONTROLS_SHOWN],
        controls=len(stand),
        passing=len(stand) - len(failing),
        findings=kinds_of(summary.findings, words, _FINDINGS_SHOWN),
        table=table(snapshot, page, view, words),
        live=live,
        todo=tuple((kind, count) for kind, count in left if kind in _STEPS),
        awaited=tuple((kind, count) for kind, count in left if kind not in _STEPS),
        repairs=summary.repairs,
        done=results(live.actions),
    )


def parts_of(tally: Tally) -> tuple[Part, ...]:
    counts = (("Yes", tally.yes), ("No", tally.no), ("Unknown", tally.unknown), ("Exempt", tally.exempt))
    return tuple(Part(RESTORABLE[word], count, only(restorable=word)) for word, count in counts)  # type: ignore[index]


def standings(summary: SweepSummary, words: Words) -> tuple[Standing, ...]:
    """What fails first, and of that the essential."""
    rows = [
        Standing(
            control,
            title_of(words, control),
            control in words and words[control].essential,
            counts.get("NonCompliant", 0),
            counts.get("Unknown", 0),
            counts.get("Exempt", 0),
            counts.get("Compliant", 0),
            control_link(control),
        )
        for control, counts in summary.by_control.items()
    ]
    passed = {row.control for row in rows if not row.failing and not row.unknown}
    return tuple(
        sorted(rows, key=lambda row: (row.control in passed, not row.essential, -row.failing, -row.unknown, row.title))
    )


def kinds_of(findings: Iterable[Finding], words: Words, most: int) -> tuple[Kind, ...]:
    """The gravest first; of each kind `most` findings at most."""
    found: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda one: urgency(as_verdict(one))):
        found.setdefault(finding.control, []).append(finding)
    return tuple(
        Kind(
            control=control,
            title=title_of(words, control),
            mark=VERDICTS[same[0].status],
            severity=same[0].severity,
            remedy=same[0].remedy if len({finding.remedy for finding in same}) == 1 else "",
            findings=tuple(same[:most]),
            more=max(0, len(same) - most),
            href=control_link(control),
        )
        for control, same in found.items()
    )


def as_verdict(finding: Finding) -> Verdict:
    return Verdict(finding.control, finding.status, finding.severity)


def left_to_do(snapshot: Snapshot) -> tuple[tuple[str, int], ...]:
    """Kinds of what remains, with the number of clusters."""
    kinds = Counter(
        kind[:_LONGEST_STEP]
        for cluster in snapshot.clusters
        if cluster.remaining
        for kind in {left.partition(":")[0] for left in cluster.remaining}
    )
    return tuple(kinds.most_common())


def results(actions: Fact[tuple[Action, ...]]) -> tuple[Line, ...]:
    """The newest lines of the audit trail."""
    known = actions.value if isinstance(actions, Present) else ()
    return tuple(line(action) for action in without_beginnings(known)[:_LINES_SHOWN])


def line(action: Action) -> Line:
    cluster = action.subject.startswith("/")
    name = action.subject.rsplit("/", 1)[-1] if cluster else action.subject.replace("|", ", ")
    return Line(action, outcome(action.outcome), name, cluster_link(action.subject) if cluster else "")
