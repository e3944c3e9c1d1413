"""The life of alerts: opened, refreshed, held, escalated, resolved, come back; and what of it is told."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from shared.domain.alerts import SEVERITIES, About, Alert, Announcement, Cause, Hold, Kind, Word, graver, heard
from shared.domain.conditions import Condition
from shared.domain.jobs import POD_RESTARTED, event_key
from shared.domain.profile import Alerting
from shared.domain.time import Moment
from shared.plan.alert_causes import CONDITION, condition_causes, next_due_in
from shared.plan.parts import sooner

RESOLVED_KEPT = timedelta(days=14)
"""By the calendar. Longer than it is remembered what was delivered: when an alert is forgotten its episodes are counted
from one again, and the keys of its announcements with them."""
OUT_OF_MEMORY = frozenset({"OutOfMemory", "OutOfMemoryOnce", "Raising"})
"""Reasons of `ExtensionMemorySufficient` that a job which lost its pod says in its own code."""


def settle(
    subject: str,
    old: Mapping[str, Alert],
    causes: Iterable[Cause],
    *,
    words: Mapping[str, Word],
    hold: Hold | None,
    alerting: Alerting,
    moment: Moment,
    judged: frozenset[str] | None = None,
) -> dict[str, Alert]:
    """The alerts as they stand now, by the key of their cause. `words` are by the alert's id. `judged` names the
    beginnings of the keys that `causes` could hold (None: all): an alert of another kind keeps its cause."""
    found = {cause.key: cause for cause in causes}
    alerts: dict[str, Alert] = {}
    for key in sorted(old.keys() | found.keys(), key=lambda key: (key.startswith(CONDITION), key)):
        before = old.get(key)
        if key in found:
            after = _with_cause(subject, before, found[key], moment)
        elif before is not None and before.state == "Open" and (judged is None or key.startswith(tuple(judged))):
            after = replace(before, state="Resolved", held="", resolved_at=moment.now)
        else:
            after = before
        if after is not None and _opens(before, after) and said_by_a_job(after.cause, alerts):
            after = before
        if after is not None and not _forgotten(before, after, moment):
            alerts[key] = _in_force(after, words.get(after.id), hold, alerting, moment)
    return alerts


def _with_cause(subject: str, before: Alert | None, cause: Cause, moment: Moment) -> Alert | None:
    is_open = before is not None and before.state == "Open"
    if cause.resolved_at is not None:
        # What came and went before anybody saw it is kept, and never told.
        known = before or Alert(subject, cause, "Resolved", cause.severity, moment.now)
        return replace(known, cause=cause, state="Resolved", held="", resolved_at=cause.resolved_at)
    if not cause.due:
        return before
    if before is None or not is_open or _came_back(before.cause, cause):
        episode = before.episode + 1 if before else 1
        return Alert(subject, cause, "Open", cause.severity, moment.now, episode)
    if cause.key.startswith(CONDITION):
        cause = replace(cause, first_at=min(before.cause.first_at, cause.first_at))
    return replace(before, cause=cause)


def _came_back(before: Cause, cause: Cause) -> bool:
    """Whether a clean job, and then a bad one, came since the alert was last seen: all that was known is over."""
    return not cause.key.startswith(CONDITION) and cause.first_at > before.last_at


def _opens(before: Alert | None, after: Alert) -> bool:
    return after.state == "Open" and (before is None or before.state != "Open")


def said_by_a_job(cause: Cause, alerts: Mapping[str, Alert]) -> bool:
    """Whether a condition only repeats what a job's open alert says already."""
    if not cause.key.startswith(CONDITION):
        return False
    same = POD_RESTARTED if cause.code in OUT_OF_MEMORY else {cause.code.lower()}
    return any(
        alert.state == "Open" and alert.cause.code.lower() in same
        for key, alert in alerts.items()
        if not key.startswith(CONDITION)
    )


def _forgotten(before: Alert | None, after: Alert, moment: Moment) -> bool:
    """One that is resolved only now is kept for this once, however long ago that was: it is still to be told."""
    if after.state == "Open" or (before is not None and before.state == "Open"):
        return False
    return after.resolved_at is None or moment.now - after.resolved_at > RESOLVED_KEPT


