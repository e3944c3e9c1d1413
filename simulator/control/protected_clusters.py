"""Clusters that have been protected for long, made in the state directly: thousands a second.

The names of what a region shares and of what each cluster gets are those of Microsoft's `az dataprotection
enable-backup`, random parts replaced by digests. Role assignments are as many as Azure's limit for a subscription would
not allow for a large fleet in one."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from simulator.control.fields import BadField, Fields
from simulator.providers.data_protection.facts import (
    BLOB_DATA_CONTRIBUTOR,
    BLOB_DATA_READER,
    CONTRIBUTOR,
    DATA_OPERATOR_FOR_MANAGED_DISKS,
    DISK_SNAPSHOT_CONTRIBUTOR,
    READER,
)
from simulator.providers.data_protection.instances import INSTANCES_PER_VAULT
from simulator.providers.data_protection.models import Policy, Vault
from simulator.providers.data_protection.policy_rules import AKS, refuse_policy

if TYPE_CHECKING:
    from simulator.cloud import Cloud
    from simulator.providers.container_service.models import Cluster
    from simulator.providers.storage.models import Account

_NAMESPACES = ("Microsoft.KubernetesConfiguration", "Microsoft.DataProtection", "Microsoft.ContainerService")
_LOCATION = "configuration.backupStorageLocation"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Protection:
    """How clusters are protected. Shares are parts of one of the protected ones; a cluster has at most one trouble, and
    `share` is how many are protected at all."""

    share: float = 1.0
    warnings: float = 0.0
    failed: float = 0.0
    stale: float = 0.0
    suspended: float = 0.0
    backups: int = 1
    stale_days: int = 10
    vault: Mapping[str, Any] = field(default_factory=dict)
    vault_name: str | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    policy_name: str = "AKSBackupPolicy-Week"
    snapshot_group: str | None = None
    extension: Mapping[str, str] = field(default_factory=dict)


def asked(given: Fields, location: str) -> Protection | None:
    """`protected`: true, or an object with the fields of `Protection`. None when clusters are to be plain."""
    raw = given.raw("protected")
    if raw is None or raw is False:
        return None
    if raw is True:
        return Protection(policy=daily_policy())
    if not isinstance(raw, dict):
        raise BadField("protected", "must be true, false or an object")
    wanted = Fields(raw, "protected.")
    shares = {name: _share(wanted, name) for name in ("share", "warnings", "failed", "stale", "suspended")}
    if sum(share or 0.0 for name, share in shares.items() if name != "share") > 1:
        raise BadField("protected", "has troubles for more than all clusters")
    found = Protection(
        **{name: share for name, share in shares.items() if share is not None},
        backups=wanted.whole("backups", least=0, most=100) if "backups" in raw else 1,  # type: ignore[arg-type]
        stale_days=wanted.whole("stale_days", least=1, most=1000) or 10,
        vault=wanted.mapping("vault"),
        vault_name=wanted.text("vault_name"),
        policy=wanted.mapping("policy") or daily_policy(),
        policy_name=wanted.text("policy_name") or "AKSBackupPolicy-Week",
        snapshot_group=wanted.text("snapshot_group"),
        extension={name: str(value) for name, value in wanted.mapping("extension").items()},
    )
    wanted.finish()
    if (refused := refuse_policy(found.policy, location)) is not None:
        raise BadField("protected.policy", refused.message)
    return found


def _share(given: Fields, name: str) -> float | None:
    value = given.chance(name)
    return None if value is None else float(value)


def daily_policy() -> dict[str, Any]:
    """Every day at two, kept for a week in the operational store."""
    store = {"dataStoreType": "OperationalStore", "objectType": "DataStoreInfoBase"}
    intervals = ["R/2024-01-01T02:00:00+00:00/P1D"]
    criteria = [{"isDefault": True, "taggingPriority": 99, "tagInfo": {"id": "Default_", "tagName": "Default"}}]
    backup = {
        "objectType": "AzureBackupRule",
        "name": "BackupDaily",
        "backupParameters": {"objectType": "AzureBackupParams", "backupType": "Incremental"},
        "dataStore": store,
        "trigger": {
            "objectType": "ScheduleBasedTriggerContext",
            "schedule": {"repeatingTimeIntervals": intervals, "timeZone": "Coordinated Universal Time"},
            "taggingCriteria": criteria,
        },
    }
    keep = {
        "deleteAfter": {"objectType": "AbsoluteDeleteOption", "duration": "P7D"},
        "sourceDataStore": store,
        "targetDataStoreCopySettings": [],
    }
    retention = {"objectType": "AzureRetentionRule", "name": "Default", "isDefault": True, "lifecycles": [keep]}
    return {"objectType": "BackupPolicy", "datasourceTypes": [AKS], "policyRules": [backup, retention]}


class Protector:
    """Protects clusters of one region of one subscription. What the region shares is made when it is missing."""

    def __init__(self, cloud: "Cloud", location: str, subscription_id: str, wanted: Protection) -> None:
        self._cloud, self._location, self._wanted = cloud, location, wanted
        for namespace in _NAMESPACES:
            cloud.resources.register(subscription_id, namespace, "Registered")
        self._tags = {"AKSAzureBackup": location}
        group = cloud.resources.add_group(subscription_id, f"AKSAzureBackup_{location}", location)
        group.tags = group.tags or dict(self._tags)
        snapshots = wanted.snapshot_group or group.name
        self._group = group.id
        self._snapshots = cloud.resources.add_group(subscription_id, snapshots, location).id
        self._account = self._region_account(subscription_id)
        self._vaults = 0
        self._vault, self._policy = self._next_vault()

    def protect(self, cluster: "Cluster") -> None:
        """One cluster, in the way that chance gives it."""
        wanted, cloud = self._wanted, self._cloud
        if cloud.random.random() >= wanted.share:
            return
        if len(self._vault.instances) >= INSTANCES_PER_VAULT:
            self._vault, self._policy = self._next_vault()
        trouble = self._trouble(cloud.random.random())
        container = re.sub(r"[^a-z0-9]+", "-", f"{cluster.name}-{cluster.resource_group}".lower()).strip("-")[:63]
        cloud.storage.seed_container(self._account, container)
        settings = {**_settings(self._account, container, cloud.identity.tenant_id), **wanted.extension}
        extension = cloud.kubernetes_configuration.seed_backup_extension(cluster, settings, "azure-aks-backup")
        cloud.container_service.seed_binding(cluster, f"tarb-{_digest(self._vault.id)[:16]}", self._vault.id)
        grant, vault = cloud.authorization.grant, self._vault.principal_id or ""
        grant(vault, READER, cluster.id)
        grant(cluster.principal_id or "", CONTRIBUTOR, self._snapshots)
        grant(extension.aks_identity_principal_id or "", BLOB_DATA_CONTRIBUTOR, self._account.id)
        self._protect(cluster, trouble)

    def _protect(self, cluster: "Cluster", trouble: str) -> None:
        seeds, wanted = self._cloud.data_protection.seeds, self._wanted
        instance = seeds.instance(
            self._vault,
            f"{cluster.name}-{_digest(cluster.id)[:8]}",
            _instance(cluster, self._policy.id, self._snapshots),
            state="BackupsSuspended" if trouble == "suspended" else "ProtectionConfigured",
            cluster_uid=cluster.resource_uid,
        )
        older = _DAY * wanted.stale_days if trouble == "stale" else timedelta(0)
        moments = seeds.last_moments(self._policy, wanted.backups, older)
        for number, moment in enumerate(moments, 1):
            last = number == len(moments) and trouble in ("warnings", "failed")
            seeds.backup(self._vault, instance, self._policy, moment, trouble if last else "completed")
        if instance.state == "ProtectionConfigured":
            self._cloud.data_protection.follow_schedule(instance)

    def _trouble(self, chance: float) -> str:
        for name in ("warnings", "failed", "stale", "suspended"):
            share: float = getattr(self._wanted, name)
            if chance < share:
                return name
            chance -= share
        return ""

    def _region_account(self, subscription_id: str) -> "Account":
        """Its name is one of the world's: subscription and region are in it."""
        name = f"aksbkp{self._location[:12]}{_digest(subscription_id, self._location)[:6]}"
        resource_id = f"{self._group}/providers/Microsoft.Storage/storageAccounts/{name}"
        found = self._cloud.storage.account(resource_id)
        if found is not None:
            return found
        properties = {"allowBlobPublicAccess": False, "allowSharedKeyAccess": False}
        return self._cloud.storage.seed_account(resource_id, self._location, properties, dict(self._tags))

    def _next_vault(self) -> tuple[Vault, Policy]:
        """The first vault of the region with room for another instance, with the rights that it needs there."""
        seeds, grant = self._cloud.data_protection.seeds, self._cloud.authorization.grant
        base = self._wanted.vault_name or f"AKSAzureBackup-{self._location}"
        while True:
            self._vaults += 1
            name = base if self._vaults == 1 else f"{base}-{self._vaults}"
            vault_id = f"{self._group}/providers/Microsoft.DataProtection/backupVaults/{name}"
            fresh = self._cloud.data_protection.vault(vault_id) is None
            vault = seeds.vault(vault_id, self._location, self._wanted.vault, dict(self._tags))
            if len(vault.instances) >= INSTANCES_PER_VAULT:
                continue
            if fresh and vault.principal_id is not None:
                for role in (READER, DISK_SNAPSHOT_CONTRIBUTOR, DATA_OPERATOR_FOR_MANAGED_DISKS):
                    grant(vault.principal_id, role, self._snapshots)
                grant(vault.principal_id, BLOB_DATA_READER, self._account.id)
            return vault, seeds.policy(vault, self._wanted.policy_name, dict(self._wanted.policy))


