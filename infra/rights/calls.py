"""The rights in a monitored subscription as calls of ARM: what infra/fleet/*.bicep deploys, for Azures without a Bicep
compiler (Role Definitions and Role Assignments REST 2022-04-01)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from infra.rights import ASSIGN_CONTRIBUTOR, ASSIGN_ROLES, WORKSPACE_ACTIONS, Mode, actions

RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
VERSION = "2022-04-01"
_GROUPS = "2025-04-01"


@dataclass(frozen=True, slots=True)
class Call:
    """A PUT: the same twice is once."""

    path: str
    api_version: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Whom the rights are given to and how. `administrator` is the role under the conditions, by its GUID."""

    principal_id: str
    mode: Mode = "enforce"
    without: Collection[str] = ()
    """Actions that are left out."""
    administrator: str = RBAC_ADMINISTRATOR

    def in_subscription(self, subscription_id: str) -> list[Call]:
        """The custom role and, for an app that acts, the giving of roles."""
        scope = f"/subscriptions/{subscription_id}"
        role = _guid(scope, "aks-backup-guard")
        given = [action for action in actions(self.mode) if action not in self.without]
        made = [
            custom_role(scope, role, f"AKS Backup Guard {subscription_id}", given),
            self._assignment(scope, role),
        ]
        return [*made, self._administration(scope, ASSIGN_ROLES)] if self.mode == "enforce" else made

    def snapshot_group(self, group_id: str, location: str) -> list[Call]:
        """A group for snapshots, in which the app may make cluster identities Contributor."""
        group = Call(group_id, _GROUPS, {"location": location})
        return [group, self.contributor_in(group_id)] if self.mode == "enforce" else []

    def contributor_in(self, group_id: str) -> Call:
        return self._administration(group_id, ASSIGN_CONTRIBUTOR)

    def workspace(self, workspace_id: str) -> list[Call]:
        """Vaults may be told to send their jobs there."""
        scope = "/".join(workspace_id.split("/")[:3])
        role = _guid(scope, "aks-backup-guard workspaces")
        given = [each.action for each in WORKSPACE_ACTIONS if each.action not in self.without]
        name = f"AKS Backup Guard workspaces {scope.rpartition('/')[2]}"
        return [custom_role(scope, role, name, given), self._assignment(workspace_id, role)]

    def _administration(self, scope: str, condition: str) -> Call:
        call = self._assignment(scope, self.administrator)
        text = condition.replace("{appPrincipalId}", self.principal_id)
        properties = {**call.body["properties"], "condition": text, "conditionVersion": "2.0"}
        return replace(call, body={"properties": properties})

    def _assignment(self, scope: str, role: str) -> Call:
        name = _guid(scope, self.principal_id, role)
        subscription = "/".join(scope.split("/")[:3])
        properties = {
            "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": self.principal_id,
            "principalType": "ServicePrincipal",
        }
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        return Call(path, VERSION, {"properties": properties})


def custom_role(scope: str, guid: str, name: str, given: Sequence[str]) -> Call:
    """A custom role that is assignable at `scope` and below."""
    properties = {
        "roleName": name,
        "type": "CustomRole",
        "assignableScopes": [scope],
        "permissions": [{"actions": list(given), "notActions": [], "dataActions": [], "notDataActions": []}],
    }
    path = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    return Call(path, VERSION, {"properties": properties})


def _guid(*parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, "|".join(parts).lower()))