def _in_force(alert: Alert, word: Word | None, hold: Hold | None, alerting: Alerting, moment: Moment) -> Alert:
    """The alert under what people said, what holds it back, and the time that has passed. Within an episode it never
    gets less grave: who was told of its beginning is told of its end."""
    if alert.state != "Open":
        return alert
    alert = heard(alert, word)
    held = _held(alert, hold, moment)
    too_much = (
        alert.cause.occurrences >= alerting.escalate_after_failures
        or moment.since(alert.opened_at) >= alerting.escalate_after
    )
    escalates = too_much and not held and not alert.acknowledged_by
    escalated_at = alert.escalated_at or (moment.now if escalates else None)
    severity = graver(alert.cause.severity) if escalated_at else alert.cause.severity
    severity = min(alert.severity, severity, key=SEVERITIES.index)
    return replace(alert, held=held, escalated_at=escalated_at, severity=severity)


def _held(alert: Alert, hold: Hold | None, moment: Moment) -> str:
    if hold is not None:
        return hold.reason
    until = alert.snoozed_until
    return f"Snoozed until {until:%Y-%m-%d %H:%M} UTC." if until is not None and moment.now < until else ""


def announcements(
    alerts: Mapping[str, Alert], about: About, moment: Moment
) -> tuple[tuple[Announcement, ...], dict[str, Alert]]:
    """What must be told now, and the alerts with that noted in `told`. Made twice, the keys are the same."""
    news: list[Announcement] = []
    after: dict[str, Alert] = {}
    for key, alert in alerts.items():
        kind = _to_tell(alert)
        if kind is None:
            after[key] = alert
            continue
        after[key] = told = replace(alert, told=_noted(alert, kind))
        suffix = f"updated:{_digest(alert)}" if kind == "Updated" else kind.lower()
        news.append(Announcement(f"{alert.id}:{alert.episode}:{suffix}", kind, told, about, moment.now))
    return tuple(news), after


def _to_tell(alert: Alert) -> Kind | None:
    """The end of what was told is told although the rest is held back: it asks nothing of anybody."""
    if alert.state == "Resolved":
        return "Resolved" if "opened" in alert.told and "resolved" not in alert.told else None
    if alert.held:
        return None
    if "opened" not in alert.told:
        return "Opened"
    if alert.escalated_at is not None and "escalated" not in alert.told:
        return "Escalated"
    return "Updated" if f"as:{_digest(alert)}" not in alert.told else None


def _noted(alert: Alert, kind: Kind) -> tuple[str, ...]:
    """Whoever opens as grave as it is already need not be told that it became so."""
    marks = {mark for mark in alert.told if not mark.startswith("as:")} | {f"as:{_digest(alert)}"}
    marks |= {kind.lower()} - {"updated"}
    return tuple(sorted(marks | ({"escalated"} if alert.escalated_at is not None else set())))


def _digest(alert: Alert) -> str:
    """Of what an update is about."""
    return event_key(str(alert.cause.occurrences), *alert.cause.did)[:12]


def next_change_in(
    alerts: Mapping[str, Alert],
    conditions: Mapping[str, Condition],
    alerting: Alerting,
    hold: Hold | None,
    moment: Moment,
) -> float | None:
    """Azure's seconds until an alert opens, escalates or is told by time alone, at least one; None when none will."""
    waits: list[float] = []
    for cause in condition_causes(conditions, alerting, moment):
        is_open = cause.key in alerts and alerts[cause.key].state == "Open"
        if cause.due and not is_open and not said_by_a_job(cause, alerts):
            waits.append(0.0)  # its time came between the look and this moment
    waits += next_due_in(conditions, alerting, moment)
    for alert in alerts.values():
        if alert.state != "Open":
            continue
        held = _held(alert, hold, moment)
        if alert.held and not held:
            waits.append(0.0)
        elif held:
            ends = (hold.until if hold else alert.snoozed_until, alert.snoozed_until)
            waits += [-moment.since(end) for end in ends if end is not None and end > moment.now]
        elif alert.escalated_at is None and not alert.acknowledged_by:
            waits.append(alerting.escalate_after - moment.since(alert.opened_at))
    wait = sooner(*waits)
    return None if wait is None else max(1.0, wait)
