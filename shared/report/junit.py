"""A sweep as JUnit XML, which every pipeline shows: a test suite for each control, a test case for each cluster."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC
from xml.sax.saxutils import quoteattr

from shared.domain.compliance import Finding, Verdict, VerdictStatus
from shared.plan.compliance.control import Control
from shared.report.snapshot import Snapshot

_ELEMENTS: dict[VerdictStatus, str] = {"NonCompliant": "failure", "Unknown": "error", "Exempt": "skipped"}
_NOT_WRITTEN = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
"""What XML 1.0 has no place for, and what turns the direction of writing round or hides."""

type _Case = tuple[str, Verdict | Finding]
"""The attributes that name it, and what was found."""


def render(snapshot: Snapshot, controls: Sequence[Control]) -> str:
    """NonCompliant is a failure, Unknown an error, Exempt skipped. Findings about the fleet are cases of their
    control's suite."""
    summary = snapshot.summary
    suites: dict[str, list[_Case]] = {control.id: [] for control in controls}
    for cluster in snapshot.clusters:
        where = summary.subscription_names.get(cluster.subscription_id, cluster.subscription_id)
        named = _attributes(name=cluster.name, classname=f"{where}/{cluster.resource_group}")
        for verdict in cluster.verdicts:
            suites.setdefault(verdict.control, []).append((named, verdict))
    for finding in summary.findings:
        named = _attributes(name=finding.subject, classname="fleet")
        suites.setdefault(finding.control, []).append((named, finding))
    titles = {control.id: control.title for control in controls}
    at = summary.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    cases = [case for suite in suites.values() for case in suite]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {_attributes(name=summary.sweep_id)} {_counts(cases)}>",
    ]
    for control, suite in suites.items():
        if suite:
            named = _attributes(name=titles.get(control, control), id=control, timestamp=at)
            lines += [f"<testsuite {named} {_counts(suite)}>", *_cases(suite), "</testsuite>"]
    return "\n".join([*lines, "</testsuites>", ""])


def _cases(suite: Sequence[_Case]) -> Iterator[str]:
    for named, found in suite:
        element = _ELEMENTS.get(found.status)
        if element is None:
            yield f"<testcase {named}/>"
            continue
        message = " ".join(part for part in (found.message, found.remedy) if part)
        said = _attributes(message=message) if element == "skipped" else _attributes(message=message, type=found.reason)
        yield f"<testcase {named}><{element} {said}/></testcase>"


def _counts(cases: Sequence[_Case]) -> str:
    statuses = [found.status for _, found in cases]
    return _attributes(
        tests=len(cases),
        failures=statuses.count("NonCompliant"),
        errors=statuses.count("Unknown"),
        skipped=statuses.count("Exempt"),
    )


def _attributes(**values: str | int) -> str:
    return " ".join(f"{name}={quoteattr(_written(str(value)))}" for name, value in values.items())


def _written(text: str) -> str:
    return _NOT_WRITTEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
