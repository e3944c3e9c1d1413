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
    diagnostics_workspace_id: str | None = None
    """ARM id of the Log Analytics workspace that the vault's jobs are sent to; None: nobody's business."""


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
class Repairs:
    """What of an existing protection the Guard puts back by itself, in `enforce`. What it made and is missing is always
    put back; what can never be undone needs the profile's word."""

    resume_suspended: bool = True
    """A backup instance of the Guard's own in BackupsSuspended is resumed; an exemption is how a person orders it."""
    resume_stopped: bool = False
    """The same for ProtectionStopped."""
    vault_settings: bool = True
    """Raise settings of the Guard's own vaults to the profile's, only those that can be undone, and never lower any."""
    one_way: bool = False
    """Raise also what can never be undone: soft delete AlwaysOn, immutability Locked, cross-region restore."""


@dataclass(frozen=True, slots=True)
class ComplianceRules:
    """What a sweep holds the profile's clusters to. Seconds; None leaves a control out."""

    recovery_point_within: float | None = None
    """The promise (RPO); None: one and a half intervals of the schedule, as Azure itself warns."""
    no_out_of_memory_within: float = 14 * 86400.0
    restored_within: float | None = None
    """A restore of the cluster must have Completed within so long."""
    multi_user_authorisation: bool = False
    diagnostics: bool = False
    """The vault must send its jobs to some workspace."""
    severities: Mapping[str, Severity] = field(default_factory=dict)
    """By control id, where the profile sees it otherwise."""
    without: tuple[str, ...] = ()
    """Ids of controls that do not apply."""
    alert_from: Severity | None = "Error"
    """Verdicts at least so grave become an alert, when the loop itself has nothing to say about the cluster; None:
    never."""


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
    repairs: Repairs = field(default_factory=Repairs)
    compliance: ComplianceRules = field(default_factory=ComplianceRules)
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
class SweepRules:
    """`team_tag` names the cluster's tag that says whose it is. `repairs_per_sweep` looks at drifted clusters are asked
    for at most; when more than `stop_above` (a share, 0 to 1) of the enforced fleet, and at least `stop_least`
    clusters, would change at once, nothing is repaired until a person says so."""

    team_tag: str = "team"
    repairs_per_sweep: int = 100
    stop_above: float = 0.2
    stop_least: int = 10
    keep_days: int = 90
    """Whole sweeps are kept so long; their summaries and changes ten times as long."""


@dataclass(frozen=True, slots=True)
class KqlControl:
    """A control of the user's own: a Resource Graph query whose rows name, in the column `id`, the clusters that do not
    comply, and in `message`, when there is one, why."""

    id: str
    title: str
    query: str
    severity: Severity = "Warning"
    remedy: str = ""
    essential: bool = False
    """Whether a cluster that does not comply counts as not restorable."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What `cost` reckons with, in `currency` per month; None: not given, and what needs it is said not to be known."""

    currency: str = "USD"
    protected_namespace: float | None = None
    snapshot_gib: float | None = None
    vault_gib: Mapping[str, float] = field(default_factory=dict)
    """By redundancy."""
    daily_change: float = 0.02
    """Share of a volume that changes from one day to the next: what an incremental snapshot holds."""
    namespaces: int | None = None
    """Namespaces of a cluster whose number nobody knows."""
    volume_gib: float | None = None
    """Volumes of a cluster whose size nobody knows."""


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
    management_groups: tuple[str, ...] = ()
    """By name; their subscriptions are in scope too."""
    notifications: Notifications = field(default_factory=Notifications)
    sweep: SweepRules = field(default_factory=SweepRules)
    controls: tuple[KqlControl, ...] = ()
    control_files: tuple[str, ...] = ()
    """Python files with controls of the user's own, relative to guard.yaml."""
    prices: Prices = field(default_factory=Prices)
    digest: str = ""
