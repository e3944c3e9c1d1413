"""Role definitions: the built-in ones, and custom roles."""

import re
from typing import Any
from uuid import UUID

from simulator.arm.errors import ArmError
from simulator.arm.rights import require_linked
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.authorization import responses
from simulator.providers.authorization.models import RoleDefinition
from simulator.providers.authorization.published import not_published
from simulator.providers.authorization.scopes import normalised, subscription_of

_TERM = re.compile(r"\s*(?P<field>roleName|type) eq '(?P<value>(?:[^']|'')*)'\s*", re.IGNORECASE)

_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"


def list_at_scope(call: Call) -> Response:
    """`$filter`: `roleName eq '…'`, `type eq 'CustomRole'`, `atScopeAndBelow()` (which changes nothing here)."""
    scope = call.params["scope"]
    wanted = _filter(call.request.query.get("$filter", ""))
    chosen = [
        role
        for role in call.cloud.authorization.definitions.values()
        if any(call.cloud.authorization.covers(assignable, scope) for assignable in role.assignable_scopes)
        and wanted.get("rolename", role.name).lower() == role.name.lower()
        and wanted.get("type", role.kind).lower() == role.kind.lower()
    ]
    return Response(200, {"value": [responses.definition(role, subscription_of(scope)) for role in chosen]})


def get(call: Call) -> Response:
    return Response(200, responses.definition(_existing(call), subscription_of(call.params["scope"])))


def put(call: Call) -> Response:
    """A custom role; its name must be free in the tenant. 201 for both new and changed. Its assignable scopes are
    subscriptions, groups and at most one management group, and who writes it needs the right at all of them
    (documented). One action that nobody publishes refuses it as a whole (public issues)."""
    guid = call.params["name"].lower()
    try:
        UUID(guid)
    except ValueError as error:
        raise ArmError(400, "InvalidRoleDefinitionId", f"The role definition ID '{guid}' must be a GUID.") from error
    definitions = call.cloud.authorization.definitions
    if guid in definitions and definitions[guid].kind == "BuiltInRole":
        raise ArmError(400, "RoleDefinitionUpdateNotPermitted", "A built-in role cannot be changed.")
    role = _custom_role(guid, call.body().get("properties") or {})
    if any(other.name.lower() == role.name.lower() and other.guid != guid for other in definitions.values()):
        message = f"A custom role with the name '{role.name}' already exists in this directory."
        raise ArmError(409, "RoleDefinitionWithSameNameExists", message)
    for scope in role.assignable_scopes:
        require_linked(call, "Microsoft.Authorization/roleDefinitions/write", scope)
    _require_assignments_kept(call, role)
    definitions[guid] = role
    return Response(201, responses.definition(role, subscription_of(call.params["scope"])))


def delete(call: Call) -> Response:
    guid = call.params["name"].lower()
    authorization = call.cloud.authorization
    if guid not in authorization.definitions:
        return Response(204)
    role = _existing(call)
    if role.kind == "BuiltInRole":
        raise ArmError(400, "RoleDefinitionDeleteNotPermitted", "A built-in role cannot be deleted.")
    if any(assignment.role_guid == guid for assignment in authorization.assignments()):
        message = "There are existing role assignments referencing role."
        raise ArmError(400, "RoleDefinitionHasAssignments", message)
    del authorization.definitions[guid]
    return Response(200, responses.definition(role, subscription_of(call.params["scope"])))


def _existing(call: Call) -> RoleDefinition:
    guid = call.params["name"].lower()
    role: RoleDefinition | None = call.cloud.authorization.definitions.get(guid)
    if role is None:
        raise ArmError(
            404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{guid}' does not exist."
        )
    return role


def _require_assignments_kept(call: Call, role: RoleDefinition) -> None:
    """A scope stays assignable while the role is given there (public issues)."""
    authorization = call.cloud.authorization
    for assignment in authorization.assignments():
        if assignment.role_guid != role.guid:
            continue
        if not any(authorization.covers(scope, assignment.scope) for scope in role.assignable_scopes):
            message = (
                f"Role assignments found under scope '{assignment.scope}' which is being removed. Removing this scope "
                "from the role will orphan these assignments. Delete these assignments before removing the scope."
            )
            raise ArmError(400, "RoleScopeBeingRemovedContainsAssignments", message)


def _custom_role(guid: str, properties: dict[str, Any]) -> RoleDefinition:
    name, scopes = properties.get("roleName"), properties.get("assignableScopes")
    if not isinstance(name, str) or not name or not scopes:
        message = "The role definition request is invalid: roleName and assignableScopes are required."
        raise ArmError(400, "InvalidRoleDefinition", message)
    groups = [scope for scope in scopes if normalised(scope).startswith(_MANAGEMENT_GROUPS)]
    if "" in map(normalised, scopes) or len(groups) > 1:
        # The code is documented for malformed definitions; the words are assumed.
        message = "A custom role's assignableScopes hold no root scope and at most one management group."
        raise ArmError(400, "InvalidRoleDefinition", message)
    permissions = properties.get("permissions") or [{}]

    def joined(key: str) -> tuple[str, ...]:
        return tuple(pattern for permission in permissions for pattern in permission.get(key) or ())

    given, taken = joined("actions"), joined("notActions")
    unknown = not_published((*given, *taken))
    if unknown is not None:
        message = f"'{unknown}' does not match any of the actions supported by the providers."
        raise ArmError(400, "InvalidActionOrNotAction", message)
    return RoleDefinition(
        guid,
        name,
        properties.get("description") or "",
        given,
        taken,
        joined("dataActions"),
        joined("notDataActions"),
        tuple(scopes),
        "CustomRole",
    )


def _filter(expression: str) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for term in re.split(r"\s+and\s+", expression.strip(), flags=re.IGNORECASE):
        if not term or term.lower() in ("atscopeandbelow()", "atscope()"):
            continue
        match = _TERM.fullmatch(term)
        if match is None:
            raise ArmError(400, "UnsupportedQuery", f"The filter '{expression}' is not supported.")
        wanted[match["field"].lower()] = match["value"].replace("''", "'")
    return wanted
