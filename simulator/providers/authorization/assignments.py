"""Role assignments over REST. Codes and texts as Microsoft documents them for
troubleshooting; the shape of the answer is recorded."""

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.path import arm_path
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.authorization import responses
from simulator.providers.authorization.conditions import VERSION, InvalidCondition, parse
from simulator.providers.authorization.models import RoleAssignment
from simulator.providers.authorization.scopes import is_within, normalised, subscription_of

LIMIT = 4_000
"""Role assignments a subscription, at every scope in it (documented)."""

_TYPES = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")
_BY_PRINCIPAL = re.compile(r"principalId eq '([^']*)'|assignedTo\('([^']*)'\)", re.IGNORECASE)
_AT_SCOPE = re.compile(r"atScope\(\)", re.IGNORECASE)


def list_at_scope(call: Call) -> Response:
    """Without a filter: at the scope, above and below it; `atScope()` leaves out what lies below (documented).
    `assignedTo` would also count group membership; there are no groups here."""
    scope, expression = call.params["scope"], call.request.query.get("$filter", "").strip()
    by_principal = _BY_PRINCIPAL.search(expression)
    rest = re.sub(r"\band\b", "", _AT_SCOPE.sub("", _BY_PRINCIPAL.sub("", expression)), flags=re.IGNORECASE)
    if rest.strip():
        raise ArmError(400, "UnsupportedQuery", f"The filter '{expression}' is not supported.")
    authorization = call.cloud.authorization
    if by_principal is not None:
        found = authorization.assignments_of(by_principal[1] or by_principal[2] or "")
    else:
        found = authorization.assignments()
    above_only = _AT_SCOPE.search(expression) is not None
    chosen = [
        each
        for each in found
        if authorization.covers(each.scope, scope) or (not above_only and is_within(each.scope, scope))
    ]
    return Response(200, {"value": [responses.assignment(each) for each in chosen]})


def get(call: Call) -> Response:
    found = call.cloud.authorization.assignment(call.resource_id)
    if found is None:
        message = f"The role assignment '{call.params['name']}' is not found."
        raise ArmError(404, "RoleAssignmentNotFound", message)
    return Response(200, responses.assignment(found))


def put(call: Call) -> Response:
    """201 for a new one, 200 when the very same one is there under this name: its condition and its description become
    what the body says (documented), at once (Azure takes up to five minutes)."""
    cloud, name, scope = call.cloud, call.params["name"], call.params["scope"].rstrip("/")
    _require_uuid(name)
    wanted = _wanted(call, name, scope)
    there = cloud.authorization.assignment(wanted.id)
    if there is not None:
        if _triple(there) != _triple(wanted):
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise ArmError(400, "RoleAssignmentUpdateNotPermitted", message)
        changed = replace(
            there,
            condition=wanted.condition,
            condition_version=wanted.condition_version,
            description=wanted.description,
        )
        cloud.authorization.replace(there, changed)
        return Response(200, responses.assignment(changed))
    for other in cloud.authorization.assignments_of(wanted.principal_id):
        if _triple(other) == _triple(wanted):
            message = (
                "The role assignment already exists. The ID of the existing role assignment is "
                f"{other.name.replace('-', '')}."
            )
            raise ArmError(409, "RoleAssignmentExists", message)
    subscription_id = subscription_of(scope)
    if subscription_id is not None and cloud.authorization.count_in(subscription_id) >= LIMIT:
        message = (
            "The role assignment limit for the subscription has been reached. No more role assignments can be "
            f"created: the limit is {LIMIT}."
        )
        raise ArmError(400, "RoleAssignmentLimitExceeded", message)
    cloud.authorization.add(wanted)
    return Response(201, responses.assignment(wanted, created_now=True))


def delete(call: Call) -> Response:
    """200 with what was deleted; 204 when there was nothing."""
    found = call.cloud.authorization.assignment(call.resource_id)
    if found is None:
        return Response(204)
    call.cloud.authorization.remove(found)
    return Response(200, responses.assignment(found))


