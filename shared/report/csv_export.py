"""A sweep as CSV for a spreadsheet: a row for each cluster and for each of its verdicts, then the findings and the
questions to Azure that it all rests on. RFC 4180, with the byte order mark that tells Excel it is UTF-8."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain

from shared.domain.compliance import FactValue, Finding, JudgedCluster, Verdict
from shared.plan.compliance.control import Control
from shared.report.evidence import source_names
from shared.report.snapshot import Snapshot

_ABOUT = (
    "subject",
    "name",
    "subscription",
    "subscription_name",
    "resource_group",
    "location",
    "team",
    "profile",
    "mode",
)
_FOUND = (
    "control",
    "control_title",
    "status",
    "severity",
    "reason",
    "message",
    "remedy",
    "since",
    "expires",
    "restorable",
    "score",
    "at",
    "evidence",
    "sources",
    "request_ids",
)
COLUMNS = ("kind", *_ABOUT, *_FOUND)
"""`kind` is cluster, verdict, finding or source."""
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet may take for the beginning of a formula (OWASP: CSV injection)."""
_UNSEEN = frozenset({"Cf", "Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that turn the direction of writing round, break lines or hide."""
_SHORT = 120
_LONGEST = 32_000
"""Characters of one cell; Excel takes 32,767."""


def render(snapshot: Snapshot, controls: Sequence[Control]) -> str:
    """A cell that would begin a formula begins with an apostrophe; characters that nobody sees are written out."""
    lines = chain([_line(COLUMNS)], _clusters(snapshot, controls), _fleet(snapshot, controls), [""])
    return "\ufeff" + "\r\n".join(lines)


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


def _clusters(snapshot: Snapshot, controls: Sequence[Control]) -> Iterator[str]:
    names = snapshot.summary.subscription_names
    known = {control.id: control for control in controls}
    sources = {control.id: ", ".join(source_names(control)) for control in controls}
    for cluster in snapshot.clusters:
        about = _line(
            (
                cluster.cluster_id,
                cluster.name,
                cluster.subscription_id,
                names.get(cluster.subscription_id, ""),
                cluster.resource_group,
                cluster.location,
                cluster.team,
                cluster.profile,
                cluster.mode,
            )
        )
        at = cluster.judged_at
        todo = f"still to do: {', '.join(cluster.remaining)}" if cluster.remaining else ""
        score = round(cluster.score, 1)
        yield f'"cluster",{about},{_found(message=todo, restorable=cluster.restorable, score=score, at=at)}'
        for verdict in cluster.verdicts:
            control = known.get(verdict.control)
            evidence = _evidence(cluster, control.rests_on) if control else ""
            found = _judged(verdict, control, at=at, evidence=evidence, sources=sources.get(verdict.control, ""))
            yield f'"verdict",{about},{found}'


def _fleet(snapshot: Snapshot, controls: Sequence[Control]) -> Iterator[str]:
    summary, known = snapshot.summary, {control.id: control for control in controls}
    for finding in summary.findings:
        about = _line((finding.subject, *[""] * (len(_ABOUT) - 1)))
        yield f'"finding",{about},{_judged(finding, known.get(finding.control), at=summary.ended_at)}'
    for source in summary.sources:
        about = _line(("", source.name, *[""] * (len(_ABOUT) - 2)))
        ids, said = " ".join(source.request_ids), source.error or f"{source.rows} rows"
        yield f'"source",{about},{_found(message=said, at=source.at, request_ids=ids)}'


def _judged(verdict: Verdict | Finding, control: Control | None, **more: FactValue | datetime) -> str:
    return _found(
        control=verdict.control,
        control_title=control.title if control else "",
        status=verdict.status,
        severity=verdict.severity,
        reason=verdict.reason,
        message=verdict.message,
        remedy=verdict.remedy,
        since=verdict.since,
        expires=verdict.expires if isinstance(verdict, Verdict) else None,
        **more,
    )


def _found(**cells: FactValue | datetime) -> str:
    return _line([cells.get(name) for name in _FOUND])


def _line(values: Iterable[FactValue | datetime]) -> str:
    return ",".join([_quoted(value) for value in values])


def _quoted(value: FactValue | datetime) -> str:
    return f'"{cell(value).replace('"', '""')}"' if isinstance(value, str) and len(value) > _SHORT else _word(value)


@lru_cache(maxsize=20_000, typed=True)
def _word(value: FactValue | datetime) -> str:
    """The same words come again and again, in hundreds of thousands of rows."""
    return f'"{cell(value).replace('"', '""')}"'


def _evidence(cluster: JudgedCluster, names: Iterable[str]) -> str:
    facts = cluster.facts
    return "; ".join([f"{name}={_written(facts.get(name))}" for name in names])
