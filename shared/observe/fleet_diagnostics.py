"""Whether a vault's diagnostic setting sends its backup jobs anywhere, whoever made it (Diagnostic Settings REST)."""

from shared.observe.fields import JsonObject, at, objects, text

_JOBS = "addonazurebackupjobs"


def sends_jobs(setting: JsonObject) -> bool:
    """To a workspace only with the destination type Dedicated: without it the category sends nothing there (Backup
    vault diagnostics page). Raises UnreadableBodyError."""
    enabled = [log for log in objects(setting, "properties", "logs") if at(log, "enabled") is True]
    named = any(
        text(log, "category").lower() == _JOBS or text(log, "categoryGroup").lower() == "alllogs" for log in enabled
    )
    dedicated = text(setting, "properties", "logAnalyticsDestinationType").lower() == "dedicated"
    workspace = bool(text(setting, "properties", "workspaceId")) and dedicated
    elsewhere = any(
        text(setting, "properties", name)
        for name in ("storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
    )
    return named and (workspace or elsewhere)
