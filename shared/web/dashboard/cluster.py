"""What the page of one cluster shows: its verdicts with what they rest on, and all that happened to it, by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.alerts import Alert
from shared.domain.compliance import FactValue, JudgedCluster, SweepSummary, Verdict, VerdictChange
from shared.domain.conditions import READY, Condition
from shared.domain.facts import Fact, Present
from shared.domain.fleet import Source
from shared.domain.ids import ClusterId
from shared.domain.record import Action, Record
from shared.plan.compliance.facts import FACT_SOURCES
from shared.report.marks import CONDITIONS, GRAVE, RESTORABLE, VERDICTS, Mark, outcome, urgency
from shared.report.pages import PORTAL
from shared.web.dashboard.groups import label_of
from shared.web.dashboard.live import without_beginnings
from shared.web.dashboard.query import control_link
from shared.web.dashboard.words import Words, title_of

_LONGEST_TIMELINE = 150


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict with its control, and the facts it rests on by name."""

    verdict: Verdict
    mark: Mark
    title: str
    why: str
    essential: bool
    href: str
    facts: tuple[tuple[str, FactValue], ...]


@dataclass(frozen=True, slots=True)
class Stated:
    condition: Condition
    mark: Mark


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. `kind` says where it comes from."""

    at: datetime
    kind: str
    mark: Mark
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts that are answers to one question of the sweep, and the answers' origin. `own`: no question to Azure,
    but the Guard's record, guard.yaml, or single reads whose age is among the facts."""

    question: str
    own: str
    facts: tuple[tuple[str, FactValue], ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class ClusterPage:
    now: datetime
    cluster: JudgedCluster
    swept: bool
    """False: the last sweep has not seen it, and only the Guard's own record knows it."""
    summary: SweepSummary
    subscription: str
    restorable: Mark
    portal: str
    problems: tuple[Said, ...]
    """Not compliant or unknown, the gravest first."""
    settled: tuple[Said, ...]
    """Compliant or exempt."""
    record: Fact[Record]
    conditions: tuple[Stated, ...]
    alerts: Fact[tuple[Alert, ...]]
    timeline: tuple[Event, ...]
    unread: tuple[str, ...]
    """What of the timeline could not be read, and why."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """What is read for the timeline beside the record and the open alerts."""

    changes: Fact[tuple[VerdictChange, ...]]
    actions: Fact[tuple[Action, ...]]
    alerts: Fact[tuple[Alert, ...]]
    """Open ones and resolved ones."""


def cluster_page(
    cluster: JudgedCluster,
    summary: SweepSummary,
    words: Words,
    record: Fact[Record],
    happened: Happened,
    now: datetime,
) -> ClusterPage:
    said = [about(verdict, cluster, words) for verdict in cluster.verdicts]
    problems = [each for each in said if each.verdict.status in {"NonCompliant", "Unknown"}]
    known = record.value if isinstance(record, Present) else None
    alerts = happened.alerts
    return ClusterPage(
        now=now,
        cluster=cluster,
        swept=bool(cluster.verdicts),
        summary=summary,
        subscription=label_of(summary, "subscription", cluster.subscription_id),
        restorable=RESTORABLE[cluster.restorable],
        portal=PORTAL + cluster.cluster_id,
        problems=tuple(sorted(problems, key=lambda each: urgency(each.verdict))),
        settled=tuple(each for each in said if each not in problems),
        record=record,
        conditions=stated(known),
        alerts=Present(tuple(a for a in alerts.value if a.state == "Open"), alerts.observed_at)
        if isinstance(alerts, Present)
        else alerts,
        timeline=timeline(known, happened, words),
        unread=unread(happened),
        evidence=evidence_of(cluster, summary),
    )


def unjudged(cluster: ClusterId) -> JudgedCluster:
    """One that no sweep has seen: nothing is known about whether it could be restored."""
    return JudgedCluster(
        cluster_id=cluster.arm_id,
        name=cluster.name,
        subscription_id=cluster.subscription_id,
        resource_group=cluster.resource_group,
        location="",
        team="",
        profile="",
        mode="",
        verdicts=(),
        facts={},
        score=0.0,
        restorable="Unknown",
    )


def about(verdict: Verdict, cluster: JudgedCluster, words: Words) -> Said:
    control = words.get(verdict.control)
    names = control.rests_on if control else ()
    return Said(
        verdict=verdict,
        mark=VERDICTS[verdict.status],
        title=title_of(words, verdict.control),
        why=control.why if control else "",
        essential=control is not None and control.essential,
        href=control_link(verdict.control),
        facts=tuple((name, cluster.facts[name]) for name in names if name in cluster.facts),
    )


_OWN = {
    "record": "the Guard's own record",
    "arm": "single reads of Azure Resource Manager",
    "configuration": "guard.yaml",
}


def evidence_of(cluster: JudgedCluster, summary: SweepSummary) -> tuple[Evidence, ...]:
    """Facts whose origin nobody has written down come last, with every question of the sweep."""
    asked: dict[str, list[tuple[str, FactValue]]] = {question: [] for question in FACT_SOURCES.values()}
    for name, value in cluster.facts.items():
        asked.setdefault(FACT_SOURCES.get(name, ""), []).append((name, value))
    return tuple(
        Evidence(question, _OWN.get(question, ""), tuple(facts), answers_to(question, summary))
        for question, facts in asked.items()
        if facts
    )


def answers_to(question: str, summary: SweepSummary) -> tuple[Source, ...]:
    """A question that was asked of many subscriptions was asked several times."""
    return tuple(source for source in summary.sources if source.name.startswith(question))


def stated(record: Record | None) -> tuple[Stated, ...]:
    """Ready first, then what is false, unknown, true."""
    if record is None:
        return ()
    order = list(CONDITIONS)
    found = [Stated(each, CONDITIONS[each.status]) for each in record.conditions.values()]
    return tuple(sorted(found, key=lambda s: (s.condition.type != READY, order.index(s.condition.status))))


def unread(happened: Happened) -> tuple[str, ...]:
    parts = (
        ("verdict changes", happened.changes),
        ("the audit trail", happened.actions),
        ("alerts", happened.alerts),
    )
    return tuple(f"{what}: {fact.reason}" for what, fact in parts if fact.kind == "unobserved")


def timeline(record: Record | None, happened: Happened, words: Words) -> tuple[Event, ...]:
    """Newest first."""
    events = [
        *_of_changes(_known(happened.changes), words),
        *_of_actions(without_beginnings(_known(happened.actions))),
        *_of_alerts(_known(happened.alerts)),
        *(_of_record(record) if record else ()),
    ]
    return tuple(sorted(events, key=lambda event: event.at, reverse=True)[:_LONGEST_TIMELINE])


def _known[T](fact: Fact[tuple[T, ...]]) -> tuple[T, ...]:
    return fact.value if isinstance(fact, Present) else ()


def _of_changes(changes: Sequence[VerdictChange], words: Words) -> list[Event]:
    return [
        Event(
            change.at,
            "Verdict",
            VERDICTS[change.after],
            f"{title_of(words, change.control)}: {VERDICTS[change.before].word} → {VERDICTS[change.after].word}",
            change.message,
        )
        for change in changes
    ]


def _of_actions(actions: Sequence[Action]) -> list[Event]:
    return [
        Event(
            action.at,
            "Action",
            outcome(action.outcome),
            f"{action.step}: {action.outcome}",
            " · ".join(part for part in (action.detail, action.request_id and f"request {action.request_id}") if part),
        )
        for action in actions
    ]


def _of_alerts(alerts: Sequence[Alert]) -> list[Event]:
    events = []
    for alert in alerts:
        title, grave = alert.cause.title, GRAVE[alert.severity]
        events.append(Event(alert.opened_at, "Alert", grave, f"{alert.severity}: {title}", alert.cause.message))
        if alert.escalated_at:
            events.append(Event(alert.escalated_at, "Alert", grave, f"Escalated: {title}"))
        if alert.state == "Resolved" and alert.resolved_at:
            events.append(Event(alert.resolved_at, "Alert", Mark("✓", "Resolved", "good"), f"Resolved: {title}"))
    return events


_MEMORY = {"memory": "Memory limit", "cpu": "CPU limit", "ahead": "Memory limit, ahead of need", "down": "Memory limit"}


def _of_record(record: Record) -> list[Event]:
    plain = Mark("·", "", "out")
    events = [
        Event(
            rung.at, "Memory", plain, f"{_MEMORY[rung.kind]}: {rung.before or 'default'} → {rung.after}", rung.evidence
        )
        for rung in record.memory.rungs
    ]
    events += [Event(cure.at, "Cure", plain, f"{cure.kind} after {cure.code}", cure.detail) for cure in record.cures]
    if (end := record.last_backup) is not None:
        mark = CONDITIONS["True"] if end.status == "Completed" else CONDITIONS["False"]
        events.append(Event(end.ended_at, "Backup", mark, f"Backup {end.status}", end.code))
    if record.last_restore_at is not None:
        events.append(Event(record.last_restore_at, "Restore", CONDITIONS["True"], "Restore Completed"))
    events.append(Event(record.first_seen_at, "Guard", plain, "First seen by the Guard"))
    if record.deleted_at is not None:
        events.append(Event(record.deleted_at, "Guard", CONDITIONS["False"], "The cluster was deleted"))
    return events
