"""The queries of the alert rules, of the workbook and of the documentation: KQL over the tables of Application
Insights, about metrics that the app has, and firing when they must."""

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.hooks import monitored, predown
from shared.telemetry.catalogue import METRICS
from simulator.kql.engine import Engine
from simulator.kql.tables import Table, View
from simulator.providers.resource_graph.limits import understood
from simulator.providers.resource_graph.tables import TABLES as GRAPH_TABLES
from tests.kql.language_service import diagnostics

HEALTH = Path(__file__).parents[2] / "infra" / "health"
NOW = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - the engine's have no zone
LONG_AGO = "2026-01-01T00:00:00Z"

_STANDARD = {"TimeGenerated": "datetime", "OperationId": "string", "Properties": "dynamic", "_ResourceId": "string"}
_METRIC = {"Name": "string", "Sum": "real", "Min": "real", "Max": "real", "ItemCount": "int"}
TABLES = (
    Table("AppMetrics", {**_STANDARD, **_METRIC}),
    Table("AppTraces", {**_STANDARD, "Message": "string", "SeverityLevel": "int"}),
    Table("AppRequests", _STANDARD),
    Table("AppDependencies", _STANDARD),
    Table("AppExceptions", {**_STANDARD, "OuterMessage": "string", "ExceptionType": "string", "SeverityLevel": "int"}),
)
"""Of the Azure Monitor table reference: what the queries need of it, and what they could mistake it for."""
ALL_TABLES = {table.name: table for table in (*TABLES, *GRAPH_TABLES.values())}
RULES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((HEALTH / "queries").glob("*.kql"))}
WORKBOOK = json.loads((HEALTH / "workbook.json").read_text(encoding="utf-8"))
PANELS = {item["name"]: item["content"] for item in WORKBOOK["items"] if item["type"] == 3}
ABOUT_METRICS = RULES | {name: panel["query"] for name, panel in PANELS.items() if "AppMetrics" in panel["query"]}


def filled(text: str, deployed_at: str = LONG_AGO) -> str:
    """As Azure runs it."""
    return text.replace("{deployedAt}", deployed_at).replace("{TimeRange:grain}", "1h")


def tables_of(text: str) -> list[Table]:
    return [table for name, table in ALL_TABLES.items() if re.search(rf"\b{name}\b", text)]


