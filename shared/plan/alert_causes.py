"""What is wrong with a cluster, as causes for alerts: found in the set of its jobs, and in its conditions. The same
facts give the same causes, in whatever order they were learned."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf

from shared.domain.alerts import SEVERITIES, Cause, at_least
from shared.domain.conditions import (
    BACKUP_HEALTHY,
    COMPLIANT,
    EXTENSION_MEMORY_SUFFICIENT,
    EXTENSION_READY,
    PREREQUISITES_MET,
    PROTECTION_CONFIGURED,
    READY,
    REGION_READY,
    ROLES_ASSIGNED,
    TRUSTED_ACCESS_GRANTED,
    Condition,
)
from shared.domain.jobs import ClusterHistory, EndedJob, JobIssue
from shared.domain.profile import Alerting, ProtectionProfile
from shared.domain.record import Cure, ExtensionMemory
from shared.domain.time import Moment
from shared.plan.job_episodes import Episode, episodes, issues_of
from shared.plan.remedies import Remedy, remedy_for
from shared.plan.remedy_words import concerning, did, in_effect, recommended, rungs_of, step_up, will_do

CONDITION = "Condition:"
"""What the key of a condition's cause begins with."""
MOST_RESOURCES = 200
"""Of one alert. A record is one row of a table, so that all alerts of a cluster share thrice as many."""
MOST_TEXT = 2000
"""Characters of Azure's message about a job; about one of its resources a quarter of it."""

AT_ONCE = frozenset({(BACKUP_HEALTHY, "RecoveryPointTooOld"), (EXTENSION_MEMORY_SUFFICIENT, "RemediationExhausted")})
"""Condition and reason that were long in coming."""
LOST = frozenset({"protectionerror", "configuringprotectionfailed", "notprotected", "invalid"})
"""States of a backup instance, in lower case, in which nothing is backed up although it was to be (Backup Instances
REST)."""
LOST_AFTER = 900.0
"""Seconds."""
BREAKER = "CircuitBreakerOpen"
NEVER = frozenset(
    {
        "AuditMode",
        "EmergencyStop",
        "RepairsHeld",
        "WaitingForRing",
        "RolloutPaced",
        BREAKER,
        "Exempt",
        "NotSelected",
        "TooYoung",
        "ClusterDeleted",
        "ClusterStopped",
    }
)
"""Reasons that somebody wants it so, or that it will be so for a while."""
FROM_JOBS = frozenset({"BackupFailed", "BackupIncomplete"})
"""Reasons that the job itself is the alert for."""

_TITLES = {
    PREREQUISITES_MET: "Azure Backup cannot protect the cluster as it is",
    REGION_READY: "What the clusters of the region share is not ready",
    EXTENSION_READY: "The backup extension is not ready",
    EXTENSION_MEMORY_SUFFICIENT: "The backup extension runs out of memory",
    TRUSTED_ACCESS_GRANTED: "The vault may not reach the cluster",
    ROLES_ASSIGNED: "Roles that the backup needs are missing",
    PROTECTION_CONFIGURED: "The protection is not configured",
    BACKUP_HEALTHY: "The backups are not healthy",
    COMPLIANT: "The cluster does not comply with its profile",
    READY: "The cluster is not protected",
}


