"""guard.yaml's shape. Field names are those of `shared.domain.profile`; descriptions reach editors by the schema."""

from typing import Annotated, Literal

from pydantic import Field

from shared.domain.profile import BackupInterval, Isolation, Mode
from shared.profiles.alert_models import AlertingModel, CuresModel, MemoryModel, NotificationsModel
from shared.profiles.base_models import Model, SelectorModel
from shared.profiles.compliance_models import ComplianceModel, KqlControlModel, PricesModel, RepairsModel, SweepModel
from shared.profiles.fields import (
    Cpu,
    DayOrTime,
    Duration,
    Guid,
    IdentityId,
    KeyUri,
    LabelSelector,
    ManagementGroup,
    Memory,
    Namespace,
    NonEmpty,
    PolicyId,
    ProfileName,
    PublicAddress,
    PythonFile,
    ResourceGroupId,
    StorageAccountId,
    SubnetId,
    TagName,
    TagValue,
    TimeOfDay,
    VaultClass,
    VaultId,
    Within,
    WorkspaceId,
)


class ScheduleModel(Model):
    """When Azure Backup makes backups."""

    interval: BackupInterval = Field(
        default="P1D", description="Time between backups; Azure has 4, 6, 8, 12 and 24 hours."
    )
    start: TimeOfDay = Field(default="02:00", description="Time of day of the first backup, UTC.")


class RetentionModel(Model):
    """How long recovery points are kept."""

    operational_days: Annotated[int, Within(1, 360, "Azure's 360 days", "a day")] = Field(
        default=7, description="Days that snapshots are kept in the subscription (operational tier)."
    )
    vault_days: Annotated[int, Within(1, 3650, "Azure's ten years", "a day")] | None = Field(
        default=None,
        description="Days that the copy of each day's first backup is kept in the vault tier; unsaid: no copy.",
    )


class VaultModel(Model):
    """What a vault gets that the Guard creates. One vault serves all clusters of a region and vault class."""

    soft_delete: Literal["AlwaysOn", "On"] | None = Field(
        default=None,
        description="Needed when a vault is created. AlwaysOn can never be undone; On can be switched off.",
    )
    vault_class: VaultClass = Field(
        default="default", description="Profiles of one class share vault and storage account."
    )
    soft_delete_days: Annotated[int, Within(14, 180, "Azure's 180 days", "Azure's 14 days")] = Field(
        default=14, description="Days a deleted backup can be brought back; Azure charges for more than 14."
    )
    redundancy: Literal["GeoRedundant", "ZoneRedundant", "LocallyRedundant"] = Field(
        default="GeoRedundant", description="Of the vault tier; cannot be changed once something is protected."
    )
    immutability: Literal["Disabled", "Unlocked", "Locked"] = Field(
        default="Disabled", description="Locked can never be undone."
    )
    cross_region_restore: bool = Field(default=False, description="Needs GeoRedundant; cannot be switched off again.")
    cross_subscription_restore: bool = Field(
        default=True, description="Restore into other subscriptions of the tenant."
    )
    diagnostics_workspace_id: WorkspaceId | None = Field(
        default=None, description="Log Analytics workspace that the vault's jobs are sent to; unsaid: nowhere."
    )


class HookModel(Model):
    """A backup hook of the cluster."""

    name: NonEmpty
    namespace: Namespace


class ScopeModel(Model):
    """What of a cluster is backed up; what is left empty means all."""

    included_namespaces: list[Namespace] = Field(default=[], description="At most 800; empty: all but the excluded.")
    excluded_namespaces: list[Namespace] = Field(default=[], description="At most 800.")
    included_resource_types: list[NonEmpty] = Field(default=[], description="Empty: all but the excluded.")
    excluded_resource_types: list[NonEmpty] = Field(default=[], description="For example v1/Secret.")
    label_selectors: list[LabelSelector] = Field(
        default=[], description="For example app=web; empty: no matter the labels."
    )
    include_cluster_scoped_resources: bool = Field(default=True, description="Resources outside of namespaces.")
    snapshot_volumes: bool = Field(default=True, description="Persistent volumes too, not only Kubernetes resources.")
    volume_types: list[Literal["AzureDisk", "AzureFileShareSMB"]] = Field(default=["AzureDisk"], min_length=1)
    hooks: list[HookModel] = Field(default=[], description="Backup hooks to run.")


class ExtensionModel(Model):
    """Resources of the backup extension's pods; unsaid: Azure's own values."""

    memory_limit: Memory | None = None
    cpu_limit: Cpu | None = None
    memory_request: Memory | None = None
    cpu_request: Cpu | None = None


class KeyModel(Model):
    """Encrypts the storage account and vault that are created."""

    key_uri: KeyUri
    identity_id: IdentityId = Field(description="User-assigned identity that may use the key.")


