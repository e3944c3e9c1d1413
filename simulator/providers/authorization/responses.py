"""The JSON of role assignments (recorded), role definitions and locks (documented)."""

from datetime import datetime
from typing import Any

from simulator.providers.authorization.models import Lock, RoleAssignment, RoleDefinition


def assignment(found: RoleAssignment, *, created_now: bool = False) -> dict[str, Any]:
    """The answer to the PUT that creates it has `createdBy` null (recorded); reads name the creator."""
    when = _ticks(found.created_on)
    return {
        "properties": {
            "roleDefinitionId": found.role_definition_id,
            "principalId": found.principal_id,
            "principalType": found.principal_type,
            "scope": found.scope or "/",
            "condition": found.condition,
            "conditionVersion": found.condition_version,
            "createdOn": when,
            "updatedOn": when,
            "createdBy": None if created_now else found.created_by,
            "updatedBy": found.created_by,
            "delegatedManagedIdentityResourceId": None,
            "description": found.description,
        },
        "id": found.id,
        "type": "Microsoft.Authorization/roleAssignments",
        "name": found.name,
    }


def definition(role: RoleDefinition, subscription_id: str | None) -> dict[str, Any]:
    prefix = f"/subscriptions/{subscription_id}" if subscription_id else ""
    return {
        "properties": {
            "roleName": role.name,
            "type": role.kind,
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [
                {
                    "actions": list(role.actions),
                    "notActions": list(role.not_actions),
                    "dataActions": list(role.data_actions),
                    "notDataActions": list(role.not_data_actions),
                }
            ],
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2021-11-11T20:13:47.8628684Z",
            "createdBy": None,
            "updatedBy": None,
        },
        "id": f"{prefix}/providers/Microsoft.Authorization/roleDefinitions/{role.guid}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.guid,
    }


def lock(found: Lock) -> dict[str, Any]:
    properties = {"level": found.level}
    if found.notes is not None:
        properties["notes"] = found.notes
    return {"properties": properties, "id": found.id, "type": "Microsoft.Authorization/locks", "name": found.name}


def _ticks(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"