def job_causes(
    history: ClusterHistory,
    profile: ProtectionProfile | None,
    cures: Sequence[Cure],
    memory: ExtensionMemory,
    moment: Moment,
) -> tuple[Cause, ...]:
    """One for each kind of job and code: its newest episode, which may be over. Without a `profile` nothing is said of
    what the Guard will do."""
    found = episodes(history.jobs)
    most = min(MOST_RESOURCES, max(20, 3 * MOST_RESOURCES // max(1, len(found))))
    return tuple(_cause(key, episode, profile, cures, memory, moment, most) for key, episode in sorted(found.items()))


def _cause(
    key: str,
    episode: Episode,
    profile: ProtectionProfile | None,
    cures: Sequence[Cure],
    memory: ExtensionMemory,
    moment: Moment,
    most: int,
) -> Cause:
    jobs, newest = episode.jobs, episode.jobs[-1]
    issues = _about(key, next((job for job in reversed(jobs) if job.detailed), newest))
    code = _about(key, newest)[0].code
    failed = any(job.status == "failed" for job in jobs)
    remedy = remedy_for(code, failed=failed)
    said = next((issue.message for issue in issues if issue.message), remedy.meaning)[:MOST_TEXT]
    advice = next((issue.recommended_action for issue in issues if issue.recommended_action), "")[:MOST_TEXT]
    affected = {issue.resource: _without(issue, said, advice) for issue in issues if issue.resource}
    left_out = len(affected) - most
    return Cause(
        key=key,
        code=code,
        severity=min(remedy.severity, "Error" if failed else "Warning", key=SEVERITIES.index),
        title=f"{episode.operation} {'failed' if newest.status == 'failed' else 'completed with warnings'}: {code}",
        message=f"{said} ({left_out} more resources are not listed.)" if left_out > 0 else said,
        recommended_action=recommended(remedy, profile, episode.operation, advice),
        first_at=jobs[0].ended_at,
        last_at=newest.ended_at,
        occurrences=len(jobs),
        job_id=newest.arm_id,
        resources=tuple(affected.values())[:most],
        will_do=_will_do(episode, code, remedy, profile, cures, memory, moment),
        did=did(jobs, code, cures, memory),
        resolved_at=episode.cleaned_at,
    )


def _about(key: str, job: EndedJob) -> list[JobIssue]:
    """The issues of the job that the cause is about."""
    return [issue for issue in issues_of(job) if issue.code.lower() == key.partition(":")[2]]


def _without(issue: JobIssue, said: str, advice: str) -> JobIssue:
    """The resource's own message and advice, where they are not those of the whole job."""
    message, action = issue.message[:MOST_TEXT], issue.recommended_action[:MOST_TEXT]
    return replace(
        issue,
        message="" if message == said else message[: MOST_TEXT // 4],
        recommended_action="" if action == advice else action[: MOST_TEXT // 4],
    )


def _will_do(
    episode: Episode,
    code: str,
    remedy: Remedy,
    profile: ProtectionProfile | None,
    cures: Sequence[Cure],
    memory: ExtensionMemory,
    moment: Moment,
) -> str:
    if profile is None or episode.cleaned_at is not None:
        return ""
    decided = next((rung for rung in rungs_of(episode.jobs, code, memory) if not in_effect(rung, memory)), None)
    if decided is not None:
        what = "CPU" if decided.kind == "cpu" else "memory"
        return f"The Guard raises the extension's {what} limit {step_up(decided)} when no backup or restore runs."
    retried = any(cure.kind == "retry" for cure in concerning(episode.jobs, cures))
    if memory.exhausted if remedy.automation == "memory" else retried:
        return ""
    words = will_do(remedy, profile, episode.operation)
    a_day_ago = moment.now - timedelta(days=1)
    spent = sum(cure.kind == "retry" and cure.at > a_day_ago for cure in cures)
    if words and episode.operation == "Backup" and spent >= profile.cures.retries_per_day:
        words += f" The {spent} retries it may make in 24 hours are made, so it waits."
    return words


def condition_causes(conditions: Mapping[str, Condition], alerting: Alerting, moment: Moment) -> tuple[Cause, ...]:
    """One for each condition that is not True, due when it needs a person and has lasted for its time; and one for the
    summary, due when nothing else is and it has waited for too long or could not be told for too long. Deadlines are
    Azure's seconds since the last transition. A region is summed up by its own condition, a cluster by `Ready`: give
    a cluster's conditions without `RegionReady`, which the region's record is alerted for."""
    summary = conditions.get(READY) or conditions.get(REGION_READY)
    if _over(summary):
        return ()
    causes = {
        condition.type: _of(condition, due=condition_due_in(condition, alerting, moment) <= 0)
        for _, condition in sorted(conditions.items())
        if condition.type not in (READY, COMPLIANT) and condition.status != "True"
    }
    if summary is None or (summary.status == "True" and summary.reason != BREAKER):
        return tuple(causes.values())
    others_due = any(cause.due for cause in causes.values())
    due = summary_due_in(summary, alerting, moment) <= 0 and (not others_due or summary.reason == BREAKER)
    if summary.type not in causes or due:
        causes[summary.type] = _of(summary, due=due)
    return tuple(causes.values())


def compliance_causes(conditions: Mapping[str, Condition], profile: ProtectionProfile | None) -> tuple[Cause, ...]:
    """What the last sweep said, when it is grave enough for the profile and the loop itself has nothing to say about
    the cluster. While the loop has, or the sweep could not tell, an open alert stays open and none opens; nor by what
    a sweep said before the cluster became Ready. Nobody is told where a profile only looks on."""
    said, ready = conditions.get(COMPLIANT), conditions.get(READY)
    if profile is None or profile.mode != "enforce" or said is None or said.status == "True" or _over(ready):
        return ()
    least = profile.compliance.alert_from
    if said.status == "Unknown":
        return (_of(said, due=False),) if least is not None else ()
    severity = said.severity or "Warning"
    if least is None or not at_least(severity, least):
        return ()
    due = ready is not None and ready.status == "True" and ready.last_transition <= said.last_transition
    cause = _of(said, due=due)
    will_do = "The next sweep judges the cluster again, and the alert is over when it complies."
    return (replace(cause, severity=severity, will_do=will_do),)


def condition_due_in(condition: Condition, alerting: Alerting, moment: Moment) -> float:
    """Azure's seconds until it is an alert of its own if it stays as it is; infinite when it will not be one."""
    if condition.status != "False" or condition.reason in NEVER | FROM_JOBS or not _needs_a_person(condition):
        return inf
    after = alerting.blocked_after
    if condition.type == PROTECTION_CONFIGURED and condition.reason.lower() in LOST:
        after = min(LOST_AFTER, after)
    if (condition.type, condition.reason) in AT_ONCE:
        after = 0.0
    return after - moment.since(condition.last_transition)


def summary_due_in(summary: Condition, alerting: Alerting, moment: Moment) -> float:
    """As above, of the summary when nothing else is due. A circuit breaker asks for a person at once, also where all is
    well under the profile as it was."""
    if summary.reason == BREAKER:
        return 0.0
    if summary.status == "True" or summary.reason in NEVER | FROM_JOBS:
        return inf
    after = alerting.blocked_after if summary.reason == "UnknownProfile" else alerting.not_protected_after
    return after - moment.since(summary.last_transition)


def next_due_in(conditions: Mapping[str, Condition], alerting: Alerting, moment: Moment) -> list[float]:
    """Azure's seconds until each condition that is not due yet would be, where it will be at all."""
    summary = conditions.get(READY) or conditions.get(REGION_READY)
    if _over(summary):
        return []
    waits = [
        condition_due_in(condition, alerting, moment)
        for name, condition in conditions.items()
        if name not in (READY, COMPLIANT)
    ]
    waits += [summary_due_in(summary, alerting, moment)] if summary else []
    return [wait for wait in waits if 0 < wait < inf]


def _over(summary: Condition | None) -> bool:
    """The other conditions are what was last seen of a cluster that is gone."""
    return summary is not None and summary.reason == "ClusterDeleted"


def _needs_a_person(condition: Condition) -> bool:
    return bool(condition.recommended_action) and not condition.recommended_action.startswith("Nothing:")


def _of(condition: Condition, *, due: bool) -> Cause:
    """What could not be read, and what asks for a decision, is less grave than what is known to be wrong."""
    lasting = (condition.type, condition.reason) in AT_ONCE
    return Cause(
        key=f"{CONDITION}{condition.type}",
        code=condition.reason,
        severity="Error" if condition.status == "False" and condition.reason != BREAKER else "Warning",
        title=f"{_TITLES.get(condition.type, condition.type)}: {condition.reason}",
        message=condition.message[:MOST_TEXT],
        recommended_action=condition.recommended_action[:MOST_TEXT],
        first_at=condition.last_transition,
        last_at=condition.last_transition,
        will_do="" if lasting else "The Guard looks again by itself, and goes on when nothing is in the way.",
        due=due,
    )
