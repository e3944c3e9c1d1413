"""Which of a vault's logs go to which workspace."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.rights import require_linked
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.authorization.scopes import is_within
from simulator.providers.data_protection.models import Vault
from simulator.providers.data_protection.vaults import VAULT_TYPE

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_API_VERSIONS = frozenset({"2021-05-01-preview"})
_ROOT = "{scope*}/providers/Microsoft.Insights/diagnosticSettings"
CATEGORIES = (
    "CoreAzureBackup",
    "AddonAzureBackupJobs",
    "AddonAzureBackupPolicy",
    "AddonAzureBackupProtectedInstance",
)
_SINKS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
_JOIN = "Microsoft.OperationalInsights/workspaces/sharedKeys/action"  # public issues: wanted at the workspace
_MOST = 5  # documented: settings of one resource


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """`properties` as sent; `categories` are those that flow."""

    id: str
    name: str
    vault: Vault
    properties: dict[str, Any]
    categories: frozenset[str]

    @property
    def workspace_id(self) -> str | None:
        found: str | None = self.properties.get("workspaceId")
        return found

    @property
    def resource_specific(self) -> bool:
        """Documented: without it the backup categories send nothing."""
        return str(self.properties.get("logAnalyticsDestinationType") or "").lower() == "dedicated"


class Insights:
    """Diagnostic settings by lower-case id. Only vaults have them here."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._settings: dict[str, DiagnosticSetting] = {}

    def routes(self) -> list[Route]:
        one = _ROOT + "/{name}"
        calls = [("GET", _ROOT, self._list), ("GET", one, self._get), ("PUT", one, self._put)]
        calls.append(("DELETE", one, self._delete))
        return [Route(method, pattern, _API_VERSIONS, handler) for method, pattern, handler in calls]

    def destinations(self, vault: Vault, category: str) -> list[str]:
        """Ids of the workspaces that a log of the vault goes to now."""
        found = {
            setting.workspace_id.lower(): setting.workspace_id
            for setting in self._of(vault)
            if setting.workspace_id and setting.resource_specific and category in setting.categories
        }
        return list(found.values())

    def drop_group(self, subscription_id: str, group: str) -> None:
        scope = f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        for setting in [each for each in self._settings.values() if is_within(each.id, scope)]:
            del self._settings[setting.id.lower()]

    def _of(self, vault: Vault) -> list[DiagnosticSetting]:
        """The vault's settings. One made again under the id of a deleted vault begins without (assumed)."""
        return [each for each in self._settings.values() if each.vault is vault]

    def _list(self, call: Call) -> Response:
        return Response(200, {"value": [_body(each) for each in self._of(self._vault(call))]})

    def _get(self, call: Call) -> Response:
        return Response(200, _body(self._known(call)))

    def _put(self, call: Call) -> Response:
        vault, properties = self._vault(call), call.body().get("properties")
        if not isinstance(properties, dict):
            raise ArmError(400, "BadRequest", "The property 'properties' is required.")
        enabled = _enabled(properties)
        self._check(call, vault, properties, enabled)
        key = call.resource_id.lower()
        setting = DiagnosticSetting(call.resource_id, call.params["name"], vault, properties, frozenset(enabled))
        self._settings[key] = setting
        return Response(200, _body(setting))

    def _check(self, call: Call, vault: Vault, properties: dict[str, Any], enabled: set[str]) -> None:
        if not any(properties.get(name) for name in _SINKS):
            raise ArmError(400, "BadRequest", "At least one data sink needs to be specified.")
        workspace = properties.get("workspaceId")
        if workspace and self._cloud.log_analytics.workspace(str(workspace)) is None:
            group = [*str(workspace).split("/"), *[""] * 5][4]
            kind_and_name = "/".join(str(workspace).strip("/").split("/")[5:])
            raise resource_not_found(kind_and_name, group)
        if workspace:
            require_linked(call, _JOIN, str(workspace))
        others = [each for each in self._of(vault) if each.id.lower() != call.resource_id.lower()]
        if len(others) >= _MOST:
            raise ArmError(409, "Conflict", f"A resource can have at most {_MOST} diagnostic settings.")  # assumed
        for other in others:
            for category in sorted(enabled & other.categories):
                if workspace and (other.workspace_id or "").lower() == str(workspace).lower():
                    message = (
                        f"Data sink '{workspace}' is already used in diagnostic setting '{other.name}' for category "
                        f"'{category}'. Data sinks can't be reused in different settings on the same category for the "
                        f"same resource."
                    )
                    raise ArmError(409, "Conflict", message)

    def _delete(self, call: Call) -> Response:
        return Response(200 if self._settings.pop(call.resource_id.lower(), None) else 204)

    def _known(self, call: Call) -> DiagnosticSetting:
        vault, found = self._vault(call), self._settings.get(call.resource_id.lower())
        if found is None or found.vault is not vault:
            raise ArmError(404, "ResourceNotFound", f"The diagnostic setting '{call.params['name']}' doesn't exist.")
        return found

    def _vault(self, call: Call) -> Vault:
        """The vault a setting is of. Raises ArmError 404, 501 for other resources."""
        resource_id = call.request.path.rstrip("/").lower().partition("/providers/microsoft.insights/")[0]
        vault = self._cloud.data_protection.vault(resource_id)
        if vault is not None:
            return vault
        if self._cloud.resources.tracked(resource_id) is not None:
            raise ArmError(501, "NotModelled", "Diagnostic settings are modelled for Backup vaults only.")
        raise resource_not_found(
            "/".join(resource_id.split("/")[6:]) or VAULT_TYPE, (resource_id + "/////").split("/")[4]
        )


def _enabled(properties: dict[str, Any]) -> set[str]:
    """The categories that flow. Raises ArmError 400 for one that vaults do not have."""
    enabled: set[str] = set()
    logs = properties.get("logs") or []
    if not isinstance(logs, list) or not all(isinstance(log, dict) for log in logs):
        raise ArmError(400, "BadRequest", "The property 'logs' must be a list of objects.")
    for log in logs:
        category, group = log.get("category"), log.get("categoryGroup")
        if category is not None and category not in CATEGORIES:
            raise ArmError(400, "BadRequest", f"Category '{category}' is not supported.")
        if group is not None and str(group).lower() != "alllogs":
            raise ArmError(400, "BadRequest", f"Category group '{group}' is not supported.")
        if log.get("enabled"):
            enabled |= set(CATEGORIES) if group is not None else {category}
    return enabled


def _body(setting: DiagnosticSetting) -> dict[str, Any]:
    """A setting as the REST reference shows it."""
    sent = setting.properties
    retention = {"enabled": False, "days": 0}
    logs = [
        {
            "category": log.get("category"),
            "categoryGroup": log.get("categoryGroup"),
            "enabled": bool(log.get("enabled")),
            "retentionPolicy": log.get("retentionPolicy") or retention,
        }
        for log in sent.get("logs") or ()
    ]
    return {
        "id": setting.id,
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": setting.name,
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            "storageAccountId": sent.get("storageAccountId"),
            "serviceBusRuleId": None,
            "workspaceId": sent.get("workspaceId"),
            "eventHubAuthorizationRuleId": sent.get("eventHubAuthorizationRuleId"),
            "eventHubName": sent.get("eventHubName"),
            "metrics": sent.get("metrics") or [],
            "logs": logs,
            "logAnalyticsDestinationType": sent.get("logAnalyticsDestinationType"),
        },
        "identity": None,
    }
