"""The desired state. A *profile* is ours; the word policy is Azure's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.domain.alerts import Severity

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
class MemoryLadder:
    """How the extension's memory limit follows its out-of-memory kills. Quantities are Kubernetes'. The documented
    default limit is 1280Mi and the documented example of a raised one 4400Mi (AKS backup troubleshooting page)."""

    automatic: bool = True
    """False: out-of-memory kills are only alerted."""
    rungs: tuple[str, ...] = ("1280Mi", "2560Mi", "4400Mi", "6Gi", "8Gi")
    ceiling: str = "8Gi"
    cpu_limit_after: str | None = None
    """CPU limit to set when the last rung was not enough; None: the CPU is left alone."""
    raise_request: bool = False
    """The memory request follows the limit, so that only a node that can hold it gets the pod."""
    node_share: float = 0.75
    """Of the smallest node's memory the limit may take at most; AKS reserves up to a quarter of a node's memory."""
    raise_ahead: bool = False
    """One rung up before anything happens, when more than 1,000 resources are backed up."""
    come_down_after: float | None = None
    """Seconds of clean backups after which the limit comes down one rung; None: it never does."""


@dataclass(frozen=True, slots=True)
class Cures:
    """What the Guard may do by itself after a failed job. The gated ones need the profile's word."""

    automatic: bool = True
    reinstall_extension: bool = False
    retries_per_day: int = 5
    """On-demand backups a day and cluster that the Guard may ask for; Azure allows ten in all."""


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """`days` are 0 (Monday) to 6; `start` is hh:mm in `time_zone` (IANA); `seconds` is how long it lasts."""

    days: tuple[int, ...]
    start: str
    seconds: float
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class OneTimeWindow:
    start: datetime
    end: datetime


MaintenanceWindow = WeeklyWindow | OneTimeWindow


@dataclass(frozen=True, slots=True)
class Alerting:
    """When something becomes an alert, and when an alert becomes graver. Seconds."""

    not_protected_after: float = 7200
    """A cluster that is still not protected, although nobody needs to act."""
    blocked_after: float = 1800
    """A condition that is False and needs a person."""
    escalate_after_failures: int = 3
    escalate_after: float = 86400
    maintenance: tuple[MaintenanceWindow, ...] = ()


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
    memory: MemoryLadder = field(default_factory=MemoryLadder)
    cures: Cures = field(default_factory=Cures)
    alerts: Alerting = field(default_factory=Alerting)
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
class QuietHours:
    """Nothing below `unless` is sent between `start` and `end` (hh:mm in `time_zone`, IANA); it is sent afterwards."""

    start: str
    end: str
    time_zone: str = "UTC"
    unless: Severity = "Critical"


@dataclass(frozen=True, slots=True)
class Route:
    """Whom to tell: every route that matches an alert gets it. Empty `profiles` match every profile; `fallback` takes
    what no other route took. `channels` name app settings that hold the addresses."""

    name: str
    selector: Selector = field(default_factory=Selector)
    profiles: tuple[str, ...] = ()
    least: Severity = "Warning"
    channels: tuple[str, ...] = ()
    quiet_hours: QuietHours | None = None
    updates: bool = False
    """Tell of each further occurrence and cure, not only of opening, escalation and resolution."""
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Notifications:
    """`group_wait`: seconds the first announcement of a route waits for others to come along; `group_interval`: seconds
    at least between two messages of a route. `dashboard_url` is linked in messages."""

    routes: tuple[Route, ...] = ()
    group_wait: float = 120
    group_interval: float = 300
    dashboard_url: str = ""


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
    notifications: Notifications = field(default_factory=Notifications)
    digest: str = ""