class NetworkModel(Model):
    """Of the storage account that is created; Azure's trusted services always pass."""

    default_action: Literal["Allow", "Deny"] = "Allow"
    ip_rules: list[PublicAddress] = Field(default=[])
    subnet_ids: list[SubnetId] = Field(default=[])


class ExistingModel(Model):
    """What is there already and is used instead of being created."""

    backup_group_id: ResourceGroupId | None = Field(default=None, description="For vault and storage account.")
    snapshot_group_id: ResourceGroupId | None = Field(
        default=None, description="For snapshots only; never with a vault."
    )
    storage_account_id: StorageAccountId | None = None
    vault_id: VaultId | None = Field(default=None, description="Nothing is changed on it.")
    policy_id: PolicyId | None = Field(default=None, description="A policy of that vault.")


class ProfileModel(Model):
    """How a cluster shall be protected."""

    mode: Mode = Field(default="audit", description="audit: plan and report, change nothing; enforce: protect.")
    vault: VaultModel = Field(default_factory=VaultModel)
    schedule: ScheduleModel = Field(default_factory=ScheduleModel)
    retention: RetentionModel = Field(default_factory=RetentionModel)
    scope: ScopeModel = Field(default_factory=ScopeModel)
    first_backup: bool = Field(default=True, description="Ask for a backup as soon as a cluster is protected.")
    isolation: Isolation = Field(
        default="shared-account",
        description="In a shared account one cluster's extension can read another's backed-up Secrets.",
    )
    extension: ExtensionModel = Field(default_factory=ExtensionModel)
    tags: dict[TagName, TagValue] = Field(default={}, description="Tags on everything that is created.")
    customer_managed_key: KeyModel | None = None
    network: NetworkModel = Field(default_factory=NetworkModel)
    existing: ExistingModel = Field(default_factory=ExistingModel)
    minimum_age: Duration = Field(default="PT0S", description="Younger clusters are left alone, for example PT2H.")
    memory: MemoryModel = Field(default_factory=MemoryModel)
    cures: CuresModel = Field(default_factory=CuresModel)
    alerts: AlertingModel = Field(default_factory=AlertingModel)
    repairs: RepairsModel = Field(default_factory=RepairsModel)
    compliance: ComplianceModel = Field(default_factory=ComplianceModel)


class RuleModel(Model):
    """The first rule that matches a cluster gives its profile."""

    match: SelectorModel = Field(default_factory=SelectorModel, description="Unsaid: every cluster.")
    profile: ProfileName | None = Field(description="null leaves the clusters alone.")


class ExemptionModel(Model):
    """Clusters that a person has taken out."""

    match: SelectorModel
    reason: NonEmpty = Field(description="Why, and who says so.")
    expires: DayOrTime | None = Field(default=None, description="Last day (UTC), or a time with zone; unsaid: no end.")


class RingModel(Model):
    """A part of the fleet in the roll-out of a changed profile."""

    name: NonEmpty
    match: SelectorModel = Field(default_factory=SelectorModel)
    wait: Duration = Field(default="PT0S", description="How long after the ring before, for example PT24H.")


class RolloutModel(Model):
    """How a changed profile reaches clusters that live under an older one. New clusters do not wait."""

    rings: list[RingModel] = Field(default=[])
    clusters_per_hour: Annotated[int, Within(1, 100_000, least="one cluster")] = 60
    stop_after: Annotated[int, Within(1, 1_000_000, least="one cluster")] = Field(
        default=100, description="Circuit breaker: after so many clusters a person must look and raise it."
    )


class ConfigurationModel(Model):
    """Configuration of AKS Backup Guard."""

    revision: Annotated[int, Within(1, 10**15)] = Field(description="Raise it with every change.")
    subscriptions: list[Guid] = Field(default=[], description="Whose clusters are looked for without an event.")
    management_groups: list[ManagementGroup] = Field(
        default=[], description="Those of all subscriptions below them too."
    )
    profiles: dict[ProfileName, ProfileModel] = Field(description="By name.")
    rules: list[RuleModel] = Field(description="The first that matches counts.")
    exemptions: list[ExemptionModel] = Field(default=[])
    rollout: RolloutModel = Field(default_factory=RolloutModel)
    notifications: NotificationsModel = Field(default_factory=NotificationsModel)
    sweep: SweepModel = Field(default_factory=SweepModel)
    controls: list[KqlControlModel] = Field(default=[], description="Of your own, as queries of Resource Graph.")
    control_files: list[PythonFile] = Field(default=[], description="Of your own, as Python; relative to this file.")
    prices: PricesModel = Field(default_factory=PricesModel)
