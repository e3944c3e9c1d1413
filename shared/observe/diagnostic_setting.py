"""Microsoft.Insights/diagnosticSettings of a vault (Diagnostic Settings REST; Backup vault diagnostics page)."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.ids import same_id
from shared.domain.steps import DIAGNOSTIC_CATEGORIES
from shared.observe.fields import JsonObject, at, objects, text


async def read_diagnostics(arm: ArmClient, vault_id: str, workspace_id: str) -> bool | None:
    """Whether any one setting, whoever made it, sends everything about backups to the workspace: Azure refuses a second
    one for the same. None: the vault is not there."""
    path = f"{vault_id}/providers/Microsoft.Insights/diagnosticSettings"
    found = await arm.list(path, api_versions.DIAGNOSTIC_SETTINGS)
    return None if found is None else any(sends_backups(body, workspace_id) for body in found)


def sends_backups(body: JsonObject, workspace_id: str) -> bool:
    """Without the destination type Dedicated the backup categories send nothing. Raises UnreadableBodyError."""
    if not same_id(text(body, "properties", "workspaceId"), workspace_id):
        return False
    if text(body, "properties", "logAnalyticsDestinationType").lower() != "dedicated":
        return False
    enabled = [log for log in objects(body, "properties", "logs") if at(log, "enabled") is True]
    named = {text(log, "category").lower() for log in enabled}
    everything = any(text(log, "categoryGroup").lower() == "alllogs" for log in enabled)
    return everything or named >= {category.lower() for category in DIAGNOSTIC_CATEGORIES}
