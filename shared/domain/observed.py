"""Azure's resources as this project reads them: only the fields a decision needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.errors import StepError
from shared.domain.facts import UNOBSERVED, Fact
from shared.domain.profile import BackupScope


@dataclass(frozen=True, slots=True)
class NodePool:
    """One of agentPoolProfiles. `takes_pods`: Linux on x86 without a NoSchedule or NoExecute taint."""

    name: str
    vm_size: str
    count: int
    image: str
    takes_pods: bool


@dataclass(frozen=True, slots=True)
class Cluster:
    """Microsoft.ContainerService/managedClusters."""

    arm_id: str
    name: str
    location: str
    resource_uid: str
    tags: Mapping[str, str]
    power_state: str
    provisioning_state: str
    kubernetes_version: str
    identity_principal_id: str | None
    service_principal: bool
    disk_csi_driver: bool
    snapshot_controller: bool
    has_x86_linux_pool: bool
    network_isolated: bool
    pod_identity: bool
    created_at: datetime | None = None
    node_pools: tuple[NodePool, ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """The backup extension (Microsoft.KubernetesConfiguration/extensions, microsoft.dataprotection.kubernetes)."""

    arm_id: str
    name: str
    provisioning_state: str
    principal_id: str | None
    """The identity roles go to: aksAssignedIdentity.principalId, None while it installs."""
    container: str
    storage_account: str
    storage_resource_group: str
    storage_subscription_id: str
    uses_aad: bool
    error: str = ""
    memory_limit: str = ""
    """resources.limits.memory; empty: Azure's default."""
    cpu_limit: str = ""
    memory_request: str = ""
    changed_at: datetime | None = None
    """systemData.lastModifiedAt: when it was last installed or changed, by anybody."""
    version: str = ""
    """currentVersion, empty when Azure does not say."""
    auto_upgrade: bool = True
    """autoUpgradeMinorVersion."""


@dataclass(frozen=True, slots=True)
class TrustedAccessBinding:
    """Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings."""

    arm_id: str
    name: str
    source_id: str
    roles: tuple[str, ...]
    provisioning_state: str


@dataclass(frozen=True, slots=True)
class BackupInstance:
    """Microsoft.DataProtection/backupVaults/backupInstances."""

    arm_id: str
    name: str
    vault_id: str
    policy_id: str
    protection_state: str
    """currentProtectionState; the service sends words the SDK's enumeration lacks, so a plain string."""
    snapshot_group_id: str
    error: StepError | None = None
    """protectionErrorDetails, translated as any answer of Azure is."""
    cluster_id: str = ""
    """dataSourceInfo.resourceID: the cluster it protects, or did."""
    scope: BackupScope | None = None
    """policyParameters.backupDatasourceParametersList, as far as its fields are known here; None when there is none."""
    latest_recovery_point: datetime | None = None
    """Only Resource Graph tells it (recoveryPointInfo), minutes late."""


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    arm_id: str
    name: str
    location: str


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """Microsoft.Storage/storageAccounts."""

    arm_id: str
    name: str
    location: str
    provisioning_state: str
    blob_endpoint: str


