"""Role assignments of a principal, each with what its role may do."""

import asyncio

from cli.doctor.seen import Assignment, Assignments, Role, Seen, Unread
from shared.arm import api_versions
from shared.arm.answer import JsonObject
from shared.arm.client import ArmClient
from shared.domain.errors import GuardError

_DEFINITIONS = "2022-04-01"
NOT_ALLOWED = ("AuthorizationFailed", "Forbidden", "LinkedAuthorizationFailed")
"""Codes of a right that the caller lacks."""


def unread(error: GuardError, right: str) -> Unread:
    """`right` is what would help if the caller may not read it."""
    return Unread(f"{error.code}: {error.message}", right if error.code in NOT_ALLOWED else "")


class AssignmentReader:
    """Reads each role definition once."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm
        self._roles: dict[str, asyncio.Task[Seen[Role]]] = {}

    async def of(self, scope: str, principal_id: str) -> Seen[Assignments]:
        """At the scope, above it and below it (Role Assignments - List For Scope, filter `principalId`). What the
        principal has by being in a group is not among them."""
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
        try:
            found = await self._arm.list(
                path, api_versions.ROLE_ASSIGNMENTS, {"$filter": f"principalId eq '{principal_id}'"}
            )
        except GuardError as error:
            return unread(error, f"Reader on {scope}")
        if found is None:
            return Unread(f"There is no {scope}, or you may not see it.", f"Reader on {scope}")
        return tuple(await asyncio.gather(*(self._assignment(body) for body in found)))

    async def _assignment(self, body: JsonObject) -> Assignment:
        told = body.get("properties") or {}
        definition = str(told.get("roleDefinitionId") or "")
        guid = definition.rsplit("/", 1)[-1].lower()
        if guid not in self._roles:
            self._roles[guid] = asyncio.create_task(self._role(definition))
        return Assignment(
            id=str(body.get("id") or ""),
            scope=str(told.get("scope") or "").lower().rstrip("/"),
            guid=guid,
            role=await self._roles[guid],
            condition=str(told.get("condition") or ""),
        )

    async def _role(self, definition_id: str) -> Seen[Role]:
        try:
            body = await self._arm.get(definition_id, _DEFINITIONS)
        except GuardError as error:
            return unread(error, f"Reader on {definition_id}")
        if body is None:
            return Unread(f"There is no role definition {definition_id}.")
        told = body.get("properties") or {}
        permissions = told.get("permissions") or []

        def all_of(name: str) -> tuple[str, ...]:
            return tuple(str(action) for permission in permissions for action in permission.get(name) or ())

        name, custom = str(told.get("roleName") or definition_id), told.get("type") == "CustomRole"
        return Role(name, custom, all_of("actions"), all_of("notActions"))
