"""Microsoft's Kusto language service, asked once for many queries (Node; see check.cjs)."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.kql.tables import Table

_SCRIPT = Path(__file__).with_name("check.cjs")


@dataclass(frozen=True)
class Diagnostic:
    """`code` is the service's (KS142); `text` is the piece of the query it is about."""

    code: str
    severity: str
    message: str
    text: str


def diagnostics(queries: Mapping[str, str], tables: Sequence[Table]) -> dict[str, list[Diagnostic]]:
    """What the service says of each query by its name, when there are these tables only."""
    schema = {table.name: dict(table.columns) for table in tables}
    asked = [{"name": name, "text": text, "tables": schema} for name, text in queries.items()]
    ran = subprocess.run(
        ["node", str(_SCRIPT)], input=json.dumps({"queries": asked}), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return {
        each["name"]: [Diagnostic(**diagnostic) for diagnostic in each["diagnostics"]]
        for each in json.loads(ran.stdout)
    }
