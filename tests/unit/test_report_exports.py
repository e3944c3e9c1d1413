"""Exports: whole, well-formed, with their evidence, and harmless whatever names people give."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.domain.compliance import Finding
from shared.report import csv_export, json_export, junit, markdown
from shared.report.snapshot import Snapshot
from tests.conftest import CHECKOUT
from tests.contract.http_api_world import (
    CLUSTERS,
    CONTROLS,
    FINDING,
    HOSTILE,
    SOURCES,
    hostile_clusters,
    judged,
    snapshot_of,
    summary_of,
)

SCHEMA: Path = CHECKOUT / "docs" / "schemas" / "sweep.json"


def hostile() -> Snapshot:
    """Hostile text in every place where a person can write."""
    findings = tuple(Finding("own-control", text, "NonCompliant", "Error", "R", text, text) for text in HOSTILE)
    tallies = {text: summary_of().overall for text in HOSTILE}
    names = dict.fromkeys(summary_of().subscription_names, HOSTILE[0])
    sources = tuple(replace(SOURCES[0], name=text, error=text, request_ids=(text,)) for text in HOSTILE)
    return snapshot_of(
        hostile_clusters(), findings=findings, by_team=tallies, subscription_names=names, sources=sources
    )


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def test_csv_has_a_row_for_each_cluster_verdict_finding_and_question() -> None:
    text = csv_export.render(snapshot_of(), CONTROLS)
    rows = rows_of(text)
    assert Counter(row["kind"] for row in rows) == {"cluster": 3, "verdict": 4, "finding": 1, "source": 3}
    assert [row["subject"] for row in rows if row["kind"] == "cluster"] == [c.cluster_id for c in CLUSTERS]
    [failing] = [row for row in rows if row["status"] == "NonCompliant" and row["kind"] == "verdict"]
    assert failing["subscription_name"] == "Production"
    assert failing["since"] == "2026-02-26T12:00:00Z"
    assert failing["evidence"] == "instances=; instance=; protection_state="
    [protected] = [row for row in rows if row["name"] == "beta" and row["kind"] == "verdict"]
    assert "instance=/vault/instance; protection_state=ProtectionConfigured" in protected["evidence"]
    assert (protected["sources"], protected["at"]) == ("instances", "2026-03-01T04:00:00Z")
    [asked] = [row for row in rows if row["kind"] == "source" and row["name"] == "instances"]
    assert (asked["request_ids"], asked["at"]) == ("id-1 id-2", "2026-03-01T04:00:00Z")
    assert [row["message"] for row in rows if row["kind"] == "source"][2] == "429 TooManyRequests"


def test_csv_is_as_rfc_4180_and_excel_want_it() -> None:
    text = csv_export.render(hostile(), CONTROLS)
    assert text.startswith("\ufeff")
    assert text.encode().startswith(b"\xef\xbb\xbf")
    outside_quotes = re.sub(r'"(?:[^"]|"")*"', "", text.removeprefix("\ufeff"))
    assert set(outside_quotes) == {",", "\r", "\n"}
    assert outside_quotes.replace("\r\n", "").count("\n") == 0


def test_no_cell_of_the_csv_begins_a_formula_or_hides_a_letter() -> None:
    rows = rows_of(csv_export.render(hostile(), CONTROLS))
    assert len(rows) == 4 * len(HOSTILE) + len(HOSTILE)
    for row in rows:
        assert None not in row, "no cell broke out of its row"
        for cell in row.values():
            assert cell.lstrip()[:1] not in {"=", "+", "-", "@", "＝", "＋", "－", "＠"}
            assert not set(cell) & set("\t\r\n\x00\x1b\u202e")
    names = [row["name"] for row in rows if row["kind"] == "cluster"]
    assert names[0] == "'" + HOSTILE[0], "what it says stays"
    assert "\\u202egnp.exe" in names
    assert "n" * 250 in names


@pytest.mark.parametrize("value", [-1, -0.5, True, None, ("-a", "=b"), "-", "  =1", "plain, with comma"])
def test_a_cell_is_text_or_a_number(value: Any) -> None:
    cell = csv_export.cell(value)
    if isinstance(value, int | float):
        assert cell == str(value)
    else:
        assert cell.lstrip()[:1] not in {"=", "-"}


def test_the_published_schema_is_current_and_valid() -> None:
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert published == json_export.schema(), "python -m shared.report.json_export > docs/schemas/sweep.json"
    Draft202012Validator.check_schema(published)


@pytest.mark.parametrize("snapshot", [snapshot_of(), hostile(), snapshot_of(())], ids=["fleet", "hostile", "empty"])
def test_json_is_as_the_schema_says_and_says_everything(snapshot: Snapshot) -> None:
    document = json.loads(json_export.render(snapshot, CONTROLS))
    validator = Draft202012Validator(json_export.schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert list(validator.iter_errors(document)) == []
    assert [cluster["clusterId"] for cluster in document["clusters"]] == [c.cluster_id for c in snapshot.clusters]
    for told, cluster in zip(document["clusters"], snapshot.clusters, strict=True):
        assert (told["name"], told["team"], told["score"]) == (cluster.name, cluster.team, cluster.score)
        assert [verdict["status"] for verdict in told["verdicts"]] == [v.status for v in cluster.verdicts]
        assert set(told["facts"]) == set(cluster.facts)


def test_the_schema_refuses_what_is_not_a_sweep() -> None:
    validator = Draft202012Validator(json_export.schema())
    document = json.loads(json_export.render(snapshot_of(), CONTROLS))
    spoils: tuple[Callable[[Any], object], ...] = (
        lambda d: d["clusters"][0].update(score="100"),
        lambda d: d["clusters"][0]["verdicts"][0].update(status="Fine"),
        lambda d: d["sweep"].pop("sources"),
    )
    for spoil in spoils:
        spoiled = json.loads(json.dumps(document))
        spoil(spoiled)
        assert list(validator.iter_errors(spoiled))


def test_json_leads_from_each_verdict_to_its_facts_times_and_request_ids() -> None:
    document = json.loads(json_export.render(snapshot_of(), CONTROLS))
    controls = {control["id"]: control for control in document["controls"]}
    sources = {source["name"]: source for source in document["sweep"]["sources"]}
    cluster = document["clusters"][0]
    control = controls[cluster["verdicts"][0]["control"]]
    facts = {name: cluster["facts"][name] for name in control["restsOn"]}
    assert facts["protection_state"] == "ProtectionConfigured"
    assert facts["instances"] == ["/vault/instance"]
    asked = [sources[name] for name in control["sources"]]
    assert [(one["at"], one["requestIds"]) for one in asked] == [("2026-03-01T04:00:00Z", ["id-1", "id-2"])]


def test_markdown_says_the_sums_and_who_needs_somebody() -> None:
    text = markdown.render(snapshot_of(), CONTROLS)
    assert "| **all** | 3 | 1 | 1 | 0 | 1 | 55.0 |" in text
    assert "| alpha | Production | blue | No | 10 | A backup instance protects the cluster (NonCompliant" in text
    assert "| beta |" not in text, "it needs nobody"
    assert FINDING.message in text


def test_markdown_of_a_fleet_without_trouble_says_so() -> None:
    assert "No cluster needs anybody." in markdown.render(snapshot_of((judged("a"),), findings=()), CONTROLS)


def test_markdown_leaves_clusters_out_but_not_in_silence() -> None:
    many = tuple(replace(CLUSTERS[1], name=f"c{n}", cluster_id=f"/c{n}") for n in range(1234))
    text = markdown.render(snapshot_of(many), CONTROLS)
    assert "1,034 more" in text
    assert len(text.splitlines()) < 300


def test_foreign_text_in_markdown_is_nothing_but_text() -> None:
    text = markdown.render(hostile(), CONTROLS)
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# Could the clusters be restored today?",
        "## By team",
        "## By subscription",
        "## By region",
        "## By control",
        "## Clusters that need somebody",
        "## About the fleet",
    ]
    assert all(line == "" or line[0] in "#|S" or line.endswith(".") for line in lines)
    columns = Counter(line.count("|") for line in lines if line.startswith("|"))
    assert set(columns) == {8, 4, 7, 6}, "no cell broke out of its row"
    for markup in ("<", ">", "`", "](", "http://", "https://", "www.", "@", "\u202e", "\x1b"):
        assert markup not in text
    assert "&#60;script&#62;" in text
    assert "&#64;&#8203;everyone &#35;&#8203;1" in text, "who reads it as letters again finds nobody to call"


@pytest.mark.parametrize("snapshot", [snapshot_of(), hostile(), snapshot_of(())], ids=["fleet", "hostile", "empty"])
def test_junit_is_well_formed_and_counts_right(snapshot: Snapshot) -> None:
    root = ET.fromstring(junit.render(snapshot, CONTROLS).encode())  # noqa: S314 - written here
    found: Counter[str] = Counter(verdict.status for cluster in snapshot.clusters for verdict in cluster.verdicts)
    found.update(finding.status for finding in snapshot.summary.findings)
    elements = {"failure": "NonCompliant", "error": "Unknown", "skipped": "Exempt"}
    for element, status in elements.items():
        assert len(root.findall(f"./testsuite/testcase/{element}")) == found[status]
    for part in (root, *root.findall("testsuite")):
        cases = part.findall(".//testcase")
        assert int(part.attrib["tests"]) == len(cases)
        for element, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(part.attrib[attribute]) == sum(case.find(element) is not None for case in cases)
    assert root.tag == "testsuites"


def test_junit_names_controls_and_clusters_and_says_what_to_do() -> None:
    root = ET.fromstring(junit.render(snapshot_of(), CONTROLS).encode())  # noqa: S314 - written here
    suite = root.find("./testsuite[@id='protected-by-an-instance']")
    assert suite is not None
    assert suite.attrib["name"] == "A backup instance protects the cluster"
    assert [case.attrib["name"] for case in suite] == ["beta", "alpha", "gamma"]
    assert suite[1].attrib["classname"] == "Production/apps"
    failure = suite[1].find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "There is none. Do it.", "type": "NotProtected"}


def test_hostile_text_in_junit_stays_text() -> None:
    text = junit.render(hostile(), CONTROLS)
    assert "\u202e" not in text
    names = {case.attrib["name"] for case in ET.fromstring(text.encode()).iter("testcase")}  # noqa: S314
    assert "<script>alert(1)</script>" in names
    assert '", "b": 1, "' in names
    assert "n" * 250 in names
