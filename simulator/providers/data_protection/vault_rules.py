"""What Azure Backup refuses of a vault, and what it says about one. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from simulator.providers.data_protection.models import UserError

ALWAYS_ON_SINCE = "2025-09-01"
REDUNDANCY = ("GeoRedundant", "LocallyRedundant", "ZoneRedundant")


def name_problem(name: str) -> str | None:
    """2 to 50 letters, digits and hyphens, a letter first, no hyphen last."""
    if 2 <= len(name) <= 50 and re.fullmatch(r"[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?", name):
        return None
    return "A vault name is 2 to 50 letters, digits and hyphens, starting with a letter and not ending with a hyphen."


def setting(properties: Mapping[str, Any], *path: str) -> Any:
    """A setting by its path, None where any part of it is absent."""
    value: Any = properties
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def soft_delete(properties: Mapping[str, Any]) -> str | None:
    state: str | None = setting(properties, "securitySettings", "softDeleteSettings", "state")
    return state


def immutability(properties: Mapping[str, Any]) -> str | None:
    state: str | None = setting(properties, "securitySettings", "immutabilitySettings", "state")
    return state


def cross_region_restore(properties: Mapping[str, Any]) -> str | None:
    state: str | None = setting(properties, "featureSettings", "crossRegionRestoreSettings", "state")
    return state


def _cross_subscription_restore(properties: Mapping[str, Any]) -> str | None:
    state: str | None = setting(properties, "featureSettings", "crossSubscriptionRestoreSettings", "state")
    return state


def redundancy(properties: Mapping[str, Any]) -> str | None:
    stores = properties.get("storageSettings") or [{}]
    kind: str | None = stores[0].get("type")
    return kind


def malformed(properties: Mapping[str, Any]) -> str | None:
    """What is wrong with settings that were sent (a vault's whole, or a PATCH's part), for the catch-all error."""
    retention = setting(properties, "securitySettings", "softDeleteSettings", "retentionDurationInDays")
    if retention is not None and not 14 <= retention <= 180:
        return "Soft delete retention must be 14 to 180 days."
    for value, known in (
        (soft_delete(properties), ("Off", "On", "AlwaysOn")),
        (immutability(properties), ("Disabled", "Unlocked", "Locked")),
        (cross_region_restore(properties), ("Disabled", "Enabled")),
        (_cross_subscription_restore(properties), ("Disabled", "Enabled", "PermanentlyDisabled")),
    ):
        if value is not None and value not in known:
            return f"{value} is not one of {', '.join(known)}."
    return None


def refuse_change(before: Mapping[str, Any] | None, after: Mapping[str, Any], sent: Mapping[str, Any],
                  api_version: str) -> UserError | None:  # fmt: skip
    """Why a vault may not become what `after` says; `sent` is what this call asked for, `before` is None on create.

    The one-way codes are recorded. The soft delete rule by api-version is reported with its texts (terraform-provider-
    azurerm 31877); its code and that PATCH obeys it too are assumed."""
    # assumed: a create that says nothing gets the service's default, which the rule is about as well
    asked = soft_delete(sent) if before is not None or soft_delete(sent) else "On"
    if api_version >= ALWAYS_ON_SINCE and asked not in (None, "AlwaysOn"):
        return UserError(
            "UserErrorSoftDeleteAlwaysOnRequired",
            "This API version requires backup vaults to have the soft delete setting configured to Enable Always-On "
            "Soft Delete.",
            ("Set soft delete to Enable Always-On Soft Delete, or use an older API version.",),
        )
    if cross_region_restore(after) == "Enabled" and redundancy(after) != "GeoRedundant":
        return UserError(
            "UserErrorCrossRegionRestoreNotSupportedForStorageType",  # assumed code
            "Cross region restore needs a vault with geo-redundant storage.",
            ("Use GeoRedundant storage or leave cross region restore off.",),
        )
    if before is None:
        return None
    if soft_delete(before) == "AlwaysOn" and soft_delete(after) != "AlwaysOn":
        return UserError("UserErrorDisableSoftDeleteNotAllowed", "Soft delete cannot be disabled once it is always on.")
    if immutability(before) == "Locked" and immutability(after) != "Locked":
        return UserError("UserErrorUnsupportedVaultImmutabilityStateChange", "A locked vault cannot be unlocked.")
    if cross_region_restore(before) == "Enabled" and cross_region_restore(after) != "Enabled":
        return UserError(
            "UserErrorCrossRegionRestoreStateChangeNotAllowed", "Cross region restore cannot be disabled again."
        )
    if _cross_subscription_restore(before) == "PermanentlyDisabled" != _cross_subscription_restore(after):
        return UserError(
            "UserErrorCrossSubscriptionRestoreStateChangeNotAllowed",  # assumed code
            "Cross subscription restore was disabled permanently.",
        )
    return None


def secure_score(properties: Mapping[str, Any]) -> str:
    """Recorded: Adequate for Locked, None for Disabled (soft delete On both times). The others are assumed."""
    if immutability(properties) == "Locked":
        return "Maximum" if soft_delete(properties) == "AlwaysOn" else "Adequate"
    return "Minimum" if immutability(properties) == "Unlocked" else "None"


def bcdr_security_level(properties: Mapping[str, Any]) -> str:
    """Recorded: Good for GeoRedundant with cross region restore, Poor for LocallyRedundant. The others are assumed."""
    if redundancy(properties) == "GeoRedundant":
        return "Good" if cross_region_restore(properties) == "Enabled" else "Fair"
    return "Fair" if redundancy(properties) == "ZoneRedundant" else "Poor"
