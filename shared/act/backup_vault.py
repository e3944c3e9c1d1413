"""Makes a Backup vault (Backup Vaults REST)."""

from typing import Any

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.profile import CustomerManagedKey, VaultSettings
from shared.domain.steps import CreateVault


def create_vault(step: CreateVault) -> ArmCall:
    """A vault whose soft delete is `On` needs the older api-version; nobody is given AlwaysOn unasked."""
    settings, key = step.settings, step.customer_managed_key
    identity: dict[str, Any] = {"type": "SystemAssigned"}
    if key:
        # trusted access rests on the system-assigned identity, so the key's identity comes beside it
        identity = {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {key.identity_id: {}}}
    body = {
        "location": step.location,
        "tags": dict(step.tags),
        "identity": identity,
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
