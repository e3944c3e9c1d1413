"""What the service sees of a cluster and all that its protection needs, gathered from the other providers."""

from typing import TYPE_CHECKING, Any

from simulator.providers.authorization.scopes import is_within
from simulator.providers.data_protection.models import Vault
from simulator.providers.data_protection.policy_rules import uses_vault_store
from simulator.providers.data_protection.protection import Facts

if TYPE_CHECKING:
    from simulator.cloud import Cloud

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
STORAGE_ACCOUNT_CONTRIBUTOR = "17d1049b-9a84-46fb-8f53-869881c3d3ab"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
BLOB_DATA_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
BLOB_DATA_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
DISK_SNAPSHOT_CONTRIBUTOR = "7efff54f-a5b4-42b5-a1c5-5411624893ce"
DATA_OPERATOR_FOR_MANAGED_DISKS = "959f8984-c045-4866-89c7-12bf9737be2e"

# Any one of these gives the right that the documented role is asked for.
READS = (READER, CONTRIBUTOR, OWNER)
CONTRIBUTES = (CONTRIBUTOR, OWNER)
WRITES_SNAPSHOTS = (DISK_SNAPSHOT_CONTRIBUTOR, CONTRIBUTOR, OWNER)
WRITES_BLOBS = (BLOB_DATA_CONTRIBUTOR, BLOB_DATA_OWNER)
READS_BLOBS = (BLOB_DATA_READER, BLOB_DATA_CONTRIBUTOR, BLOB_DATA_OWNER)
LISTS_KEYS = (STORAGE_ACCOUNT_CONTRIBUTOR, CONTRIBUTOR, OWNER)

_LOCATION = "configuration.backupStorageLocation"


def snapshot_group_id(properties: dict[str, Any]) -> str:
    """The snapshot resource group an instance's parameters name; empty when they name none."""
    parameters = (properties["policyInfo"].get("policyParameters") or {}).get("dataStoreParametersList") or []
    return next((one["resourceGroupId"] for one in parameters if one.get("resourceGroupId")), "")


def gather(cloud: "Cloud", vault: Vault, properties: dict[str, Any]) -> Facts:
    """The facts of this moment for an instance with these properties (validated or stored) in that vault."""
    cluster_id = properties["dataSourceInfo"]["resourceID"]
    cluster = cloud.container_service.cluster(cluster_id)
    policy = vault.policies.get(properties["policyInfo"]["policyId"].rsplit("/", 1)[-1].lower())
    extension = cloud.kubernetes_configuration.backup_extension(cluster_id)
    settings = {} if extension is None else extension.settings
    account = cloud.storage.account_named(settings.get(f"{_LOCATION}.config.storageAccount", ""))
    uses_aad = settings.get(f"{_LOCATION}.config.useAAD", "false").lower() == "true"
    identity = None if extension is None else extension.aks_identity_principal_id
    account_id = "" if account is None else account.id
    group_id = snapshot_group_id(properties)
    parts = group_id.split("/")
    group = cloud.resources.group(parts[2], parts[4]) if len(parts) == 5 else None

    def holds(principal: str | None, roles: tuple[str, ...], scope: str) -> bool:
        if principal is None or not scope:
            return False
        return any(cloud.authorization.has_role(principal, role, scope) for role in roles)

    def assigned(principal: str | None, roles: tuple[str, ...], scope: str) -> bool:
        """Also when it has not spread yet."""
        return principal is not None and any(
            assignment.role_guid in roles and cloud.authorization.covers(assignment.scope, scope)
            for assignment in cloud.authorization.assignments_of(principal)
        )

    blob_roles = WRITES_BLOBS if uses_aad else LISTS_KEYS
    return Facts(
        has_datasource_set=bool(properties.get("dataSourceSetInfo")),
        vault_location=vault.location,
        vault_has_identity=vault.principal_id is not None,
        cluster_location=None if cluster is None else cluster.location,
        cluster_power="" if cluster is None else cluster.power,
        cluster_has_managed_identity=cluster is not None and cluster.principal_id is not None,
        extension_state=None if extension is None else extension.provisioning_state,
        extension_has_identity=identity is not None,
        uses_aad=uses_aad,
        storage_account_found=account is not None and account.provisioning_state == "Succeeded",
        shared_key_access=account is not None and account.properties.get("allowSharedKeyAccess", True) is not False,
        storage_container_found=account is not None
        and cloud.storage.container(account.id, settings.get(f"{_LOCATION}.bucket", "")) is not None,
        extension_can_write_blobs=holds(identity, blob_roles, account_id),
        extension_blob_role_assigned=assigned(identity, blob_roles, account_id),
        trusted_access_in_effect=cloud.container_service.trusted_access_in_effect(cluster_id, vault.id),
        vault_reads_cluster=holds(vault.principal_id, READS, cluster_id),
        snapshot_group_found=group is not None,
        snapshot_group_locked=any(is_within(group_id, lock.scope) for lock in cloud.authorization.locks()),
        vault_reads_snapshot_group=holds(vault.principal_id, READS, group_id),
        cluster_contributes_to_snapshot_group=holds(
            None if cluster is None else cluster.principal_id, CONTRIBUTES, group_id
        ),
        vault_tier=policy is not None and uses_vault_store(policy.properties),
        vault_writes_snapshots=holds(vault.principal_id, WRITES_SNAPSHOTS, group_id),
        vault_operates_disks=holds(vault.principal_id, (DATA_OPERATOR_FOR_MANAGED_DISKS,), group_id),
        vault_reads_blobs=holds(vault.principal_id, READS_BLOBS, account_id),
    )
