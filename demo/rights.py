"""The Guard's rights: what infra/rights says, in place of what the simulated Azure gives it by itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from demo.operator import ROLES, Operator
from infra.rights import ACTIONS
from infra.rights.calls import RBAC_ADMINISTRATOR, Deployment
from simulator.identity.models import APP

_APP = APP.principal.object_id


def deploy(operator: Operator, subscription: str, locations: Iterable[str]) -> None:
    """As `azd up` does in a monitored subscription. Snapshot groups are there for clusters in these locations."""
    root = f"/subscriptions/{subscription}"
    for found in list(_held(operator, root)):
        operator.delete(found["id"], ROLES)
    rights = Deployment(_APP)
    calls = rights.in_subscription(subscription)
    for location in locations:
        calls += rights.snapshot_group(f"{root}/resourceGroups/AKSAzureBackupSnapshots_{location}", location)
    for call in calls:
        operator.put(call.path, call.api_version, call.body)


def beyond(operator: Operator, subscription: str) -> list[str]:
    """What the Guard may do in the subscription besides what infra/rights says, read from its role assignments. Those
    on things of its own, its topic and its logs, are not looked at."""
    root = f"/subscriptions/{subscription}"
    wrong = []
    for found in _held(operator, root):
        properties = found["properties"]
        scope = properties["scope"].lower()
        role = operator.get(properties["roleDefinitionId"], ROLES)["properties"]
        if scope.startswith(f"{root}/resourcegroups/aks-backup-guard/"):
            continue
        if role["type"] == "CustomRole":
            granted = {action for permission in role["permissions"] for action in permission["actions"]}
            wrong += sorted(granted - {each.action for each in ACTIONS})
        elif not (_gives_roles(properties) and (scope == root or "/aksazurebackupsnapshots_" in scope)):
            wrong.append(f"{role['roleName']} at {scope}")
    return wrong


def _gives_roles(properties: Mapping[str, Any]) -> bool:
    bound = bool(properties["condition"]) and _APP in properties["condition"]
    return bound and str(properties["roleDefinitionId"]).endswith(RBAC_ADMINISTRATOR)


def _held(operator: Operator, root: str) -> Iterable[dict[str, Any]]:
    found = operator.list(f"{root}/providers/Microsoft.Authorization/roleAssignments", ROLES)
    return (each for each in found if each["properties"]["principalId"] == _APP)
