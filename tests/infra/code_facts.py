"""What the code itself says: the other side of every agreement with infra/."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class CodeFacts:
    """`settings`: name and default; `local`: those of local.settings.sample.json. The functions by their triggers."""

    settings: Mapping[str, str]
    local: Mapping[str, str]
    tables: frozenset[str]
    queues: frozenset[str]
    cluster_event_types: frozenset[str]
    operation_names: frozenset[str]
    job_event_types: frozenset[str]
    event_grid_functions: frozenset[str]
    functions_by_queue: Mapping[str, str]
    routes: frozenset[str]
    functions: frozenset[str]
    app_roles: frozenset[str]
    host: Mapping[str, Any]

    def answers(self, path: str) -> bool:
        """Whether an HTTP function has the route of `/api/…`."""
        route = path.removeprefix(f"/{self.host['extensions']['http']['routePrefix']}/")
        return any(
            route == each or ("{*" in each and route.startswith(each.partition("{*")[0])) for each in self.routes
        )


@cache
def code_facts() -> CodeFacts:
    import function_app
    from shared.events import cluster_events, job_events
    from shared.record import keys
    from shared.settings import catalogue
    from shared.web import access

    function_app.app.functions_bindings = {}  # an app refuses to be asked twice, and other tests ask as well
    bindings = {
        str(each.get_function_name()): each.get_dict_repr()["bindings"] for each in function_app.app.get_functions()
    }
    function_app.app.functions_bindings = {}
    triggers = {name: next(b for b in told if b["type"].endswith("Trigger")) for name, told in bindings.items()}
    return CodeFacts(
        settings={each.name: each.default for each in catalogue.SETTINGS},
        local=json.loads((ROOT / "local.settings.sample.json").read_text())["Values"],
        tables=frozenset(keys.TABLES),
        queues=frozenset(keys.QUEUES),
        cluster_event_types=frozenset(cluster_events.TYPES),
        operation_names=frozenset(cluster_events.OPERATIONS),
        job_event_types=frozenset(job_events.TYPES),
        event_grid_functions=frozenset(name for name, t in triggers.items() if t["type"] == "eventGridTrigger"),
        functions_by_queue={t["queueName"]: name for name, t in triggers.items() if t["type"] == "queueTrigger"},
        routes=frozenset(t["route"] for t in triggers.values() if t["type"] == "httpTrigger"),
        functions=frozenset(triggers),
        app_roles=frozenset({access.READER, access.OPERATOR, access.AZURE_MONITOR}),
        host=json.loads((ROOT / "host.json").read_text()),
    )
