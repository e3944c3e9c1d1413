"""What must be true for Azure Backup to protect a cluster. Pure: facts in, the first thing missing out.

One question, asked by validateForBackup, by the configuration of protection after a PUT, and by every backup job."""

from dataclasses import dataclass

from simulator.providers.data_protection.models import UserError


@dataclass(frozen=True, slots=True)
class Facts:
    """What the service sees at one moment. Roles are those in effect, unless the name says `assigned`."""

    has_datasource_set: bool
    vault_location: str
    vault_has_identity: bool
    cluster_location: str | None  # None: there is no such cluster
    cluster_power: str = "Running"
    cluster_has_managed_identity: bool = True
    extension_state: str | None = None  # provisioningState; None: not installed
    extension_has_identity: bool = False
    uses_aad: bool = True  # else the extension lists account keys
    storage_account_found: bool = False
    shared_key_access: bool = True
    storage_container_found: bool = False
    extension_can_write_blobs: bool = False
    extension_blob_role_assigned: bool = False  # also when it has not propagated yet
    trusted_access_in_effect: bool = False
    vault_reads_cluster: bool = False
    snapshot_group_found: bool = False
    snapshot_group_locked: bool = False
    vault_reads_snapshot_group: bool = False
    cluster_contributes_to_snapshot_group: bool = False
    vault_tier: bool = False
    vault_writes_snapshots: bool = False
    vault_operates_disks: bool = False
    vault_reads_blobs: bool = False


def missing_for_protection(facts: Facts) -> UserError | None:
    """The error Azure Backup reports, or None when protection works. Codes are documented (azure-docs, AKS backup
    troubleshooting) where the line does not say assumed; which of several problems is reported first is assumed."""
    return _datasource(facts) or _extension(facts) or _storage(facts) or _permissions(facts) or _snapshot_group(facts)


def _datasource(facts: Facts) -> UserError | None:
    if not facts.has_datasource_set:
        return UserError(
            "ScenarioPluginInvalidWorkflowDataRequest",
            "The request has data that the workflow cannot work with: dataSourceSetInfo is missing.",
            ("Send dataSourceSetInfo equal to dataSourceInfo.",),
        )
    if facts.cluster_location is None:
        return _error(
            "UserErrorKubernetesClusterNotFound", "The cluster does not exist.", "Check the cluster."
        )  # assumed
    if facts.cluster_location != facts.vault_location:
        return _error(
            "UserErrorDatasourceAndVaultRegionMismatch",  # assumed
            f"The cluster is in {facts.cluster_location}, the vault in {facts.vault_location}.",
            "Use a vault in the cluster's region.",
        )
    if not facts.cluster_has_managed_identity:
        return _error(
            "UserErrorKubernetesClusterWithServicePrincipalNotSupported",  # assumed
            "Clusters that use a service principal cannot be backed up.",
            "Change the cluster to a managed identity.",
        )
    if facts.cluster_power != "Running":
        return _error(
            "UserErrorKubernetesBackupClusterIsStopped",  # as users quote it; the words are assumed
            "The cluster is stopped.",
            "Start the cluster and try again.",
        )
    return None


def _extension(facts: Facts) -> UserError | None:
    if not facts.vault_reads_cluster:
        return _error(
            "KubernetesBackupListExtensionsError",
            "The extensions of the cluster could not be listed: the vault's identity may not read it.",
            "Assign the Reader role on the cluster to the vault's managed identity.",
        )
    if facts.extension_state is None:
        return _error(
            "UserErrorKubernetesBackupExtensionNotFoundError",
            "The backup extension is not installed in the cluster.",
            "Install the backup extension.",
        )
    if facts.extension_state != "Succeeded":
        return _error(
            "UserErrorKubernetesBackupExtensionHasErrors",
            f"The backup extension has errors: its provisioning state is {facts.extension_state}.",
            "Delete the extension and install it again.",
        )
    if not facts.extension_has_identity:
        return _error(
            "UserErrorKubernetesBackupExtensionIdentityNotFound",
            "The backup extension has no identity.",
            "Delete the extension and install it again.",
        )
    if not facts.vault_has_identity or not facts.trusted_access_in_effect:
        return _error(
            "UserErrorTrustedAccessGatewayReturnedForbidden",  # public notes of users quote it
            "The vault has no trusted access to the cluster, or it is not in effect yet.",
            "Create a trusted access role binding for the vault with role "
            "Microsoft.DataProtection/backupVaults/backup-operator and wait five minutes.",
        )
    return None


def _storage(facts: Facts) -> UserError | None:
    if not facts.storage_account_found or not facts.storage_container_found:
        return _error(
            "UserErrorNoDefaultBackupStorageLocationFound",
            "The backup extension's storage account or blob container was not found.",
            "Check storage account and container in the extension's configuration.",
        )
    if facts.extension_can_write_blobs and (facts.uses_aad or facts.shared_key_access):
        return None
    if facts.extension_blob_role_assigned:
        return _error(
            "UserErrorBackupStorageLocationNotReady",
            "The backup storage location is not ready: permissions are still on their way.",
            "Wait, up to one hour, and try again.",
        )
    return _error(
        "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation",
        "The extension's identity lacks permissions on the backup storage account.",
        "Assign the Storage Blob Data Contributor role on the storage account to the extension's identity.",
    )


def _permissions(facts: Facts) -> UserError | None:
    if not facts.snapshot_group_found:
        text = "The snapshot resource group does not exist."
        return _error("UserErrorSnapshotResourceGroupNotFound", text, "Create the resource group.")  # assumed
    lacking = [
        what
        for what, present in (
            ("the vault's identity lacks Reader on the snapshot resource group", facts.vault_reads_snapshot_group),
            (
                "the cluster's identity lacks Contributor on the snapshot resource group",
                facts.cluster_contributes_to_snapshot_group,
            ),
            # documented as required for the vault tier; what is reported without them is assumed
            (
                "the vault's identity lacks Disk Snapshot Contributor on the snapshot resource group",
                facts.vault_writes_snapshots or not facts.vault_tier,
            ),
            (
                "the vault's identity lacks Data Operator for Managed Disks on the snapshot resource group",
                facts.vault_operates_disks or not facts.vault_tier,
            ),
            (
                "the vault's identity lacks Storage Blob Data Reader on the backup storage account",
                facts.vault_reads_blobs or not facts.vault_tier,
            ),
        )
        if not present
    ]
    if not lacking:
        return None
    # Missing roles have been seen to end in this code (terraform-provider-azurerm issue 25294).
    return _error(
        "UserErrorKubernetesBackupExtensionUnhealthy",
        f"The backup extension is unhealthy or roles are missing: {'; '.join(lacking)}.",
        "Assign the missing roles and wait for them to take effect.",
    )


def _snapshot_group(facts: Facts) -> UserError | None:
    if not facts.snapshot_group_locked:
        return None
    return _error(
        "UserErrorSnapshotResourceGroupHasLocks",
        "The snapshot resource group has locks.",
        "Remove the locks from the snapshot resource group.",
    )


def _error(code: str, message: str, action: str) -> UserError:
    return UserError(code, message, (action,))
