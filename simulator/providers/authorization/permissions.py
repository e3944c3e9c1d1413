"""What the caller may do at a scope (Permissions - List For Resource Group, and at any other scope alike)."""

from typing import Any

from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.authorization.models import RoleAssignment


def list_at_scope(call: Call) -> Response:
    """One entry a role that is in effect here or above; a condition stands beside what it is the condition of."""
    authorization = call.cloud.authorization
    found = authorization.in_effect(call.principal.object_id, call.params["scope"])
    return Response(
        200, {"value": [_permission(call, each) for each in found if each.role_guid in authorization.definitions]}
    )


def _permission(call: Call, assignment: RoleAssignment) -> dict[str, Any]:
    role = call.cloud.authorization.definitions[assignment.role_guid]
    return {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": list(role.not_data_actions),
        "condition": assignment.condition,
        "conditionVersion": assignment.condition_version,
    }
