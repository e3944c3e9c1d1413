"""What Microsoft.DataProtection remembers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class UserError:
    """An error in this provider's words: in an envelope, in an operation, on an instance or in a job."""

    code: str
    message: str
    recommended_action: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupWarning:
    """Why a backup is incomplete: the resource that was missed and the reason."""

    resource_name: str
    error: UserError


@dataclass(slots=True)
class Policy:
    """A backup policy; `properties` as sent (objectType, datasourceTypes, policyRules)."""

    id: str
    name: str
    properties: dict[str, Any]


@dataclass(slots=True)
class DataStoreCopy:
    """Where a recovery point's data lies (OperationalStore or VaultStore) and until when (None: for ever)."""

    id: str
    type: str
    created: datetime
    expires: datetime | None


@dataclass(slots=True)
class RecoveryPoint:
    """One backup that can be restored. `state` is Completed or Partial; `sent_to_vault` also while the copy is on its
    way to the vault store; `snapshots` are the names of the volumes whose snapshots belong to it."""

    id: str
    time: datetime
    tag: str
    policy_name: str
    state: str
    copies: list[DataStoreCopy]
    sent_to_vault: bool = False
    snapshots: tuple[str, ...] = ()
    resource_count: int = 0


@dataclass(slots=True)
class Job:
    """A backup or restore. `ended` is None while it runs; `source_point` and `target_cluster_id` only on a restore;
    `resource_count` only on a backup that took something."""

    id: str
    name: str
    instance: "BackupInstance"
    vault_id: str
    policy_id: str
    operation: str
    is_user_triggered: bool
    activity_id: str
    started: datetime
    touched: datetime
    tag: str | None = None
    status: str = "InProgress"
    ended: datetime | None = None
    errors: tuple[UserError, ...] = ()
    warnings: tuple[BackupWarning, ...] = ()
    recovery_point: RecoveryPoint | None = None
    source_point: RecoveryPoint | None = None
    source_store: str | None = None
    target_cluster_id: str | None = None
    resource_count: int | None = None


@dataclass(slots=True)
class DeletionInfo:
    deleted: datetime
    purge: datetime
    activity_id: str


@dataclass(slots=True)
class BackupInstance:
    """A cluster under a policy. `properties` is what the caller set, in the shape the service answers.

    `next_policy_id` is the policy it will have when a running change ends; `next_backup_at` is when its schedule will
    start a backup, where schedules run by themselves; `cluster_uid` is the uid of the cluster that
    protection was configured for; `activity_id` is the last change's, for support."""

    id: str
    name: str
    vault_id: str
    datasource_id: str
    properties: dict[str, Any]
    policy_id: str
    activity_id: str
    next_policy_id: str = ""
    state: str = "ConfiguringProtection"
    provisioning_state: str = "Provisioning"
    error: UserError | None = None
    cluster_uid: str | None = None
    next_backup_at: datetime | None = None
    recovery_points: list[RecoveryPoint] = field(default_factory=list)
    deletion: DeletionInfo | None = None


@dataclass(frozen=True, slots=True)
class ResourceGuardProxy:
    """The link of a vault to a resource guard: multi-user authorisation."""

    id: str
    resource_guard_id: str
    updated: str


@dataclass(slots=True)
class Vault:
    """A Backup vault. `properties` is what the caller set; children by lower-case name."""

    id: str
    name: str
    location: str
    subscription_id: str
    resource_group: str
    tags: dict[str, str] | None
    identity: dict[str, Any]
    properties: dict[str, Any]
    provisioning_state: str = "Provisioning"
    policies: dict[str, Policy] = field(default_factory=dict)
    instances: dict[str, BackupInstance] = field(default_factory=dict)
    deleted_instances: dict[str, BackupInstance] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    guard: ResourceGuardProxy | None = None

    @property
    def principal_id(self) -> str | None:
        """Object id of the vault's system-assigned identity: the one that trusted access and roles go to."""
        found: str | None = self.identity.get("principalId")
        return found
