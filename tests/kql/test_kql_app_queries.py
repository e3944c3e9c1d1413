"""Every query the app can send is KQL over the declared tables, is allowed where it is sent, and can be answered."""

import re
from datetime import datetime
from inspect import isfunction
from pathlib import Path

import pytest

from cli.doctor import reading
from shared.observe import fleet_queries, queries
from shared.observe.queries import Query
from simulator.kql.engine import Engine
from simulator.kql.errors import QuerySyntaxError
from simulator.kql.tables import Table, View
from simulator.loganalytics.tables import TABLES as LOG_TABLES
from simulator.providers.resource_graph.limits import Refused, understood
from simulator.providers.resource_graph.tables import TABLES as GRAPH_TABLES
from tests.kql.language_service import diagnostics

WRITTEN = (*queries.QUERIES, *fleet_queries.QUERIES)
QUERIES = (*WRITTEN, Query("locations of clusters", "resource-graph", reading.CLUSTER_LOCATIONS))
GRAPH_NAMES = frozenset(GRAPH_TABLES)
TABLES = {"log-analytics": tuple(LOG_TABLES.values()), "resource-graph": tuple(GRAPH_TABLES.values())}
_ROOT = Path(queries.__file__).parents[2]
NOW = datetime(2026, 3, 2)  # noqa: DTZ001 - the engine's have no zone


def named(query: Query) -> str:
    return f"{query.language}-{query.name}".replace(" ", "-")


def complaints(language: str, texts: dict[str, str]) -> dict[str, list[str]]:
    found = diagnostics(texts, TABLES[language])
    return {name: [f"{each.code} {each.text}" for each in said] for name, said in found.items()}


def answered(text: str, tables: tuple[Table, ...]) -> list[str]:
    """The columns of the answer over empty tables."""
    engine = Engine()
    for table in tables:
        engine.create(table.name + "_rows", table)
    result = engine.query(text, [View(table, table.name + "_rows") for table in tables], NOW)
    return [name for name, _ in result.columns]


@pytest.mark.parametrize("language", list(TABLES))
def test_the_language_service_finds_nothing(language: str) -> None:
    asked = {query.name: query.text for query in QUERIES if query.language == language}
    assert asked, "the app asks nothing in this language: is the list still whole?"
    assert complaints(language, asked) == {name: [] for name in asked}


@pytest.mark.parametrize("query", QUERIES, ids=named)
def test_it_can_be_answered(query: Query) -> None:
    text = query.text
    if query.language == "resource-graph":
        text = understood(text, GRAPH_NAMES).text
    assert answered(text, TABLES[query.language]) != []


def test_the_list_is_whole() -> None:
    """A query that stands elsewhere, or is not on the list, would be sent unchecked."""
    modules = {queries.__name__, fleet_queries.__name__}
    own = {name: found for name, found in (vars(queries) | vars(fleet_queries)).items() if isfunction(found)}
    writers = {name for name in own if own[name].__module__ in modules and name[0] != "_"} - {"literal"}
    assert len(WRITTEN) == len({query.text for query in WRITTEN}) == len(writers)
    stages = re.compile(r"\|\s*(where|project|extend|summarize|join|union|mv-expand|take|order by)\b")
    app = [path for folder in ("shared", "functions", "cli") for path in (_ROOT / folder).rglob("*.py")]
    found = {path.name for path in app if stages.search(path.read_text(encoding="utf-8"))}
    examples = {"handbook.py", "described.py"}  # in docs/controls.md and docs/telemetry.md, checked as such
    assert found == {"fleet_queries.py", "queries.py", "reading.py"} | examples


PLANTED = {
    "an unknown column": ("AddonAzureBackupJobs | project JobSatus", ["KS142 JobSatus"]),
    "an unknown table": ("AddonAzureBackupJob | count", ["KS204 AddonAzureBackupJob"]),
    "a wrong type": ("AddonAzureBackupJobs | where JobDurationInSecs has 'a'", ["KS106 has"]),
    "a dynamic key": ("AddonAzureBackupJobs | summarize count() by ExtendedProperties", ["KS116 ExtendedProperties"]),
    "no query": ("AddonAzureBackupJobs | where", ["KS006 "]),
    "nothing wrong": ("AddonAzureBackupJobs | where JobStatus =~ 'Failed' | count", []),
}


def test_the_language_service_finds_what_is_planted() -> None:
    found = complaints("log-analytics", {name: text for name, (text, _) in PLANTED.items()})
    assert found == {name: expected for name, (_, expected) in PLANTED.items()}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("resources | mv-apply x = properties.list on (take 1)", "UnsupportedOperator"),
        ("resources | make-series n = count() on id from 1 to 9 step 1", "UnsupportedOperator"),
        ("resources | sample 3", "UnsupportedOperator"),
        ("resources | lookup (resourcecontainers) on id", "UnsupportedOperator"),
        ("resources | project-rename a = id", "UnsupportedOperator"),
        ("resources | evaluate bag_unpack(properties)", "UnsupportedOperator"),
        ("print 1", "UnsupportedOperator"),
        ("let x = 1; resources | take x", "ParserFailure"),
        ("set query_now = datetime(2026-01-01); resources", "ParserFailure"),
        ("resources | where id == toscalar(resources | project id | take 1)", "UnsupportedFunction"),
        ("datatable(a: string)['x']", "UnsupportedFunction"),
        ("resources | join kind=leftanti (resources) on id", "UnsupportedJoinFlavor"),
        ("resources | join kind=leftsemi resources on id", "UnsupportedJoinFlavor"),
        ("resources | join kind=inner hint.strategy=broadcast (resources) on id", "UnsupportedJoinStrategy"),
        ("resources" + " | join (resources) on id" * 4, "DisallowedMaxNumberOfOperators"),
        ("resources" + " | union (resourcecontainers)" * 4, "DisallowedMaxNumberOfOperators"),
        ("resources" + " | mv-expand properties" * 4, "DisallowedMaxNumberOfOperators"),
    ],
)
def test_resource_graph_refuses_what_is_only_kusto(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        understood(text, GRAPH_NAMES)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "position"), [("where where", (1, 11)), ("resources |", (1, 11)), ("resources\n| where", (2, 7))]
)
def test_resource_graph_says_where_a_text_breaks(text: str, position: tuple[int, int]) -> None:
    with pytest.raises(QuerySyntaxError) as broken:
        understood(text, GRAPH_NAMES)
    assert (broken.value.line, broken.value.column, broken.value.token) == (*position, "<EOF>")


def test_resource_graph_takes_tables_in_any_case_and_resources_for_granted() -> None:
    text = "where type =~ 'Resources' | join kind=inner (RecoveryServicesResources | project id) on id"
    text += " | join kind=leftouter ResourceContainers on id"
    found = understood(text, GRAPH_NAMES)
    assert found.tables == {"resources", "recoveryservicesresources", "resourcecontainers"}
    assert "'Resources'" in found.text
    assert answered(found.text, TABLES["resource-graph"])
    assert understood("resources" + " | join (resources) on id" * 3, GRAPH_NAMES).tables == {"resources"}
