"""What a sweep says: could this cluster be restored today, to the promise its profile makes?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.domain.alerts import Severity
from shared.domain.fleet import Source

VerdictStatus = Literal["Compliant", "NonCompliant", "Unknown", "Exempt"]
"""Azure Policy's words. What could not be read is Unknown and never Compliant."""
Restorable = Literal["Yes", "No", "Unknown", "Exempt"]

FactValue = str | int | float | bool | None | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one control about one cluster. `reason` is one CamelCase word, `message` says it to a person, `remedy` what to
    do; all empty for Compliant, whose title says enough. `since` is when the status became what it is."""

    control: str
    status: VerdictStatus
    severity: Severity = "Warning"
    reason: str = ""
    message: str = ""
    remedy: str = ""
    since: datetime | None = None
    expires: datetime | None = None
    """Of an exemption."""


@dataclass(frozen=True, slots=True)
class JudgedCluster:
    """One cluster as a sweep found it. Names are spelt as Azure has them; they, `team` and every fact may be
    hostile text."""

    cluster_id: str
    name: str
    subscription_id: str
    resource_group: str
    location: str
    team: str
    profile: str
    """Empty when no profile was found for it."""
    mode: str
    verdicts: tuple[Verdict, ...]
    """One for each control that applies, in the catalogue's order."""
    facts: Mapping[str, FactValue]
    """What the verdicts rest on, by name; `Control.rests_on` says which fact a control looks at. Times are ISO 8601."""
    score: float
    """0 to 100: the share of what applies, by weight of severity, that is Compliant. Exempt ones do not count."""
    restorable: Restorable
    remaining: tuple[str, ...] = ()
    """What the Guard has still to do, or would do if it were let."""
    judged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the fleet rather than one cluster of it: an orphaned instance, a scope that shrank or could not
    be read, an exemption that matches nothing. `subject` is an ARM id, a subscription id or a name in guard.yaml."""

    control: str
    subject: str
    status: VerdictStatus
    severity: Severity
    reason: str
    message: str
    remedy: str = ""
    since: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.control}|{self.subject.lower()}"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over some clusters. `score` is the mean of theirs, those left out that are Exempt as a whole."""

    clusters: int = 0
    yes: int = 0
    no: int = 0
    unknown: int = 0
    exempt: int = 0
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """Between two sweeps. A cluster's first verdicts are no change."""

    sweep_id: str
    at: datetime
    cluster_id: str
    name: str
    team: str
    control: str
    before: VerdictStatus
    after: VerdictStatus
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Repairs:
    """What a sweep asked the loop to repair. `drifted` clusters in enforce are not as their profile says; `asked` looks
    were asked for; `held` says why the rest was not."""

    drifted: int = 0
    asked: int = 0
    held: str = ""


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """One finished sweep without its clusters. `sweep_id` sorts by time (UTC, `yyyymmddThhmmssZ` and a few letters)."""

    sweep_id: str
    started_at: datetime
    ended_at: datetime
    configuration_revision: int
    overall: Tally
    by_team: Mapping[str, Tally] = field(default_factory=dict)
    by_subscription: Mapping[str, Tally] = field(default_factory=dict)
    by_location: Mapping[str, Tally] = field(default_factory=dict)
    by_profile: Mapping[str, Tally] = field(default_factory=dict)
    by_control: Mapping[str, Mapping[VerdictStatus, int]] = field(default_factory=dict)
    subscription_names: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    sources: tuple[Source, ...] = ()
    calls: int = 0
    changes: int = 0
    repairs: Repairs = field(default_factory=Repairs)
