"""The engine answers as Kusto does, or not at all."""

import json
from datetime import datetime
from typing import Any

import pytest

from simulator.kql.engine import Engine
from simulator.kql.errors import NotAnswerable, QuerySemanticError, QuerySyntaxError
from simulator.kql.tables import Result, Table, View

JOBS = Table("Jobs", {"id": "string", "team": "string", "seconds": "long", "at": "datetime", "more": "dynamic"})
NOW = datetime(2026, 1, 2, 12)  # noqa: DTZ001 - the engine's have no zone
ROWS: dict[str, dict[str, Any]] = {
    "a": {"id": "a", "team": "red", "seconds": 10, "at": "2026-01-01T00:00:00.1234567Z", "more": {"n": 1, "e": None}},
    "b": {"id": "b", "team": "Red", "seconds": 20, "at": "2026-01-02T11:30:00Z", "more": {"n": 2, "e": {"x": [1, 2]}}},
    "c": {"id": "c", "team": None, "seconds": None, "at": None, "more": None},
}


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.create("rows", JOBS)
    engine.put("rows", {key: json.dumps(row) for key, row in ROWS.items()})
    return engine


def ask(engine: Engine, text: str, where: str = "true") -> Result:
    return engine.query(text, [View(JOBS, "rows", where)], NOW)


def rows(engine: Engine, text: str) -> list[list[Any]]:
    return ask(engine, text).rows


def test_values_come_back_as_json(engine: Engine) -> None:
    found = ask(engine, "Jobs | where id in ('b', 'c') | extend d = more.e, s = 1h | order by id asc")
    assert found.columns == (
        ("id", "string"),
        ("team", "string"),
        ("seconds", "long"),
        ("at", "datetime"),
        ("more", "dynamic"),
        ("d", "dynamic"),
        ("s", "timespan"),
    )
    assert found.rows == [
        ["b", "Red", 20, "2026-01-02T11:30:00.0000000Z", ROWS["b"]["more"], {"x": [1, 2]}, "01:00:00"],
        ["c", "", None, None, None, None, "01:00:00"],
    ]


def test_the_clock_is_the_callers(engine: Engine) -> None:
    assert rows(engine, "Jobs | where at > ago(1h) | project id, n = now()") == [["b", "2026-01-02T12:00:00.0000000Z"]]


def test_a_translated_query_asks_the_clock_again(engine: Engine) -> None:
    views = [View(JOBS, "rows")]
    text = "Jobs | where at > ago(1h) | count"
    assert engine.query(text, views, NOW).rows == [[1]]
    assert engine.query(text, views, NOW.replace(day=5)).rows == [[0]]


def test_strings_are_never_null(engine: Engine) -> None:
    text = """Jobs | project id | join kind=leftouter (Jobs | where id == 'a' | project id, team, seconds) on id
    | where isnull(seconds) | project id, team, none = isnull(team), empty = team == '' | order by id asc"""
    assert rows(engine, text) == [["b", "", False, True], ["c", "", False, True]]
    assert rows(engine, "Jobs | where isnull(team) | count") == [[0]]
    assert rows(engine, "Jobs | union (Jobs | project id, other = 'x') | where other == '' | count") == [[3]]


def test_a_null_inside_an_object_is_null(engine: Engine) -> None:
    assert rows(engine, "Jobs | where isnull(more.e) | project id | order by id asc") == [["a"], ["c"]]
    assert rows(engine, "Jobs | where isnotnull(more.e) | project id, x = more.e.x[1]") == [["b", 2]]


def test_comparing_without_case(engine: Engine) -> None:
    assert rows(engine, "Jobs | where team =~ 'RED' | count") == [[2]]
    assert rows(engine, "Jobs | where team == 'red' | count") == [[1]]
    assert rows(engine, "Jobs | where tostring(more.n) in~ ('1', '7') | count") == [[1]]


@pytest.mark.parametrize(
    "text",
    [
        "Jobs | project ID",  # names have a case
        "Jobs | project nothing",
        "Jobs | where Team == 'red'",
        "Jobs | summarize count() by more.n",
        "Jobs | extend n = more.n | summarize count() by n",
        "Jobs | distinct more",
        "Jobs | order by more",
        "Jobs | extend n = more.n | join kind=inner (Jobs) on $left.n == $right.id",
        "Jobs | join kind=inner (Jobs | extend id2 = more) on $left.id == $right.id2",
        "jobs | count",
        "rows | count",  # the engine's own tables
        "duckdb_settings | count",
        "database('other').Jobs | count",
        "union *",
        "Jobs | where id in ((Nothing | project id))",
        "Jobs | where seconds == 'many'",
    ],
)
def test_what_kusto_refuses_is_refused(engine: Engine, text: str) -> None:
    with pytest.raises(QuerySemanticError):
        ask(engine, text)


@pytest.mark.parametrize(
    "text",
    [
        "Jobs | mv-apply x = more.e on (take 1)",
        "Jobs | make-series n = count() on at from ago(1d) to now() step 1h",
        "Jobs | project-keep id",
        "Jobs | extend p = prev(id)",
        "Jobs | extend k = bag_keys(more)",
        ".drop table rows",
        "set query_now = datetime(2020-01-01); Jobs | project now()",
    ],
)
def test_what_cannot_be_answered_is_not(engine: Engine, text: str) -> None:
    with pytest.raises(NotAnswerable):
        ask(engine, text)
    assert rows(engine, "Jobs | count") == [[3]]


def test_broken_text(engine: Engine) -> None:
    with pytest.raises(QuerySyntaxError) as broken:
        ask(engine, "Jobs\n| where id ==")
    assert (broken.value.line, broken.value.token) == (2, "<EOF>")


def test_rows_are_replaced_removed_and_hidden(engine: Engine) -> None:
    engine.put("rows", {"a": json.dumps({**ROWS["a"], "seconds": 99}), "d": json.dumps({"id": "d"})})
    engine.remove("rows", ["b", "no such key"])
    assert rows(engine, "Jobs | project id, seconds | order by id asc") == [["a", 99], ["c", None], ["d", None]]
    assert ask(engine, "Jobs | project id | order by id asc", "_key IN ('c', 'd')").rows == [["c"], ["d"]]
    assert ask(engine, "Jobs | join kind=inner (Jobs) on id | count", "_key = 'c'").rows == [[1]]


def test_a_text_is_never_sql(engine: Engine) -> None:
    hostile = "'); DROP TABLE rows; --"
    engine.put("rows", {hostile: json.dumps({"id": hostile})})
    assert rows(engine, f"Jobs | where id == {json.dumps(hostile)} | project id") == [[hostile]]
    engine.remove("rows", [hostile])
    assert rows(engine, "Jobs | count") == [[3]]
