"""Makes a Backup vault, and raises what is too weak about one (Backup Vaults REST)."""

from typing import Any

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.profile import CustomerManagedKey, VaultSettings
from shared.domain.steps import CreateVault, UpdateVault


def create_vault(step: CreateVault) -> ArmCall:
    """A vault whose soft delete is `On` needs the older api-version; nobody is given AlwaysOn unasked."""
    settings, key = step.settings, step.customer_managed_key
    body = {
        "location": step.location,
        "tags": dict(step.tags),
        "identity": _identity(key.identity_id if key else ""),
        "properties": {
            "storageSettings": [{"datastoreType": "VaultStore", "type": settings.redundancy}],
            "securitySettings": {
                "softDeleteSettings": {
                    "state": settings.soft_delete,
                    "retentionDurationInDays": float(settings.soft_delete_days),
                },
                "immutabilitySettings": {"state": settings.immutability},
                **({"encryptionSettings": _encryption(key)} if key else {}),
            },
            "featureSettings": _features(settings),
            "monitoringSettings": {"azureMonitorAlertSettings": {"alertsForAllJobFailures": "Enabled"}},
        },
    }
    return ArmCall("PUT", step.arm_id, api_versions.data_protection(settings.soft_delete), body, "accepted")


def update_vault(step: UpdateVault) -> ArmCall:
    """Only what changes is sent; state and days of soft delete go together."""
    security: dict[str, Any] = {}
    features: dict[str, Any] = {}
    if step.soft_delete_days is not None:
        soft_delete = {"state": step.soft_delete, "retentionDurationInDays": step.soft_delete_days}
        security["softDeleteSettings"] = soft_delete
    if step.immutability:
        security["immutabilitySettings"] = {"state": step.immutability}
    if step.cross_subscription_restore:
        features["crossSubscriptionRestoreSettings"] = {"state": "Enabled"}
    if step.cross_region_restore:
        features["crossRegionRestoreSettings"] = {"state": "Enabled"}
    properties = {"securitySettings": security, "featureSettings": features}
    body: dict[str, Any] = {"properties": {name: value for name, value in properties.items() if value}}
    if step.identity:
        body["identity"] = _identity(step.key_identity_id)
    version = api_versions.data_protection(step.soft_delete)
    return ArmCall("PATCH", step.arm_id, version, {n: v for n, v in body.items() if v}, "accepted")


def _identity(key_identity_id: str) -> dict[str, Any]:
    """Trusted access rests on the system-assigned identity, so a key's identity comes beside it."""
    if not key_identity_id:
        return {"type": "SystemAssigned"}
    return {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {key_identity_id: {}}}


def _features(settings: VaultSettings) -> dict[str, Any]:
    """Cross-region restore exists with geo-redundant vaults only, and is one-way: it is named only when asked for."""
    subscriptions = "Enabled" if settings.cross_subscription_restore else "Disabled"
    features: dict[str, Any] = {"crossSubscriptionRestoreSettings": {"state": subscriptions}}
    if settings.cross_region_restore:
        features["crossRegionRestoreSettings"] = {"state": "Enabled"}
    return features


def _encryption(key: CustomerManagedKey) -> dict[str, Any]:
    return {
        "state": "Enabled",
        "keyVaultProperties": {"keyUri": key.key_uri},
        "kekIdentity": {"identityType": "UserAssigned", "identityId": key.identity_id},
        "infrastructureEncryption": "Enabled",
    }
