"""What ARM holds as rows of Resource Graph: the common columns around the ARM body's properties (recorded)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from simulator.providers.authorization.scopes import subscription_of
from simulator.providers.data_protection.models import BackupInstance, Vault
from simulator.providers.data_protection.policy_rules import backup_rule, days

_COPIED = ("sku", "plan", "identity", "zones", "extendedLocation")
_UNKNOWN_SPAN = "-10675199.02:48:05.4775808"  # recorded: .NET's smallest TimeSpan where there is none
_NEVER = "0001-01-01T00:00:00.0000000Z"  # recorded
_OPERATIONS = {
    "ProtectionConfigured": ("BackupNow", "Restore", "ChangePolicy", "StopBackup", "Delete"),  # recorded
    "ProtectionStopped": ("Restore", "ResumeBackup", "Delete"),  # assumed
    "BackupsSuspended": ("Restore", "ResumeBackup", "Delete"),  # assumed
}
# Keys that rows of backup instances carry with null where ARM leaves them out (recorded).
_INSTANCE_NULLS = (
    "resourceGuardOperationRequests",
    "dataSourceSetInfo",
    "datasourceAuthCredentials",
    "protectionErrorDetails",
    "dataSourceProperties",
    "identityDetails",
    "validationType",
)
_SOURCE_NULLS = ("resourceProperties", "baseUri")


def row(resource_id: str, resource_type: str, body: Mapping[str, Any], tenant_id: str, location: str) -> dict[str, Any]:
    """A row. `location` stands where the body has none (children: their vault's)."""
    segments = resource_id.split("/")
    in_group = len(segments) > 4 and segments[3].lower() == "resourcegroups"
    return {
        "id": resource_id,
        "name": body["name"],
        "type": resource_type.lower(),
        "tenantId": tenant_id,
        "kind": body.get("kind") or "",
        "location": body.get("location") or location,
        "resourceGroup": segments[4].lower() if in_group else "",
        "subscriptionId": subscription_of(resource_id) or "",
        "managedBy": body.get("managedBy") or "",
        **{name: body.get(name) for name in _COPIED},
        "properties": body.get("properties"),
        "tags": body.get("tags"),
    }


def instance_properties(
    instance: BackupInstance, body: Mapping[str, Any], vault: Vault, seen: datetime
) -> dict[str, Any]:
    """`properties` of a backup instance: ARM's, its absent keys null, and `backupInstanceExtendedProperties`."""
    properties: dict[str, Any] = {**dict.fromkeys(_INSTANCE_NULLS), **body["properties"]}
    properties["protectionStatus"] = {"errorDetails": None, **properties["protectionStatus"]}
    for name in ("dataSourceInfo", "dataSourceSetInfo"):
        if properties[name] is not None:
            properties[name] = {**dict.fromkeys(_SOURCE_NULLS), "resourceUri": "", **properties[name]}
    policy = properties["policyInfo"]
    parameters = {"tags": None, **(policy.get("policyParameters") or {})}
    properties["policyInfo"] = {"policyVersion": None, **policy, "policyParameters": parameters}
    properties["backupInstanceExtendedProperties"] = {
        "vaultId": vault.id,
        "allowedOperations": list(_OPERATIONS.get(instance.state, ("Delete",))),
        "protectedPrimaryRegion": vault.location,
        "protectedSecondaryRegion": "",
        "protectionStateInSecondaryRegion": "NotProtected",
        "dataSourceExtendedInfo": {"dataSourceId": properties["dataSourceInfo"]["resourceID"].rsplit("/", 1)[-1]},
        "policyExtendedInfo": _policy_info(instance, vault),
        "recoveryPointInfo": _points(instance, seen),
    }
    return properties


def _policy_info(instance: BackupInstance, vault: Vault) -> dict[str, str]:
    policy = vault.policies.get(instance.policy_id.rsplit("/", 1)[-1].lower())
    every = _interval(policy.properties) if policy is not None else None
    keep = _retention(policy.properties) if policy is not None else None
    return {
        "configuredRPGenerationFrequency": _span(every),
        "configuredMaximumRetention": _span(keep),
        # recorded for a daily policy: a day and a half; assumed to be one and a half intervals of any
        "rpoWarningThresholdInPrimaryRegion": _span(None if every is None else every * 1.5),
        "configuredRPGenerationFrequencyInSecondaryRegion": _UNKNOWN_SPAN,
        "configuredMaximumRetentionInSecondaryRegion": _UNKNOWN_SPAN,
        "rpoWarningThresholdInSecondaryRegion": _UNKNOWN_SPAN,
    }


def _interval(properties: Mapping[str, Any]) -> timedelta | None:
    """The time between two scheduled backups: `R/…/PT4H` or `R/…/P1D`."""
    trigger = backup_rule(properties).get("trigger") or {}
    repeating = (trigger.get("schedule") or {}).get("repeatingTimeIntervals") or [""]
    duration = str(repeating[0]).rsplit("/", 1)[-1].upper()
    if duration.startswith("PT") and duration.endswith("H") and duration[2:-1].isdigit():
        return timedelta(hours=int(duration[2:-1]))
    return days(duration)


def _retention(properties: Mapping[str, Any]) -> timedelta | None:
    """The longest that a point of this policy is kept in any store."""
    found = [
        days(str((lifecycle.get("deleteAfter") or {}).get("duration", "")))
        for rule in properties["policyRules"]
        if rule.get("objectType") == "AzureRetentionRule"
        for lifecycle in rule.get("lifecycles") or ()
    ]
    return max((one for one in found if one is not None), default=None)


def _points(instance: BackupInstance, seen: datetime) -> dict[str, str]:
    times = sorted(point.time for point in instance.recovery_points if point.time <= seen)
    return {
        "latestRecoveryPointInPrimaryRegion": _ticks(times[-1]) if times else _NEVER,
        "oldestRecoveryPointInPrimaryRegion": _ticks(times[0]) if times else _NEVER,
        "latestRecoveryPointInSecondaryRegion": _NEVER,
        "oldestRecoveryPointInSecondaryRegion": _NEVER,
    }


def _ticks(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"


def _span(value: timedelta | None) -> str:
    """`[d.]hh:mm:ss`, as .NET writes a TimeSpan (recorded)."""
    if value is None:
        return _UNKNOWN_SPAN
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{value.days}." if value.days else "") + f"{hours:02}:{minutes:02}:{seconds:02}"
