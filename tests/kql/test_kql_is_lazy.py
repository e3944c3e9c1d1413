"""A cloud that nobody queries does not carry the query engine."""

import subprocess
import sys

_PROGRAM = """
import asyncio, sys
from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.http import Request

cloud = Cloud(VirtualClock())
asyncio.run(cloud.respond(Request("GET", "/simulator/health")))
cloud.container_service.create_cluster("westeurope", cloud.resources.subscriptions()[0].id, {})
print(sorted(name for name in ("duckdb", "duckdb_kql", "antlr4") if name in sys.modules))
cloud.kql  # noqa: B018
print(sorted(name for name in ("duckdb", "duckdb_kql", "antlr4") if name in sys.modules))
"""


def test_the_engine_is_loaded_by_the_first_query() -> None:
    ran = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["[]", "['antlr4', 'duckdb', 'duckdb_kql']"]
