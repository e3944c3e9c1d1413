"""What `sweep --output json` writes piece by piece is the document that the schema describes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.json_lines import lines
from shared.domain.compliance import Finding, JudgedCluster, SweepSummary, Tally, Verdict
from shared.domain.fleet import Source
from shared.plan.compliance.catalogue import CONTROLS
from shared.report.json_export import render
from shared.report.snapshot import Snapshot

NOW = datetime(2026, 3, 1, 12, 30, 1, 250, tzinfo=UTC)
HOSTILE = 'a "clusters": [ \\ \u202e\x1b[31m<script>é\U0001f600'
GOOD = Verdict("protected", "Compliant", "Critical")
BAD = Verdict("roles-present", "NonCompliant", "Error", "RoleMissing", HOSTILE, "Do this.", NOW, None)
OUT = Verdict("roles-present", "Exempt", expires=NOW)
FACTS: dict[str, Any] = {"a": None, "b": True, "c": 1, "d": 0.5, "e": HOSTILE, "f": ("x", "y"), "g": ()}


def cluster(number: int) -> JudgedCluster:
    return JudgedCluster(
        cluster_id=f"/clusters/{number}",
        name=f"aks-{number}",
        subscription_id="sub",
        resource_group="RG",
        location="westeurope",
        team=HOSTILE,
        profile="standard",
        mode="enforce",
        verdicts=(GOOD, BAD, OUT),
        facts=FACTS,
        score=66.7,
        restorable="No",
        remaining=("StartBackup",),
        judged_at=NOW,
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_pieces_are_the_document(count: int) -> None:
    findings = (Finding("orphaned-instance", HOSTILE, "NonCompliant", "Warning", "Orphaned", "Message."),)
    sources = (Source("clusters", NOW, ("one", "two"), 3),)
    summary = SweepSummary("20260301T123001Z-x", NOW, NOW, 3, Tally(count), findings=findings, sources=sources)
    snapshot = Snapshot(summary, tuple(cluster(number) for number in range(count)))

    written = "".join(lines(snapshot, CONTROLS))

    assert written.isascii()
    assert json.loads(written) == json.loads(render(snapshot, CONTROLS))
    assert len(json.loads(written)["clusters"]) == count
