"""A sweep under way: what its row remembers between two invocations, so that it can be killed anywhere and goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.domain.compliance import Finding, Repairs, SweepSummary, VerdictStatus
from shared.domain.fleet import Source

Stage = Literal["judging", "telling", "done"]


@dataclass(frozen=True, slots=True)
class Sum:
    """What a `Tally` is made of; `scores` is the sum over the `scored` ones."""

    clusters: int = 0
    yes: int = 0
    no: int = 0
    unknown: int = 0
    exempt: int = 0
    scores: float = 0.0
    scored: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the clusters judged so far."""

    overall: Sum = field(default_factory=Sum)
    by_team: Mapping[str, Sum] = field(default_factory=dict)
    by_subscription: Mapping[str, Sum] = field(default_factory=dict)
    by_location: Mapping[str, Sum] = field(default_factory=dict)
    by_profile: Mapping[str, Sum] = field(default_factory=dict)
    by_control: Mapping[str, Mapping[VerdictStatus, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some subscriptions that are asked about together. `lost` says why nobody is asked about them: their clusters are
    only known from the sweep before. `pages` and `change_pages` are how many rows were written once it was judged."""

    subscriptions: tuple[str, ...]
    lost: str = ""
    pages: int = 0
    change_pages: int = 0


@dataclass(frozen=True, slots=True)
class Drift:
    """What a sweep has seen of it so far. `enforced` counts the clusters in enforce; `chosen` are those to be looked at
    first, each behind the number that orders them."""

    enforced: int = 0
    drifted: int = 0
    chosen: tuple[tuple[str, str], ...] = ()
    regions: tuple[str, ...] = ()
    """Keys of those whose vaults fall short of their clusters' profiles."""


@dataclass(frozen=True, slots=True)
class SweepRun:
    """The one sweep under way, or the last one that was. `before` is the sweep it is compared with; `batches` up to
    `done` are judged and written. `claims` counts the invocations since the last progress; `unfinished` are sweeps that
    were given up, whose rows have still to go."""

    sweep_id: str
    started_at: datetime
    configuration_revision: int
    before: str = ""
    stage: Stage = "judging"
    planned: bool = False
    batches: tuple[Batch, ...] = ()
    done: int = 0
    claims: int = 0
    waits: int = 0
    """Invocations that ended because Azure did not answer everything."""
    totals: Totals = field(default_factory=Totals)
    names: Mapping[str, str] = field(default_factory=dict)
    """Of subscriptions."""
    findings: tuple[Finding, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    """By control: findings for which there was no room."""
    sources: tuple[Source, ...] = ()
    calls: int = 0
    changes: int = 0
    matched: tuple[int, ...] = ()
    """Exemptions of guard.yaml, by their place, that matched a cluster."""
    confirmed: int = 0
    """Direct reads so far of clusters whose backup instance is left."""
    diagnosed: int = 0
    """Direct reads of vaults so far."""
    vanished: int = 0
    """Direct reads so far of clusters that are no longer listed."""
    newest_extension: str = ""
    drift: Drift = field(default_factory=Drift)
    repairs: Repairs = field(default_factory=Repairs)
    opens_breaker: bool = False
    ended_at: datetime | None = None
    lease_id: str = ""
    lease_until: datetime | None = None
    unfinished: tuple[str, ...] = ()
    etag: str = ""


@dataclass(frozen=True, slots=True)
class KeptSweep:
    """A finished sweep as it is stored: the summary, and where its clusters lie."""

    summary: SweepSummary
    batches: tuple[Batch, ...]
