"""What one pass asks Azure: only what is pending, so that a fleet fits into its quota."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.errors import StepError
from shared.domain.observed import Grant, ObservedCluster, ObservedRegion


@dataclass(frozen=True, slots=True)
class JobSearch:
    """Look for an on-demand backup of the cluster that started at or after `since`: its start had no answer."""

    vault_id: str
    instance_id: str
    since: datetime
    soft_delete: str


@dataclass(frozen=True, slots=True)
class ClusterReads:
    """Each field asks for one fact; None, False or empty leaves the known one as it is."""

    cluster: bool = False
    extension: bool = False
    bindings: bool = False
    instances: bool = False
    account_id: str | None = None
    container_id: str | None = None
    vault_id: str | None = None
    policy_id: str | None = None
    grants: tuple[Grant, ...] = ()
    deleted_instance_id: str | None = None
    """ARM id the backup instance had: whether it is soft-deleted."""
    recovery_points_of: str | None = None
    """ARM id of the backup instance."""
    backup_job_id: str | None = None
    job_search: JobSearch | None = None
    operations: Mapping[str, str] = field(default_factory=dict)
    """Status URLs by step key."""
    running_jobs: bool = False
    evidence_id: str | None = None
    """ARM id of the job that shall count as an out-of-memory kill."""
    node_memory_in: str | None = None
    """The region whose VM sizes are asked for."""
    group_tags: bool = False


@dataclass(frozen=True, slots=True)
class RegionReads:
    """As `ClusterReads`. `providers` are namespaces; policies are read by ARM id."""

    providers: tuple[str, ...] = ()
    backup_group_id: str | None = None
    snapshot_group_id: str | None = None
    account_id: str | None = None
    vault_id: str | None = None
    policy_ids: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    diagnostics_to: str | None = None
    """ARM id of the workspace that the diagnostic settings of `diagnostics_of` shall send to."""
    diagnostics_of: str = ""


@dataclass(frozen=True, slots=True)
class Reading[Observed: (ObservedCluster, ObservedRegion)]:
    """What is known after reading. A fact whose read failed is Unobserved, and its error is listed."""

    observed: Observed
    errors: tuple[StepError, ...] = ()
