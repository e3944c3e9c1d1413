"""Alerts: what a team must know of one cluster and one cause, told once, until it is over."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from shared.domain.jobs import JobIssue, event_key

Severity = Literal["Critical", "Error", "Warning", "Informational"]
"""Azure Monitor's own words, the gravest first."""

SEVERITIES: tuple[Severity, ...] = ("Critical", "Error", "Warning", "Informational")

State = Literal["Open", "Resolved"]
Kind = Literal["Opened", "Updated", "Escalated", "Resolved"]

THE_APP = "aks-backup-guard"
"""The subject of alerts about the Guard itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for an alert as it stands now, found in jobs or conditions. The same facts give the same causes."""

    key: str
    """Unique within its subject: `Backup:<code>`, `Restore:<code>`, `Condition:<type>`, `Memory`, …"""
    code: str
    severity: Severity
    title: str
    message: str
    recommended_action: str
    first_at: datetime
    last_at: datetime
    occurrences: int = 1
    job_id: str = ""
    resources: tuple[JobIssue, ...] = ()
    will_do: str = ""
    """What the Guard will do about it by itself, in sentences about the Guard; empty: nothing."""
    did: tuple[str, ...] = ()
    """What the Guard has done about it, oldest first."""
    resolved_at: datetime | None = None
    """When a clean job or a condition that turned True ended it; None while it lasts."""
    due: bool = True
    """False: it is not so, or not for long enough, that an alert should open. One that is open stays open."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A cause with its life. `episode` counts how often it came (back); `told` names what has been handed over for
    telling in this episode; `held` says why nothing is told for now."""

    subject: str
    """Key of the cluster or region, or `THE_APP`."""
    cause: Cause
    state: State
    severity: Severity
    opened_at: datetime
    episode: int = 1
    told: tuple[str, ...] = ()
    held: str = ""
    resolved_at: datetime | None = None
    escalated_at: datetime | None = None
    acknowledged_by: str = ""
    snoozed_until: datetime | None = None

    @property
    def id(self) -> str:
        return alert_id(self.subject, self.cause.key)


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said about an alert. It counts for the episode during which it was said."""

    by: str
    at: datetime
    acknowledged: bool = False
    snoozed_until: datetime | None = None


def heard(alert: Alert, word: Word | None) -> Alert:
    """The alert with the word in it; as it is when nothing was said within its episode."""
    if word is None or word.at < alert.opened_at:
        return alert
    said_by = word.by if word.acknowledged else ""
    return replace(alert, acknowledged_by=said_by, snoozed_until=word.snoozed_until)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why alerts are held back for now: a stopped cluster, an exemption, a maintenance window. `until` is None when
    nobody can say."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What routes and messages need to know of an alert's subject."""

    subject: str
    name: str
    subscription_id: str = ""
    resource_group: str = ""
    location: str = ""
    profile: str = ""
    vault_id: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    """Of the cluster, and of its resource group where the cluster has no tag of that name."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something about an alert that shall be told. `key` is the same when it is made twice."""

    key: str
    kind: Kind
    alert: Alert
    about: About
    at: datetime
    traceparent: str = ""
    """Of the span that announced it (W3C); telemetry alone reads it."""


_LIFE: tuple[Kind, ...] = ("Opened", "Updated", "Escalated", "Resolved")
"""In which order things happen to an alert that happen in the same moment."""


def in_order(announcements: Iterable[Announcement]) -> tuple[Announcement, ...]:
    """As it happened, oldest first."""
    return tuple(sorted(announcements, key=lambda a: (a.at, a.alert.episode, _LIFE.index(a.kind))))


def alert_id(subject: str, cause_key: str) -> str:
    """32 hex digits."""
    return event_key(subject, cause_key)[:32]


def graver(severity: Severity) -> Severity:
    """One step graver; Critical stays."""
    return SEVERITIES[max(0, SEVERITIES.index(severity) - 1)]


def at_least(severity: Severity, least: Severity) -> bool:
    """Whether it is as grave as `least` or graver."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(least)
