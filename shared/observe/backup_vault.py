"""Microsoft.DataProtection/backupVaults (Backup Vaults REST)."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.observed import Vault
from shared.observe.fields import JsonObject, at, needed_text, number, objects, string_map, text


async def read_vault(arm: ArmClient, arm_id: str, soft_delete: str = "") -> Vault | None:
    """`soft_delete` as it is known from before, empty when it is not."""
    body = await arm.get(arm_id, api_versions.data_protection(soft_delete))
    return None if body is None else parse_vault(body)


def parse_vault(body: JsonObject) -> Vault:
    """ARM's body, or a row of Resource Graph with the same columns. Raises UnreadableBodyError."""
    stores = list(objects(body, "properties", "storageSettings"))
    security = ("properties", "securitySettings")
    features = ("properties", "featureSettings")
    return Vault(
        arm_id=needed_text(body, "id"),
        name=needed_text(body, "name"),
        location=needed_text(body, "location").lower().replace(" ", ""),
        principal_id=text(body, "identity", "principalId") or None,
        provisioning_state=needed_text(body, "properties", "provisioningState"),
        soft_delete=text(body, *security, "softDeleteSettings", "state"),
        immutability=text(body, *security, "immutabilitySettings", "state"),
        redundancy=text(stores[0], "type") if stores else "",
        soft_delete_days=number(body, *security, "softDeleteSettings", "retentionDurationInDays"),
        cross_region_restore=_enabled(text(body, *features, "crossRegionRestoreSettings", "state")),
        cross_subscription_restore=_enabled(text(body, *features, "crossSubscriptionRestoreSettings", "state")),
        guarded=at(body, "properties", "isVaultProtectedByResourceGuard") is True,
        tags=string_map(body, "tags"),
    )


def _enabled(state: str) -> bool:
    return state.lower() == "enabled"