def _settings(account: "Account", container: str, tenant_id: str) -> dict[str, str]:
    return {
        f"{_LOCATION}.bucket": container,
        f"{_LOCATION}.config.storageAccount": account.name,
        f"{_LOCATION}.config.resourceGroup": account.resource_group,
        f"{_LOCATION}.config.subscriptionId": account.subscription_id,
        f"{_LOCATION}.config.useAAD": "true",
        f"{_LOCATION}.config.storageAccountURI": f"https://{account.name}.blob.core.windows.net/",
        "credentials.tenantId": tenant_id,
    }


def _instance(cluster: "Cluster", policy_id: str, snapshot_group_id: str) -> dict[str, Any]:
    """The properties of the PUT: everything in the cluster and its disks."""
    source = {
        "datasourceType": AKS,
        "resourceID": cluster.id,
        "resourceUri": cluster.id,
        "resourceName": cluster.name,
        "resourceType": AKS,
        "resourceLocation": cluster.location,
    }
    stores = {
        "objectType": "AzureOperationalStoreParameters",
        "dataStoreType": "OperationalStore",
        "resourceGroupId": snapshot_group_id,
    }
    what = {
        "objectType": "KubernetesClusterBackupDatasourceParameters",
        "snapshotVolumes": True,
        "includeClusterScopeResources": True,
        "includedVolumeTypes": ["AzureDisk"],
    }
    return {
        "objectType": "BackupInstance",
        "friendlyName": f"{cluster.name}\\fullbackup",
        "dataSourceInfo": {**source, "objectType": "Datasource"},
        "dataSourceSetInfo": {**source, "objectType": "DatasourceSet"},
        "policyInfo": {
            "policyId": policy_id,
            "policyParameters": {"dataStoreParametersList": [stores], "backupDatasourceParametersList": [what]},
        },
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).lower().encode()).hexdigest()
