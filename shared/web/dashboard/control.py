"""What the page of one control shows: what it asks of a cluster, why, and who does not pass."""

from dataclasses import dataclass

from shared.domain.alerts import Severity
from shared.domain.compliance import JudgedCluster, Verdict, VerdictStatus
from shared.report.marks import VERDICTS, urgency
from shared.report.snapshot import Snapshot
from shared.web.dashboard.overview import Kind, kinds_of
from shared.web.dashboard.words import Words

_SHOWN, _FINDINGS_SHOWN = 50, 500


@dataclass(frozen=True, slots=True)
class Failure:
    cluster: JudgedCluster
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ControlPage:
    """`more`: how many rows are not shown here."""

    id: str
    title: str
    why: str
    remedy: str
    severity: Severity | None
    essential: bool
    rests_on: tuple[str, ...]
    counts: tuple[tuple[VerdictStatus, int], ...]
    rows: tuple[Failure, ...]
    more: int
    findings: tuple[Kind, ...]


def control_page(control: str, snapshot: Snapshot, words: Words) -> ControlPage | None:
    """None when nobody knows such a control."""
    summary = snapshot.summary
    known = words.get(control)
    if known is None and control not in summary.by_control:
        return None
    failures = [
        Failure(cluster, verdict)
        for cluster in snapshot.clusters
        for verdict in cluster.verdicts
        if verdict.control == control and verdict.status in {"NonCompliant", "Unknown"}
    ]
    failures.sort(key=lambda failure: urgency(failure.verdict))
    counts = summary.by_control.get(control, {})
    return ControlPage(
        id=control,
        title=known.title if known else control,
        why=known.why if known else "",
        remedy=known.remedy if known else "",
        severity=known.severity if known else None,
        essential=known is not None and known.essential,
        rests_on=known.rests_on if known else (),
        counts=tuple((status, counts.get(status, 0)) for status in VERDICTS) if counts else (),
        rows=tuple(failures[:_SHOWN]),
        more=max(0, len(failures) - _SHOWN),
        findings=kinds_of((one for one in summary.findings if one.control == control), words, _FINDINGS_SHOWN),
    )
