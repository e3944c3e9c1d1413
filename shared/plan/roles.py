"""Who needs which role where (Microsoft's table of required roles, 2025-08)."""

from shared.domain.observed import Grant

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
DISK_SNAPSHOT_CONTRIBUTOR = "7efff54f-a5b4-42b5-a1c5-5411624893ce"
DATA_OPERATOR_FOR_MANAGED_DISKS = "959f8984-c045-4866-89c7-12bf9737be2e"
STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
STORAGE_BLOB_DATA_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
STORAGE_ACCOUNT_CONTRIBUTOR = "17d1049b-9a84-46fb-8f53-869881c3d3ab"

NAMES = {
    READER: "Reader",
    CONTRIBUTOR: "Contributor",
    DISK_SNAPSHOT_CONTRIBUTOR: "Disk Snapshot Contributor",
    DATA_OPERATOR_FOR_MANAGED_DISKS: "Data Operator for Managed Disks",
    STORAGE_BLOB_DATA_CONTRIBUTOR: "Storage Blob Data Contributor",
    STORAGE_BLOB_DATA_READER: "Storage Blob Data Reader",
    STORAGE_ACCOUNT_CONTRIBUTOR: "Storage Account Contributor",
}
"""As Azure calls them."""


def grant(principal_id: str, role: str, scope: str) -> Grant:
    return Grant(principal_id.lower(), role, scope.lower())


def vault_on_snapshot_group(principal_id: str, snapshot_group_id: str, vault_tier: bool) -> tuple[Grant, ...]:
    """What the vault's identity needs where the snapshots lie."""
    roles = [READER, DISK_SNAPSHOT_CONTRIBUTOR] + ([DATA_OPERATOR_FOR_MANAGED_DISKS] if vault_tier else [])
    return tuple(grant(principal_id, role, snapshot_group_id) for role in roles)


def vault_on_account(principal_id: str, account_id: str) -> Grant:
    """For the vault tier the vault copies what the extension wrote."""
    return grant(principal_id, STORAGE_BLOB_DATA_READER, account_id)


def vault_on_cluster(principal_id: str, cluster_id: str) -> Grant:
    return grant(principal_id, READER, cluster_id)


def cluster_on_snapshot_group(principal_id: str, snapshot_group_id: str) -> Grant:
    """The cluster's control plane makes the snapshots."""
    return grant(principal_id, CONTRIBUTOR, snapshot_group_id)


def extension_on_account(principal_id: str, account_id: str, uses_aad: bool) -> Grant:
    """An extension without useAAD lists the account's keys instead."""
    return grant(principal_id, STORAGE_BLOB_DATA_CONTRIBUTOR if uses_aad else STORAGE_ACCOUNT_CONTRIBUTOR, account_id)