def answer(text: str, rows: Iterable[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """`rows` are those of AppMetrics."""
    engine = Engine()
    tables = tables_of(text)
    for table in tables:
        engine.create(table.name + "_rows", table)
    found = {str(number): json.dumps(row) for number, row in enumerate(rows)}
    if found:
        engine.put("AppMetrics_rows", found)
    result = engine.query(text, [View(table, table.name + "_rows") for table in tables], NOW)
    return [dict(zip((name for name, _ in result.columns), row, strict=True)) for row in result.rows]


def metric(name: str, minutes_ago: float, value: float = 1, **attributes: str) -> dict[str, Any]:
    """A row as the exporter makes it; refuses what the catalogue does not have."""
    declared = next(each for each in METRICS if each.name == f"aks_backup_guard.{name}")
    at = (NOW - timedelta(minutes=minutes_ago)).isoformat() + "Z"
    properties = declared.series(attributes)
    return {"TimeGenerated": at, "Name": declared.name, "Sum": value, "ItemCount": 1, "Properties": properties}


def complaints(queries: dict[str, str]) -> dict[str, list[str]]:
    found = diagnostics({name: filled(text) for name, text in queries.items()}, tuple(ALL_TABLES.values()))
    return {name: [f"{each.code} {each.text}" for each in said] for name, said in found.items() if said}


def unknown_words(text: str) -> list[str]:
    """Names of metrics, attributes and values in a query that the catalogue does not have."""
    code = re.sub(r"//[^\n]*", "", text)
    literals = [literal for literal in re.findall(r'"([^"]*)"', code) if re.fullmatch(r"[\w.]+", literal)]
    names = [literal for literal in literals if literal.startswith("aks_backup_guard.") and literal[17:]]
    metrics = [each for each in METRICS if each.name in names]
    declared = [attribute for each in metrics for attribute in each.attributes]
    attributes = {each.name for each in declared}
    used = set(re.findall(r"Properties\.(\w+)", code)) | set(re.findall(r'Properties\["(\w+)"\]', code))
    values = {value for each in declared for value in each.values}
    others = set(literals) - set(names) - attributes - values - {"aks_backup_guard."}
    return sorted({*(set(names) - {each.name for each in metrics}), *(used - attributes), *others})


def test_the_language_service_finds_nothing() -> None:
    assert len(RULES) >= 5
    assert len(PANELS) >= 8
    pages = (HEALTH.parents[1] / "docs").glob("*.md")
    blocks = [
        (page.name, re.findall(r"```kql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)) for page in pages
    ]
    shown = {f"{name} {number}": text for name, texts in blocks for number, text in enumerate(texts)}
    assert "telemetry.md 0" in shown
    assert complaints(RULES | shown | {name: panel["query"] for name, panel in PANELS.items()}) == {}


def test_the_language_service_finds_what_is_planted() -> None:
    planted = RULES["no-sweep"].replace("TimeGenerated", "TimeGenerate", 1)
    assert complaints({"planted": planted, "right": RULES["no-sweep"]}) == {"planted": ["KS142 TimeGenerate"]}


@pytest.mark.parametrize("name", list(ABOUT_METRICS))
def test_it_is_about_what_the_app_tells(name: str) -> None:
    assert "aks_backup_guard." in ABOUT_METRICS[name]
    assert unknown_words(ABOUT_METRICS[name]) == []


def test_an_unknown_word_is_found() -> None:
    text = RULES["no-sweep"]
    assert unknown_words(text.replace("guard.sweeps", "guard.swept")) == [
        "aks_backup_guard.swept",
        "complete",
        "outcome",
    ]
    assert unknown_words(text.replace('"complete"', '"completed"')) == ["completed"]
    assert unknown_words(text.replace("Properties.outcome", "Properties.result")) == ["result"]


def test_the_rules_are_the_queries_and_look_far_enough() -> None:
    text = (HEALTH / "alert-rules.bicep").read_text(encoding="utf-8")
    windows = dict(re.findall(r"loadTextContent\('queries/([\w-]+)\.kql'\)\s+window: '(\w+)'", text))
    assert windows.keys() == RULES.keys()
    for name, window in windows.items():
        ranges = [
            minutes(number, unit) for number, unit in re.findall(r"TimeGenerated > ago\((\d+)(\w)\)", RULES[name])
        ]
        assert len(ranges) == 1, name
        number, unit = re.findall(r"(\d+)([MHD])", window)[0]
        assert minutes(number, unit) >= ranges[0], name


def minutes(number: str, unit: str) -> int:
    return int(number) * {"m": 1, "h": 60, "d": 1440}[unit.lower()]


ALIVE = [metric("sweep_age", ago, 3600) for ago in range(1, 47 * 60, 5)]
"""An app that runs as it should, with nothing to do, for two days."""
SWEPT = metric("sweeps", 7 * 60, outcome="complete")
EVENT = metric("events", 30, function="cluster_events", outcome="taken")


def look(ago: float, outcome: str) -> dict[str, Any]:
    return metric("reconciles", ago, subject="cluster", outcome=outcome)


def deliveries(outcome: str, *minutes_ago: float) -> list[dict[str, Any]]:
    return [metric("deliveries", ago, outcome=outcome) for ago in minutes_ago]


def throttled(by: str, *minutes_ago: float) -> list[dict[str, Any]]:
    return [metric("throttles", ago, quota="reads", by=by) for ago in minutes_ago]


CASES: dict[str, tuple[str, list[dict[str, Any]], int]] = {
    "nothing is poisoned": ("poison-messages", ALIVE, 0),
    "a poison message": ("poison-messages", [metric("poison_messages", 16, queue="notify")], 1),
    "an old poison message": ("poison-messages", [metric("poison_messages", 31, queue="notify")], 0),
    "no rows, so no sweep": ("no-sweep", [], 1),
    "no sweep in an app that runs for long": ("no-sweep", ALIVE, 1),
    "swept this morning": ("no-sweep", [*ALIVE, SWEPT], 0),
    "swept yesterday morning only": ("no-sweep", [*ALIVE, metric("sweeps", 26 * 60 + 1, outcome="complete")], 1),
    "a sweep that was never done": ("no-sweep", [*ALIVE, metric("sweeps", 60, outcome="partial")], 1),
    "swept, then silent": ("no-sweep", [SWEPT], 0),
    "no rows, so no look": ("no-reconcile", [], 1),
    "a fleet at rest": ("no-reconcile", ALIVE, 0),
    "a fleet at rest, before the first sweep": ("no-reconcile", [metric("roll_calls", 64, outcome="complete")], 0),
    "the timer is silent": ("no-reconcile", ALIVE[15:], 1),
    "the timer is silent, though there are looks": ("no-reconcile", [look(5, "at_rest"), look(100, "acted")], 1),
    "an event and no look": ("no-reconcile", [*ALIVE, EVENT], 1),
    "an event and a look": ("no-reconcile", [*ALIVE, EVENT, look(29, "acted")], 0),
    "an event just now": (
        "no-reconcile",
        [*ALIVE, metric("events", 1, function="cluster_events", outcome="taken")],
        0,
    ),
    "an event that is not ours": (
        "no-reconcile",
        [*ALIVE, metric("events", 30, function="cluster_events", outcome="ignored")],
        0,
    ),
    "every look fails": ("no-reconcile", [*ALIVE, look(20, "failed"), look(10, "failed")], 1),
    "some looks fail": ("no-reconcile", [*ALIVE, look(20, "failed"), look(10, "at_rest")], 0),
    "no deliveries": ("failed-deliveries", [], 0),
    "everything is delivered": ("failed-deliveries", deliveries("delivered", 5, 20, 40), 0),
    "it fails once": ("failed-deliveries", deliveries("failed", 20, 21, 22), 0),
    "it keeps failing": ("failed-deliveries", deliveries("failed", 5, 35), 1),
    "it was given up": ("failed-deliveries", deliveries("given_up", 5), 1),
    "it failed long ago": ("failed-deliveries", deliveries("failed", 70, 100), 0),
    "a burst": ("throttled", throttled("azure", 1, 2, 3, 4, 20), 0),
    "throttled for long": ("throttled", throttled("azure", 5, 20, 35, 50), 1),
    "the Guard holds back by itself": ("throttled", throttled("guard", 5, 20, 35, 50), 0),
}


@pytest.mark.parametrize("case", list(CASES))
def test_a_rule_fires_when_it_must(case: str) -> None:
    rule, rows, fires = CASES[case]
    assert answer(filled(RULES[rule]), rows) == [{"fires": fires}]


@pytest.mark.parametrize(("rule", "grace"), [("no-sweep", 26 * 60), ("no-reconcile", 75)])
def test_an_app_that_was_just_deployed_is_not_missed_at_once(rule: str, grace: int) -> None:
    def fires(minutes_ago: float, rows: list[dict[str, Any]]) -> Any:
        deployed_at = (NOW - timedelta(minutes=minutes_ago)).isoformat() + "Z"
        return answer(filled(RULES[rule], deployed_at), rows)[0]["fires"]

    assert (fires(grace - 1, []), fires(grace + 1, [])) == (0, 1)
    heard_of = [metric("job_sources", grace + 5, outcome="read")]
    assert fires(1, heard_of) == 1, "deployed again, it has no second grace"


@pytest.mark.parametrize("name", list(PANELS))
def test_a_panel_of_the_workbook_can_be_answered(name: str) -> None:
    text = filled(PANELS[name]["query"])
    if PANELS[name]["queryType"] == 1:
        text = understood(text, frozenset(GRAPH_TABLES)).text
        assert answer(text) == []
        return
    about = re.search(r'"aks_backup_guard\.(\w+)"', text)
    rows = []
    if about:
        declared = next(each for each in METRICS if each.name == f"aks_backup_guard.{about[1]}")
        rows = [metric(about[1], 5, 7200, **{each.name: each.values[0] for each in declared.attributes})]
    assert len(answer(text, rows)) == len(rows)
    assert answer(text) == []


def test_what_the_hooks_ask_resource_graph_is_allowed_there() -> None:
    asked = {
        "subscriptions": monitored.SUBSCRIPTIONS_BELOW,
        "regions": monitored.REGIONS_OF_CLUSTERS,
        "instances": predown.INSTANCES_OF_CLUSTERS,
        "groups": predown.SNAPSHOT_GROUPS,
    }
    assert complaints(asked) == {}
    for text in asked.values():
        assert answer(understood(text, frozenset(GRAPH_TABLES)).text) == []


def test_the_workbook_is_whole() -> None:
    assert len({item["name"] for item in WORKBOOK["items"]}) == len(WORKBOOK["items"])
    assert {panel["queryType"] for panel in PANELS.values()} == {0, 1}
    assert WORKBOOK["fallbackResourceIds"] == ["{workspaceId}"]
    shown = {name for text in ABOUT_METRICS.values() for name in re.findall(r'"aks_backup_guard\.(\w+)"', text)}
    assert shown >= {"reconciles", "steps", "waits", "throttles", "alerts", "deliveries", "sweep_age"}
