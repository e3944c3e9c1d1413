"""A sweep as one HTML file that needs nothing else: for whoever audits it, and for keeping. No script is in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment

from shared.domain.compliance import FactValue, JudgedCluster, SweepSummary, Tally, Verdict, VerdictChange
from shared.plan.compliance.control import Control
from shared.plan.compliance.facts import FACT_SOURCES
from shared.report import pages
from shared.report.marks import RESTORABLE, Mark, urgency
from shared.report.snapshot import Snapshot

_WIDE, _HIGH = 720, 160


@dataclass(frozen=True, slots=True)
class Line:
    """A curve as the points of an SVG polyline."""

    share: str
    score: str
    low: int
    """What the chart's lower edge stands for; the upper one is 100."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One cluster with everything that was found about it. `facts` are by question, those that are not there apart."""

    cluster: JudgedCluster
    mark: Mark
    subscription: str
    problems: tuple[Verdict, ...]
    passed: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    absent: tuple[str, ...]


def render(
    snapshot: Snapshot,
    controls: Sequence[Control],
    *,
    summaries: Sequence[SweepSummary] = (),
    changes: Sequence[VerdictChange] = (),
) -> str:
    """`summaries` are the sweeps of the trend, in any order; `changes` those since the sweep before."""
    summary = snapshot.summary
    trend = sorted(summaries, key=lambda one: one.sweep_id)
    return (
        _template()
        .get_template("report.html")
        .render(
            style=_style(),
            summary=summary,
            judged=summary.overall.clusters - summary.overall.exempt,
            trend=trend,
            line=line(trend) if len(trend) > 1 else None,
            wide=_WIDE,
            high=_HIGH,
            groups=groups(summary),
            controls=[(control, summary.by_control.get(control.id, {})) for control in controls],
            titles={control.id: control.title for control in controls},
            changes=changes,
            sources=FACT_SOURCES,
            clusters=(judged(cluster, summary) for cluster in snapshot.clusters),
        )
    )


def groups(summary: SweepSummary) -> tuple[tuple[str, tuple[tuple[str, Tally], ...]], ...]:
    """By team, subscription, region and profile: what needs a person first."""
    names = summary.subscription_names
    by = (
        ("Team", summary.by_team),
        ("Subscription", {names.get(key) or key: tally for key, tally in summary.by_subscription.items()}),
        ("Region", summary.by_location),
        ("Profile", summary.by_profile),
    )
    return tuple((title, _worst_first(tallies)) for title, tallies in by)


def _worst_first(tallies: Mapping[str, Tally]) -> tuple[tuple[str, Tally], ...]:
    return tuple(sorted(tallies.items(), key=lambda item: (-item[1].no, -item[1].unknown, item[0].casefold())))


def judged(cluster: JudgedCluster, summary: SweepSummary) -> Judged:
    problems = [verdict for verdict in cluster.verdicts if verdict.status != "Compliant"]
    return Judged(
        cluster=cluster,
        mark=RESTORABLE[cluster.restorable],
        subscription=summary.subscription_names.get(cluster.subscription_id) or cluster.subscription_id,
        problems=tuple(sorted(problems, key=urgency)),
        passed=tuple(verdict.control for verdict in cluster.verdicts if verdict.status == "Compliant"),
        facts=by_question(cluster.facts),
        absent=tuple(name for name, value in cluster.facts.items() if value is None),
    )


def by_question(facts: Mapping[str, FactValue]) -> tuple[tuple[str, str], ...]:
    """Question -> its facts as one text."""
    said: dict[str, list[str]] = {}
    for name, value in facts.items():
        if value is not None:
            said.setdefault(FACT_SOURCES.get(name, "other"), []).append(f"{name} = {pages.words(value)}")
    return tuple((question, "; ".join(texts)) for question, texts in said.items())


def line(trend: Sequence[SweepSummary]) -> Line:
    """Sweeps stand where their time is; the curve begins a little below its lowest point."""
    tallies = [one.overall for one in trend]
    shares = [100 * t.yes / (t.clusters - t.exempt) if t.clusters > t.exempt else 100.0 for t in tallies]
    scores = [tally.score for tally in tallies]
    low = max(0, int(min(*shares, *scores)) - 2)
    first, last = trend[0].ended_at, trend[-1].ended_at
    length = (last - first).total_seconds() or 1.0
    across = [_WIDE * (one.ended_at - first).total_seconds() / length for one in trend]

    def points(values: Sequence[float]) -> str:
        up = [_HIGH * (100 - value) / (100 - low) for value in values]
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))

    return Line(points(shares), points(scores), low)


@cache
def _template() -> Environment:
    return pages.environment()


@cache
def _style() -> str:
    return "\n".join((pages.HERE / name).read_text(encoding="utf-8") for name in ("palette.css", "report.css"))
