"""Microsoft.DataProtection/backupVaults/backupInstances, found by the cluster they protect (Backup Instances REST;
states as recorded)."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.arm.errors import translate_details
from shared.domain.ids import ClusterId
from shared.domain.observed import BackupInstance
from shared.observe.fields import JsonObject, at, needed_text, objects, text

_VAULT_PARTS = 9  # /subscriptions/s/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v


async def read_instances(
    arm: ArmClient, cluster: ClusterId, soft_delete: str = ""
) -> tuple[BackupInstance, ...] | None:
    """The backup instances of the cluster in whatever vault. An instance is only as old as its vault, so the answer
    is asked for under the version that every vault answers to unless `soft_delete` says better."""
    path = f"{cluster.arm_id}/providers/Microsoft.DataProtection/backupInstances"
    found = await arm.list(path, api_versions.data_protection(soft_delete))
    return None if found is None else tuple(map(parse_instance, found))


def parse_instance(body: JsonObject) -> BackupInstance:
    """Raises UnreadableBodyError."""
    arm_id = needed_text(body, "id")
    error = at(body, "properties", "protectionErrorDetails") or at(
        body, "properties", "protectionStatus", "errorDetails"
    )
    return BackupInstance(
        arm_id=arm_id,
        name=needed_text(body, "name"),
        vault_id="/".join(arm_id.split("/")[:_VAULT_PARTS]),
        policy_id=text(body, "properties", "policyInfo", "policyId"),
        protection_state=text(body, "properties", "currentProtectionState")
        or needed_text(body, "properties", "protectionStatus", "status"),
        snapshot_group_id=_snapshot_group_id(body),
        error=translate_details(error),
    )


def _snapshot_group_id(body: JsonObject) -> str:
    stores = objects(body, "properties", "policyInfo", "policyParameters", "dataStoreParametersList")
    operational = (store for store in stores if text(store, "dataStoreType").lower() == "operationalstore")
    return next((text(store, "resourceGroupId") for store in operational), "")