def _wanted(call: Call, name: str, scope: str) -> RoleAssignment:
    """The assignment the body asks for. Raises ArmError when a part of it is missing or not there."""
    cloud = call.cloud
    body = call.body()
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise ArmError(400, "InvalidCreateRoleAssignmentRequest", "The role assignment request is invalid: properties.")
    definition_id, principal_id = properties.get("roleDefinitionId"), properties.get("principalId")
    if not isinstance(definition_id, str) or not isinstance(principal_id, str):
        message = "The role assignment request is invalid: roleDefinitionId and principalId are required."
        raise ArmError(400, "InvalidCreateRoleAssignmentRequest", message)
    role = cloud.authorization.definitions.get(definition_id.rpartition("/")[2].lower())
    if role is None:
        message = f"The specified role definition with ID '{definition_id.rpartition('/')[2]}' does not exist."
        raise ArmError(404, "RoleDefinitionDoesNotExist", message)
    if not any(cloud.authorization.covers(assignable, scope) for assignable in role.assignable_scopes):
        message = f"The role {role.name} is not available for assignment at the requested scope."
        raise ArmError(400, "RoleAssignmentScopeNotAssignableToRoleDefinition", message)
    condition, condition_version = _condition(properties)
    principal_type = _principal_type(call, principal_id, properties.get("principalType"))
    _require_resource(call, scope)
    return RoleAssignment(
        id=f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        name=name,
        scope=scope,
        role_definition_id=definition_id,
        principal_id=principal_id,
        principal_type=principal_type,
        created_on=cloud.clock.now(),
        created_by=call.principal.object_id,
        effective_at=cloud.authorization.takes_effect(scope),
        condition=condition,
        condition_version=condition_version,
        description=properties.get("description"),
    )


def _condition(properties: dict[str, Any]) -> tuple[str | None, str | None]:
    """The condition and its version, which is 2.0 when it is not said (documented). A wrong version and a text that
    is no condition are refused with the same words (documented; status, code and what follows assumed)."""
    condition = properties.get("condition")
    if condition is None:
        return None, None
    version = properties.get("conditionVersion") or VERSION
    try:
        if not isinstance(condition, str) or version != VERSION:
            raise InvalidCondition(f"conditionVersion must be {VERSION}")
        parse(condition)
    except InvalidCondition as error:
        message = f"The given role assignment condition is invalid. Details: {error}."
        raise ArmError(400, "InvalidRoleAssignmentCondition", message) from error
    return condition, version


def _principal_type(call: Call, principal_id: str, said: object) -> str:
    """With a principalType Azure does not look the principal up, so a fresh identity works; without it the
    principal must have spread through the directory (documented)."""
    entry = call.cloud.identity.entry(principal_id)
    if said is not None:
        if said not in _TYPES:
            raise ArmError(400, "InvalidPrincipalType", f"The principal type '{said}' is not supported.")
        if entry is not None and entry.principal_type != said:
            message = (
                f"The PrincipalId '{principal_id.replace('-', '')}' has type '{entry.principal_type}', which is "
                f"different from specified PrincipalType '{said}'."
            )
            raise ArmError(400, "UnmatchedPrincipalType", message)
        return str(said)
    if entry is None or entry.visible_at > call.cloud.clock.now():
        message = (
            f"Principal {principal_id.replace('-', '')} does not exist in the directory "
            f"{call.cloud.identity.tenant_id}. Check that you have the correct principal ID. If you are creating this "
            "principal and then immediately assigning a role, this error might be related to a replication delay. In "
            "this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or "
            "Group. See https://aka.ms/docs-principaltype"
        )
        raise ArmError(400, "PrincipalNotFound", message)
    return entry.principal_type


def _require_resource(call: Call, scope: str) -> None:
    """A top-level resource that is not there cannot be a scope. What lies below one is not looked at."""
    path = arm_path(scope)
    if path.namespace is None or path.resource_group is None:
        return
    top = "/".join(scope.split("/")[:9])
    if call.cloud.resources.tracked(top) is None:
        kind, name = "/".join(top.split("/")[6:8]), top.rpartition("/")[2]
        raise resource_not_found(f"{kind}/{name}", path.resource_group)


def _triple(assignment: RoleAssignment) -> tuple[str, str, str]:
    return normalised(assignment.scope), assignment.role_guid, assignment.principal_id.lower()


def _require_uuid(name: str) -> None:
    try:
        UUID(name)
    except ValueError as error:
        message = f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."
        raise ArmError(400, "InvalidRoleAssignmentId", message) from error
