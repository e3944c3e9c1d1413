"""What conditions are told of a call: the role assignment that it writes or deletes."""

from collections.abc import Callable

from simulator.arm.path import ArmPath
from simulator.http import Request
from simulator.providers.authorization.conditions import (
    PRINCIPAL_ID,
    PRINCIPAL_TYPE,
    ROLE_DEFINITION_ID,
    UNSAID,
    Attributes,
)
from simulator.providers.authorization.models import RoleAssignment

_SAID_AS = {ROLE_DEFINITION_ID: "roleDefinitionId", PRINCIPAL_ID: "principalId", PRINCIPAL_TYPE: "principalType"}


def asked_about(path: ArmPath, request: Request, find: Callable[[str], RoleAssignment | None]) -> Attributes:
    """A write has request attributes only, a deletion resource attributes only (documented). The request counts as it
    was sent: a principal's type that is left out is not looked up (public issues). What is not there has no attributes
    (assumed). `find` knows assignments by id."""
    if path.open_ended or path.resource_type.lower() != "microsoft.authorization/roleassignments":
        return UNSAID
    if request.method == "PUT":
        return Attributes(request=_said(request))
    there = find(path.path)
    if request.method != "DELETE" or there is None:
        return UNSAID
    return Attributes(
        resource={
            ROLE_DEFINITION_ID: there.role_guid,
            PRINCIPAL_ID: there.principal_id,
            PRINCIPAL_TYPE: there.principal_type,
        }
    )


def _said(request: Request) -> dict[str, str]:
    """Whatever is wrong with the body is said later, by who reads it."""
    try:
        body = request.json()
    except ValueError:
        return {}
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(properties, dict):
        return {}
    said = {name: properties.get(key) for name, key in _SAID_AS.items()}
    return {name: value.rpartition("/")[2] for name, value in said.items() if isinstance(value, str)}
