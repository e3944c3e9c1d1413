"""Microsoft.DataProtection/backupVaults/backupInstances, found by the cluster they protect (Backup Instances REST;
states as recorded)."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.arm.errors import translate_details
from shared.domain.ids import ClusterId
from shared.domain.observed import BackupInstance
from shared.domain.profile import BackupScope, HookReference
from shared.observe.fields import JsonObject, at, flag, moment, needed_text, objects, strings, text

_VAULT_PARTS = 9  # /subscriptions/s/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v
_SOURCE = ("properties", "dataSourceInfo")
_POINTS = ("properties", "backupInstanceExtendedProperties", "recoveryPointInfo")


async def read_instances(
    arm: ArmClient, cluster: ClusterId, soft_delete: str = ""
) -> tuple[BackupInstance, ...] | None:
    """The backup instances of the cluster in whatever vault. An instance is only as old as its vault, so the answer
    is asked for under the version that every vault answers to unless `soft_delete` says better."""
    path = f"{cluster.arm_id}/providers/Microsoft.DataProtection/backupInstances"
    found = await arm.list(path, api_versions.data_protection(soft_delete))
    return None if found is None else tuple(map(parse_instance, found))


async def read_deleted_instance(arm: ArmClient, arm_id: str, soft_delete: str = "") -> str | None:
    """ARM id of the vault's soft-deleted instance that had the id `arm_id`; None when there is none."""
    vault_id, _, name = arm_id.rpartition("/backupInstances/")
    path = f"{vault_id}/deletedBackupInstances/{name}"
    body = await arm.get(path, api_versions.data_protection(soft_delete))
    return None if body is None else needed_text(body, "id")


def parse_instance(body: JsonObject) -> BackupInstance:
    """ARM's body, or a row of Resource Graph with the same columns. Raises UnreadableBodyError."""
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
        # The service answers with resourceID (recorded), and was seen to take resourceId.
        cluster_id=text(body, *_SOURCE, "resourceID") or text(body, *_SOURCE, "resourceId"),
        scope=_scope(body),
        latest_recovery_point=moment(body, *_POINTS, "latestRecoveryPointInPrimaryRegion"),
    )


def _scope(body: JsonObject) -> BackupScope | None:
    """Null and an empty list are everything; without volume types only disks are backed up (older api-versions do not
    know them)."""
    given = next(
        iter(objects(body, "properties", "policyInfo", "policyParameters", "backupDatasourceParametersList")), None
    )
    if given is None:
        return None
    hooks = objects(given, "backupHookReferences")
    return BackupScope(
        included_namespaces=strings(given, "includedNamespaces"),
        excluded_namespaces=strings(given, "excludedNamespaces"),
        included_resource_types=strings(given, "includedResourceTypes"),
        excluded_resource_types=strings(given, "excludedResourceTypes"),
        label_selectors=strings(given, "labelSelectors"),
        include_cluster_scoped_resources=flag(given, "includeClusterScopeResources", default=True),
        snapshot_volumes=flag(given, "snapshotVolumes", default=True),
        volume_types=strings(given, "includedVolumeTypes") or ("AzureDisk",),
        hooks=tuple(HookReference(text(hook, "name"), text(hook, "namespace")) for hook in hooks),
    )


def _snapshot_group_id(body: JsonObject) -> str:
    stores = objects(body, "properties", "policyInfo", "policyParameters", "dataStoreParametersList")
    operational = (store for store in stores if text(store, "dataStoreType").lower() == "operationalstore")
    return next((text(store, "resourceGroupId") for store in operational), "")
