"""A sweep as JSON. `python -m shared.report.json_export` prints its schema, docs/schemas/sweep.json."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from shared.plan.compliance.control import Control
from shared.report.json_models import (
    SCHEMA_VERSION,
    JudgedClusterModel,
    Model,
    SweepDocument,
    SweepModel,
    control_model,
)
from shared.report.snapshot import Snapshot


def render(snapshot: Snapshot, controls: Sequence[Control]) -> str:
    """One JSON object, as docs/schemas/sweep.json says, a cluster a line. They are written one after the other: all of
    a large fleet as models would be many times as large as its text."""
    sweep = _json(SweepModel.model_validate(snapshot.summary))
    told = ",\n".join(_json(control_model(control)) for control in controls)
    clusters = ",\n".join(_json(JudgedClusterModel.model_validate(cluster)) for cluster in snapshot.clusters)
    parts = f'"schemaVersion": {SCHEMA_VERSION}', f'"sweep": {sweep}', f'"controls": [\n{told}\n]'
    return "{\n" + ",\n".join(parts) + f',\n"clusters": [\n{clusters}\n]\n}}\n'


def _json(model: Model) -> str:
    return model.model_dump_json(by_alias=True)


def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12."""
    made = _untitled(SweepDocument.model_json_schema(by_alias=True, mode="serialization"))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A sweep of AKS Backup Guard", **made}


def _untitled(part: Any) -> Any:
    """Without the titles pydantic makes of the names."""
    if isinstance(part, dict):
        return {key: _untitled(value) for key, value in part.items() if key != "title" or not isinstance(value, str)}
    return [_untitled(value) for value in part] if isinstance(part, list) else part


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
