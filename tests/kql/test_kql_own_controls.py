"""The queries that guard.yaml and docs/controls.md show as controls of one's own are ones that Azure would answer."""

import textwrap
from datetime import datetime
from pathlib import Path

import pytest

from shared.plan.compliance.handbook import handbook
from shared.profiles import load_configuration, load_configuration_file
from simulator.kql.engine import Engine
from simulator.kql.tables import View
from simulator.providers.resource_graph.limits import understood
from simulator.providers.resource_graph.tables import TABLES
from tests.kql.language_service import diagnostics

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 2)  # noqa: DTZ001 - the engine's have no zone


def of_the_example() -> list[str]:
    return [control.query for control in load_configuration_file(ROOT / "guard.yaml").controls]


def of_the_page() -> list[str]:
    shown = textwrap.dedent(handbook().partition("```yaml\n")[2].partition("```")[0])
    configuration = load_configuration(
        f"revision: 1\nprofiles: {{a: {{vault: {{soft_delete: On}}}}}}\nrules: []\n{shown}"
    )
    return [control.query for control in configuration.controls]


def test_there_is_something_to_check() -> None:
    assert of_the_example()
    assert of_the_page()


@pytest.mark.parametrize("query", [*of_the_example(), *of_the_page()])
def test_it_is_kql_and_names_clusters(query: str) -> None:
    assert diagnostics({"own": query}, tuple(TABLES.values())) == {"own": []}
    engine = Engine()
    for table in TABLES.values():
        engine.create(f"{table.name}_rows", table)
    views = [View(table, f"{table.name}_rows") for table in TABLES.values()]
    result = engine.query(understood(query, frozenset(TABLES)).text, views, NOW)
    assert [name for name, _ in result.columns] == ["id", "message"]
