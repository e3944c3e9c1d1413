"""The fleet as Resource Graph shows it: many clusters in a few questions. Its rows are minutes old, and what the caller
may not read is left out of them without a word; so a verdict may rest on them, a change never does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.facts import UNOBSERVED, Fact
from shared.domain.ids import ClusterId
from shared.domain.observed import BackupInstance, BackupPolicy, Cluster, Extension, Grant, TrustedAccessBinding, Vault
from shared.domain.record import BackupEnd


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose clusters are the fleet: subscription ids (lower-case), and management groups by name."""

    subscriptions: tuple[str, ...] = ()
    management_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One question, and what its answer can be traced by: when Azure answered the first page, and the request ids of
    all pages. `error` says why there is no answer."""

    name: str
    at: datetime
    request_ids: tuple[str, ...] = ()
    rows: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One in scope. `clusters` is how many Resource Graph counts in it."""

    subscription_id: str
    name: str
    clusters: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FleetScope:
    """What the scope means at this moment. `unreadable`: what was named but Resource Graph does not show (missing
    rights, or no such thing)."""

    subscriptions: tuple[Subscription, ...]
    unreadable: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class JobsDigest:
    """What Resource Graph's fourteen days of jobs say of one cluster. None: no such job among them."""

    last: BackupEnd | None = None
    """The newest ended backup; `key` is the job's ARM id."""
    last_codes: tuple[str, ...] = ()
    """Of every error and warning of that backup; empty: it was clean, or its row does not tell."""
    last_clean_at: datetime | None = None
    """End of the newest backup that Completed without warnings."""
    last_restore_at: datetime | None = None
    """End of the newest restore that Completed."""
    last_out_of_memory_at: datetime | None = None
    """End of the newest job that failed because the extension's pod was restarted."""


@dataclass(frozen=True, slots=True)
class SeenCluster:
    """One cluster with what lies under its ARM id or points at it."""

    cluster_id: ClusterId
    cluster: Cluster
    extension: Fact[Extension] = UNOBSERVED
    instances: Fact[tuple[BackupInstance, ...]] = UNOBSERVED
    jobs: Fact[JobsDigest] = UNOBSERVED
    unread_assignments: frozenset[str] = frozenset()
    """Subscriptions whose role assignments the caller may not read: that a grant is missing there says nothing."""


@dataclass(frozen=True, slots=True)
class FleetBatch:
    """All clusters of some subscriptions. `grants` are those of the roles that backups need, inherited scopes included;
    `orphans` are backup instances whose cluster lies in these subscriptions but is not listed."""

    clusters: tuple[SeenCluster, ...]
    grants: Fact[frozenset[Grant]] = UNOBSERVED
    orphans: tuple[BackupInstance, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedFacts:
    """What many clusters share, by lower-case ARM id, of all the subscriptions the caller may read."""

    vaults: Fact[Mapping[str, Vault]] = UNOBSERVED
    policies: Fact[Mapping[str, BackupPolicy]] = UNOBSERVED
    diagnostics: Mapping[str, Fact[bool]] = field(default_factory=dict)
    """By vault: whether a diagnostic setting sends its backup jobs anywhere. Read one by one, in rotation."""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the Guard's own record says of a cluster that Resource Graph does not hold, each with its own age."""

    bindings: Fact[tuple[TrustedAccessBinding, ...]] = UNOBSERVED
    remaining: tuple[str, ...] = ()
    """What the last look left to do."""
    ready: str = ""
    """Reason of the condition Ready; empty when it is True."""
    last_restore_at: datetime | None = None
    memory_exhausted: str = ""
    deleted_at: datetime | None = None
    resource_uid: str = ""
    """Of the cluster that was looked at last: what is listed now with another one is a new cluster of that name."""
    reborn_at: datetime | None = None
    """When a new cluster under the same ARM id was first seen: what Azure has from before is not of this one."""
    protected: bool = False
    """Whether the Guard has once put or found its protection healthy: what is missing now is drift."""
    profile_digest: str = ""
    """Under which the cluster was last planned for: what another one asks for comes by its rollout."""
    compliant: str = ""
    """Digest of the condition Compliant, or that it is out of date; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Managed disks of volumes. `namespace` is the one of their claims; `gib` is what is provisioned, which is at least
    what is used; `count` disks in all."""

    namespace: str
    gib: float
    count: int = 1
