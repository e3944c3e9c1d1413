"""The shape of guard.yaml where it says what a sweep holds clusters to, and what of that is put right."""

from typing import Annotated, Literal

from pydantic import Field

from shared.domain.alerts import Severity
from shared.profiles.base_models import Model
from shared.profiles.fields import ControlId, Currency, Duration, NonEmpty, TagName, Within

Redundancy = Literal["GeoRedundant", "ZoneRedundant", "LocallyRedundant"]
Price = Annotated[float, Within(0, 1_000_000, least="nothing")]


class RepairsModel(Model):
    """What of an existing protection is put back, in `enforce`. What the Guard made and is missing always is."""

    resume_suspended: bool = Field(
        default=True, description="Resume the Guard's own backup instance when its backups are suspended."
    )
    resume_stopped: bool = Field(default=False, description="The same when its protection is stopped.")
    vault_settings: bool = Field(
        default=True, description="Raise settings of the Guard's own vaults; only what can be undone, none is lowered."
    )
    one_way: bool = Field(
        default=False,
        description="Raise also what can never be undone: soft delete AlwaysOn, immutability Locked, cross-region "
        "restore.",
    )


class ComplianceModel(Model):
    """What a sweep holds the clusters to. docs/controls.md has all controls."""

    recovery_point_within: Duration | None = Field(
        default=None,
        description="How old the newest good recovery point may be (RPO); unsaid: one and a half intervals.",
    )
    no_out_of_memory_within: Duration = Field(
        default="P14D", description="How long ago the extension last ran out of memory; at most P14D is known."
    )
    restored_within: Duration | None = Field(
        default=None, description="A restore must have completed within so long, for example P90D; unsaid: never asked."
    )
    multi_user_authorisation: bool = Field(
        default=False, description="Whether a Resource Guard must protect the vault."
    )
    diagnostics: bool = Field(default=False, description="Whether the vault must send its jobs to some workspace.")
    severities: dict[ControlId, Severity] = Field(default={}, description="By control, where yours is another one.")
    without: list[ControlId] = Field(default=[], description="Controls that are not asked for.")
    alert_from: Severity | None = Field(
        default="Error", description="Verdicts at least so grave become an alert; null: none does."
    )


class SweepModel(Model):
    """How the whole fleet is judged, once a day."""

    team_tag: TagName = Field(default="team", description="The cluster's tag that says whose it is.")
    repairs_per_sweep: Annotated[int, Within(0, 100_000, least="none")] = Field(
        default=100, description="Clusters that are looked at for repair after one sweep, at most."
    )
    stop_above: Annotated[float, Within(0, 1, "all of them", "none")] = Field(
        default=0.2, description="Circuit breaker: the share of enforced clusters that may have drifted at once."
    )
    stop_least: Annotated[int, Within(1, 1_000_000, least="one cluster")] = Field(
        default=10, description="So few clusters never open the circuit breaker."
    )
    keep_days: Annotated[int, Within(1, 3650, "ten years", "a day")] = Field(
        default=90, description="Days whole sweeps are kept; summaries and changes ten times as long."
    )


class KqlControlModel(Model):
    """A control of your own: a query of Resource Graph whose rows name, in the column id, the clusters that do not
    comply, and in message, when there is one, why."""

    id: ControlId = Field(description="None of docs/controls.md.")
    title: NonEmpty
    query: NonEmpty = Field(description="Its rows need the column id: the cluster's ARM id.")
    severity: Severity = "Warning"
    remedy: str = Field(default="", description="What a person should do.")
    essential: bool = Field(
        default=False, description="Whether a cluster that does not comply counts as not restorable."
    )


class PricesModel(Model):
    """What `aks-backup-guard cost` reckons with, a month. What is not given is said not to be known."""

    currency: Currency = "USD"
    protected_namespace: Price | None = Field(default=None, description="Azure's fee for each protected namespace.")
    snapshot_gib: Price | None = Field(default=None, description="For each GiB of incremental snapshots.")
    vault_gib: dict[Redundancy, Price] = Field(default={}, description="For each GiB in the vault tier, by redundancy.")
    daily_change: Annotated[float, Within(0, 1, "all of it", "none")] = Field(
        default=0.02, description="Share of a volume that changes in a day."
    )
    namespaces: Annotated[int, Within(0, 100_000, least="none")] | None = Field(
        default=None, description="Namespaces of a cluster whose number nobody knows."
    )
    volume_gib: Annotated[float, Within(0, 1_000_000_000, least="none")] | None = Field(
        default=None, description="GiB of volumes of a cluster whose size nobody knows."
    )
