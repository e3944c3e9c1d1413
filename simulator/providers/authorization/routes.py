"""The paths of Microsoft.Authorization and who answers them."""

from simulator.arm.route import Route
from simulator.providers.authorization import assignments, definitions, locks, permissions

_ASSIGNMENT_VERSIONS = frozenset(
    {
        "2015-07-01",
        "2018-01-01-preview",
        "2018-09-01-preview",
        "2020-03-01-preview",
        "2020-04-01-preview",
        "2020-08-01-preview",
        "2020-10-01-preview",
        "2021-04-01-preview",
        "2022-04-01",
    }
)
_DEFINITION_VERSIONS = frozenset({"2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview"})
_PERMISSION_VERSIONS = frozenset({"2015-07-01", "2018-01-01-preview", "2022-04-01"})
_LOCK_VERSIONS = frozenset({"2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"})
_BASE = "{scope*}/providers/Microsoft.Authorization"


def routes() -> list[Route]:
    assignment, definition, lock = f"{_BASE}/roleAssignments", f"{_BASE}/roleDefinitions", f"{_BASE}/locks"
    return [
        Route("GET", assignment, _ASSIGNMENT_VERSIONS, assignments.list_at_scope),
        Route("GET", f"{assignment}/{{name}}", _ASSIGNMENT_VERSIONS, assignments.get),
        Route("PUT", f"{assignment}/{{name}}", _ASSIGNMENT_VERSIONS, assignments.put),
        Route("DELETE", f"{assignment}/{{name}}", _ASSIGNMENT_VERSIONS, assignments.delete),
        Route("GET", definition, _DEFINITION_VERSIONS, definitions.list_at_scope),
        Route("GET", f"{definition}/{{name}}", _DEFINITION_VERSIONS, definitions.get),
        Route("PUT", f"{definition}/{{name}}", _DEFINITION_VERSIONS, definitions.put),
        Route("DELETE", f"{definition}/{{name}}", _DEFINITION_VERSIONS, definitions.delete),
        Route("GET", f"{_BASE}/permissions", _PERMISSION_VERSIONS, permissions.list_at_scope),
        Route("GET", lock, _LOCK_VERSIONS, locks.list_at_scope),
        Route("GET", f"{lock}/{{name}}", _LOCK_VERSIONS, locks.get),
        Route("PUT", f"{lock}/{{name}}", _LOCK_VERSIONS, locks.put),
        Route("DELETE", f"{lock}/{{name}}", _LOCK_VERSIONS, locks.delete),
    ]
