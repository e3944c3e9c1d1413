"""A sweep as CSV for a spreadsheet: a row for each cluster and for each of its verdicts, then the findings and the
questions to Azure that it all rests on. RFC 4180, with the byte order mark that tells Excel it is UTF-8."""

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO

from shared.domain.compliance import FactValue, JudgedCluster
from shared.plan.compliance.control import Control
from shared.report.evidence import source_names
from shared.report.snapshot import Snapshot

COLUMNS = (
    "kind",  # cluster, verdict, finding, source
    "subject",
    "name",
    "subscription",
    "subscription_name",
    "resource_group",
    "location",
    "team",
    "profile",
    "mode",
    "restorable",
    "score",
    "control",
    "control_title",
    "status",
    "severity",
    "reason",
    "message",
    "remedy",
    "since",
    "expires",
    "at",
    "evidence",
    "sources",
    "request_ids",
)
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet may take for the beginning of a formula (OWASP: CSV injection)."""
_UNSEEN = frozenset({"Cf", "Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that turn the direction of writing round, break lines or hide."""
_LONGEST = 32_000
"""Characters of one cell; Excel takes 32,767."""


def render(snapshot: Snapshot, controls: Sequence[Control]) -> str:
    """A cell that would begin a formula begins with an apostrophe; characters that nobody sees are written out."""
    out = StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in _rows(snapshot, controls))
    return "\ufeff" + out.getvalue()


def cell(value: FactValue | datetime) -> str:
    """The value as text that no spreadsheet runs, and that reads as what it is."""
    if isinstance(value, bool | int | float):
        return str(value)
    text = _written(value)
    if text[:1] in _FORMULA or text.lstrip()[:1] in _FORMULA:
        text = f"'{text}"
    return text[:_LONGEST]


def _written(value: FactValue | datetime) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return text if text.isascii() and text.isprintable() else "".join(_seen(letter) for letter in text)


def _seen(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if unicodedata.category(letter) in _UNSEEN else letter


def _rows(snapshot: Snapshot, controls: Sequence[Control]) -> Iterator[dict[str, FactValue | datetime]]:
    summary, by_id = snapshot.summary, {control.id: control for control in controls}
    sources = {control.id: ", ".join(source_names(control)) for control in controls}
    for cluster in snapshot.clusters:
        about = _about(cluster, summary.subscription_names.get(cluster.subscription_id, ""))
        yield {
            "kind": "cluster",
            **about,
            "restorable": cluster.restorable,
            "score": round(cluster.score, 1),
            "message": f"still to do: {', '.join(cluster.remaining)}" if cluster.remaining else "",
            "at": cluster.judged_at,
        }
        for verdict in cluster.verdicts:
            control = by_id.get(verdict.control)
            yield {
                "kind": "verdict",
                **about,
                "control": verdict.control,
                "control_title": control.title if control else "",
                "status": verdict.status,
                "severity": verdict.severity,
                "reason": verdict.reason,
                "message": verdict.message,
                "remedy": verdict.remedy,
                "since": verdict.since,
                "expires": verdict.expires,
                "at": cluster.judged_at,
                "evidence": _evidence(cluster, control.rests_on if control else ()),
                "sources": sources[control.id] if control else "",
            }
    for finding in summary.findings:
        control = by_id.get(finding.control)
        yield {
            "kind": "finding",
            "subject": finding.subject,
            "control": finding.control,
            "control_title": control.title if control else "",
            "status": finding.status,
            "severity": finding.severity,
            "reason": finding.reason,
            "message": finding.message,
            "remedy": finding.remedy,
            "since": finding.since,
            "at": summary.ended_at,
        }
    for source in summary.sources:
        yield {
            "kind": "source",
            "name": source.name,
            "message": source.error or f"{source.rows} rows",
            "at": source.at,
            "request_ids": " ".join(source.request_ids),
        }


def _about(cluster: JudgedCluster, subscription_name: str) -> dict[str, FactValue | datetime]:
    return {
        "subject": cluster.cluster_id,
        "name": cluster.name,
        "subscription": cluster.subscription_id,
        "subscription_name": subscription_name,
        "resource_group": cluster.resource_group,
        "location": cluster.location,
        "team": cluster.team,
        "profile": cluster.profile,
        "mode": cluster.mode,
    }


def _evidence(cluster: JudgedCluster, names: Iterable[str]) -> str:
    return "; ".join(f"{name}={_written(cluster.facts.get(name))}" for name in names)
