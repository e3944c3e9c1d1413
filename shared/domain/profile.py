"""The desired state. A *profile* is ours; the word policy is Azure's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Mode = Literal["audit", "enforce"]
Isolation = Literal["shared-account", "account-per-cluster"]
BackupInterval = Literal["PT4H", "PT6H", "PT8H", "PT12H", "P1D"]


@dataclass(frozen=True, slots=True)
class BackupSchedule:
    """`interval` is an ISO-8601 duration, `start` the time of day in UTC (hh:mm)."""

    interval: BackupInterval = "P1D"
    start: str = "02:00"


@dataclass(frozen=True, slots=True)
class Retention:
    """Days. `vault_days` asks for a copy in the vault tier; None keeps snapshots only."""

    operational_days: int = 7
    vault_days: int | None = None


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """What a created vault gets. `soft_delete` AlwaysOn can never be undone, so nobody but the profile says it."""

    soft_delete: Literal["AlwaysOn", "On"]
    vault_class: str = "default"
    soft_delete_days: int = 14
    redundancy: Literal["GeoRedundant", "ZoneRedundant", "LocallyRedundant"] = "GeoRedundant"
    immutability: Literal["Disabled", "Unlocked", "Locked"] = "Disabled"
    cross_region_restore: bool = False
    cross_subscription_restore: bool = True


@dataclass(frozen=True, slots=True)
class HookReference:
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class BackupScope:
    """What of a cluster is backed up. Empty means all, as Azure has it."""

    included_namespaces: tuple[str, ...] = ()
    excluded_namespaces: tuple[str, ...] = ()
    included_resource_types: tuple[str, ...] = ()
    excluded_resource_types: tuple[str, ...] = ()
    label_selectors: tuple[str, ...] = ()
    include_cluster_scoped_resources: bool = True
    snapshot_volumes: bool = True
    volume_types: tuple[str, ...] = ("AzureDisk",)
    hooks: tuple[HookReference, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtensionResources:
    """Kubernetes quantities for the extension's pods; None leaves Azure's default."""

    memory_limit: str | None = None
    cpu_limit: str | None = None
    memory_request: str | None = None
    cpu_request: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerManagedKey:
    """Encrypts the storage account and the vault that are created."""

    key_uri: str
    identity_id: str


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """Of the storage account that is created. Azure's trusted services always pass."""

    default_action: Literal["Allow", "Deny"] = "Allow"
    ip_rules: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingResources:
    """ARM ids of what is there already and shall be used instead of created; None creates."""

    backup_group_id: str | None = None
    snapshot_group_id: str | None = None
    storage_account_id: str | None = None
    vault_id: str | None = None
    policy_id: str | None = None


@dataclass(frozen=True, slots=True)
class ProtectionProfile:
    """How a cluster shall be protected. `minimum_age` in seconds leaves short-lived clusters alone."""

    name: str
    vault: VaultSettings
    mode: Mode = "audit"
    schedule: BackupSchedule = field(default_factory=BackupSchedule)
    retention: Retention = field(default_factory=Retention)
    scope: BackupScope = field(default_factory=BackupScope)
    first_backup: bool = True
    isolation: Isolation = "shared-account"
    extension: ExtensionResources = field(default_factory=ExtensionResources)
    tags: Mapping[str, str] = field(default_factory=dict)
    customer_managed_key: CustomerManagedKey | None = None
    network: NetworkRules = field(default_factory=NetworkRules)
    existing: ExistingResources = field(default_factory=ExistingResources)
    minimum_age: float = 0
    digest: str = ""
    """SHA-256 hex of the content, filled in when the configuration is read."""


@dataclass(frozen=True, slots=True)
class Selector:
    """All that is given must match; patterns are shell-style (`*`, `?`), without regard to case."""

    subscriptions: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule whose selector matches gives the profile; a None profile leaves the cluster alone."""

    selector: Selector
    profile: str | None


@dataclass(frozen=True, slots=True)
class Exemption:
    """Clusters a person has taken out, why, and until when (None: no end)."""

    selector: Selector
    reason: str
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """A part of the fleet that takes a changed profile `wait` seconds after the ring before it."""

    name: str
    selector: Selector
    wait: float = 0


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a *changed* profile reaches clusters that already live under an older one. New clusters do not wait.
    `clusters_per_hour` is the pace; after `stop_after` clusters the circuit breaker asks for a person, who raises
    it in guard.yaml."""

    rings: tuple[Ring, ...] = ()
    clusters_per_hour: int = 60
    stop_after: int = 100


@dataclass(frozen=True, slots=True)
class Configuration:
    """guard.yaml, validated. An instance that holds an older `revision` than a record never acts on it."""

    revision: int
    profiles: Mapping[str, ProtectionProfile]
    rules: tuple[Rule, ...]
    exemptions: tuple[Exemption, ...] = ()
    rollout: Rollout = field(default_factory=Rollout)
    subscriptions: tuple[str, ...] = ()
    """Whose clusters are looked for without an event; the app settings may add to it."""
    digest: str = ""
