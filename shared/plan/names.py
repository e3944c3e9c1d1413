"""Deterministic names of what the Guard creates, as Microsoft's own `az dataprotection enable-backup` has them, so
that a repeated PUT is a no-op and the command finds what is there (tag `AKSAzureBackup=<location>`)."""

import hashlib
import re

from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import Grant
from shared.domain.profile import ProtectionProfile

CLI_TAG = "AKSAzureBackup"

_ROLE_ASSIGNMENT_NAMESPACE = bytes.fromhex("5f2f6b1c9c0e4f3c9a0d1d7f6f1b7a11")


def digest(*parts: str) -> str:
    """SHA-256 hex of the lower-cased parts."""
    return hashlib.sha256("\n".join(part.lower() for part in parts).encode()).hexdigest()


def _suffix(region: RegionId, separator: str) -> str:
    return "" if region.vault_class == "default" else f"{separator}{region.vault_class}"


def _group_id(region: RegionId, name: str) -> str:
    return f"/subscriptions/{region.subscription_id}/resourceGroups/{name}"


def backup_group_id(region: RegionId) -> str:
    """Holds vault, storage account and policies of the region."""
    return _group_id(region, f"AKSAzureBackup_{region.location}{_suffix(region, '_')}")


def snapshot_group_id(region: RegionId) -> str:
    """Holds disk snapshots and nothing else: every cluster identity of the region is Contributor in it."""
    return _group_id(region, f"AKSAzureBackupSnapshots_{region.location}{_suffix(region, '_')}")


def vault_id(region: RegionId, group_id: str) -> str:
    name = f"AKSAzureBackup-{region.location}{_suffix(region, '-')}"
    return f"{group_id}/providers/Microsoft.DataProtection/backupVaults/{name[:50].rstrip('-')}"


def account_id(region: RegionId, group_id: str) -> str:
    """3 to 24 lower-case letters and digits, unique in the whole cloud."""
    place = re.sub(r"[^a-z0-9]", "", region.location)[:12]
    name = f"aksbkp{place}{digest(region.key)[:6]}"
    return f"{group_id}/providers/Microsoft.Storage/storageAccounts/{name}"


def cluster_account_id(cluster: ClusterId, group_id: str) -> str:
    """The account of one cluster alone, with `isolation: account-per-cluster`."""
    return f"{group_id}/providers/Microsoft.Storage/storageAccounts/aksbkp{digest(cluster.key)[:18]}"


def container_id(cluster: ClusterId, resource_uid: str, storage_account_id: str) -> str:
    """A container holds one cluster's backups; a cluster made again under the same ARM id gets a new one."""
    readable = re.sub(r"-+", "-", re.sub(r"[^a-z0-9]", "-", f"{cluster.name}-{cluster.resource_group}")).strip("-")
    name = f"{readable[:52].rstrip('-')}-{digest(cluster.key, resource_uid)[:10]}".lstrip("-")
    return f"{storage_account_id}/blobServices/default/containers/{name}"


def policy_id(vault: str, profile: ProtectionProfile) -> str:
    """The name carries a digest of the content: another content is another policy, never an edited one."""
    schedule, retention = profile.schedule, profile.retention
    content = digest(
        schedule.interval, schedule.start, str(retention.operational_days), str(retention.vault_days or "none")
    )
    return f"{vault}/backupPolicies/AKSBackupPolicy-{content[:12]}"


def binding_id(cluster_arm_id: str, vault: str) -> str:
    """Binding names have at most 24 characters."""
    return f"{cluster_arm_id}/trustedAccessRoleBindings/tarb-{digest(vault)[:16]}"


def instance_id(vault: str, cluster: ClusterId) -> str:
    """The same for a cluster made again under the same ARM id: the old instance is used again, never doubled."""
    return f"{vault}/backupInstances/{cluster.name[:40]}-{digest(cluster.key)[:12]}"


def assignment_name(grant: Grant) -> str:
    """A version 5 UUID of scope, principal and role; the principal is in it because identities are made again."""
    hashed = bytearray(
        hashlib.sha1(  # noqa: S324 - the version 5 UUID is defined so, nothing is protected by it
            _ROLE_ASSIGNMENT_NAMESPACE + f"{grant.scope}|{grant.principal_id}|{grant.role}".lower().encode()
        ).digest()[:16]
    )
    hashed[6] = (hashed[6] & 0x0F) | 0x50
    hashed[8] = (hashed[8] & 0x3F) | 0x80
    text = hashed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
