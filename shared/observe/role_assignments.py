"""Microsoft.Authorization/roleAssignments: who has a role where, given there or above (Role Assignments REST)."""

from collections.abc import Iterable, Mapping

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.observed import Grant, RoleAssignment
from shared.observe.fields import JsonObject, last_segment, moment, needed_moment, needed_text, text

_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"


async def read_grants(
    arm: ArmClient, principal_id: str, scope: str, grants: Iterable[Grant]
) -> Mapping[Grant, RoleAssignment | None]:
    """Those of the grants that hold, and None for those that do not: one call for all of one principal and scope."""
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
    query = {"$filter": f"principalId eq '{principal_id}'"}
    found = await arm.list(path, api_versions.ROLE_ASSIGNMENTS, query) or []
    return {grant: find_assignment(grant, found) for grant in grants}


def find_assignment(grant: Grant, bodies: Iterable[JsonObject]) -> RoleAssignment | None:
    """The oldest assignment that answers the grant. Raises UnreadableBodyError."""
    matching = [parse_assignment(body) for body in bodies if _answers(grant, body)]
    return min(matching, key=lambda assignment: assignment.granted_at, default=None)


def parse_assignment(body: JsonObject) -> RoleAssignment:
    """Raises UnreadableBodyError."""
    created = moment(body, "properties", "createdOn") or needed_moment(body, "properties", "updatedOn")
    return RoleAssignment(needed_text(body, "id"), created)


def _answers(grant: Grant, body: JsonObject) -> bool:
    """The filter answers with assignments below the scope too, which give nothing here. One under a condition may
    not give the whole role, so it does not count."""
    return (
        text(body, "properties", "principalId").lower() == grant.principal_id.lower()
        and last_segment(needed_text(body, "properties", "roleDefinitionId")).lower() == grant.role.lower()
        and _reaches(text(body, "properties", "scope"), grant.scope)
        and not text(body, "properties", "condition")
    )


def _reaches(assigned: str, scope: str) -> bool:
    given, wanted = assigned.rstrip("/").lower(), scope.rstrip("/").lower()
    return given == wanted or wanted.startswith(f"{given}/") or given.startswith(_MANAGEMENT_GROUPS)