@dataclass(frozen=True, slots=True)
class BlobContainer:
    arm_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Vault:
    """Microsoft.DataProtection/backupVaults."""

    arm_id: str
    name: str
    location: str
    principal_id: str | None
    provisioning_state: str
    soft_delete: str
    immutability: str
    redundancy: str
    soft_delete_days: float = 0
    cross_region_restore: bool = False
    cross_subscription_restore: bool = False
    guarded: bool = False
    """isVaultProtectedByResourceGuard: multi-user authorisation is on."""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackupPolicy:
    """Microsoft.DataProtection/backupVaults/backupPolicies."""

    arm_id: str
    name: str
    backup_rule_name: str
    """The AzureBackupRule's name: an on-demand backup must name it."""
    vault_tier: bool
    interval: str = ""
    """ISO-8601 duration between two scheduled backups; empty when it cannot be told."""
    start: str = ""
    """Time of day in UTC (hh:mm)."""
    operational_days: int = 0
    """Days of the default retention in the operational tier; 0 when it cannot be told."""
    vault_days: int | None = None
    """Days of the default retention in the vault tier; None when nothing is copied there."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role of a principal at a scope (lower-case ARM id); `role` is the role definition's GUID."""

    principal_id: str
    role: str
    scope: str


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """Microsoft.Authorization/roleAssignments, as far as it answers a grant. Inherited ones count."""

    arm_id: str
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """Microsoft.DataProtection/backupVaults/backupJobs."""

    arm_id: str
    status: str
    user_triggered: bool
    started_at: datetime
    ended_at: datetime | None = None
    error: StepError | None = None
    error_codes: tuple[str, ...] = ()
    """Of every error of the job, and of what lies in them."""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A backup or restore of the cluster that has not ended."""

    arm_id: str
    operation: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    arm_id: str
    taken_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class OperationState:
    """Where a long-running POST stands: Inprogress, Succeeded, Failed or Canceled, lower-cased."""

    status: str
    error: StepError | None = None
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class ObservedCluster:
    """Everything known of one cluster, each fact with its age. `operations` is by step key, `grants` by grant key."""

    cluster: Fact[Cluster] = UNOBSERVED
    extension: Fact[Extension] = UNOBSERVED
    bindings: Fact[tuple[TrustedAccessBinding, ...]] = UNOBSERVED
    instances: Fact[tuple[BackupInstance, ...]] = UNOBSERVED
    deleted_instance: Fact[str] = UNOBSERVED
    """ARM id of the Guard's own instance among the vault's soft-deleted ones; read only when it is missed."""
    account: Fact[StorageAccount] = UNOBSERVED
    """The account of its own or of an adopted extension; the region's shared account stands in the region's record."""
    container: Fact[BlobContainer] = UNOBSERVED
    vault: Fact[Vault] = UNOBSERVED
    """An adopted instance's vault, when it is not the region's."""
    policy: Fact[BackupPolicy] = UNOBSERVED
    """An adopted instance's policy, when it is not the region's."""
    grants: Mapping[str, Fact[RoleAssignment]] = field(default_factory=dict)
    recovery_point: Fact[RecoveryPoint] = UNOBSERVED
    """The newest one."""
    backup_job: Fact[Job] = UNOBSERVED
    """The on-demand backup the Guard started, or found when its start had no answer."""
    running_jobs: Fact[tuple[RunningJob, ...]] = UNOBSERVED
    """Backups and restores of the cluster under way; read only before the extension is changed."""
    evidence: Fact[Job] = UNOBSERVED
    """The job that shall count as an out-of-memory kill, as the jobs API itself tells of it."""
    node_memory: Fact[Mapping[str, int]] = UNOBSERVED
    """MiB of each VM size of the cluster's node pools, by lower-case name, as far as it is known; read only before the
    limit is raised."""
    group_tags: Fact[Mapping[str, str]] = UNOBSERVED
    """Tags of the cluster's resource group; read only when an alert may be routed by them."""
    operations: Mapping[str, Fact[OperationState]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObservedRegion:
    """Everything known of what one region's clusters share. `providers` holds registration states by namespace,
    `policies` is by policy name."""

    providers: Mapping[str, Fact[str]] = field(default_factory=dict)
    backup_group: Fact[ResourceGroup] = UNOBSERVED
    snapshot_group: Fact[ResourceGroup] = UNOBSERVED
    account: Fact[StorageAccount] = UNOBSERVED
    vault: Fact[Vault] = UNOBSERVED
    policies: Mapping[str, Fact[BackupPolicy]] = field(default_factory=dict)
    diagnostics: Fact[bool] = UNOBSERVED
    """Whether a diagnostic setting of the vault sends its jobs to the profile's workspace; read only when the profile
    names one."""
    grants: Mapping[str, Fact[RoleAssignment]] = field(default_factory=dict)


def grant_key(grant: Grant) -> str:
    return f"{grant.principal_id}|{grant.role}|{grant.scope}".lower()
