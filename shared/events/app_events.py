"""The app's own events, CloudEvents 1.0 for its custom topic. docs/events.md describes them to their readers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shared.domain.alerts import THE_APP, Announcement, Kind
from shared.domain.compliance import Finding, SweepSummary, Tally, VerdictChange
from shared.domain.ids import row_key
from shared.domain.jobs import EndedJob, JobIssue, OutOfMemorySign, bounded, cut, fitting

PREFIX = "AksBackupGuard."
SWEEP_COMPLETED = PREFIX + "ComplianceSweepCompleted"
VERDICT_CHANGED = PREFIX + "ClusterVerdictChanged"
OUT_OF_MEMORY = PREFIX + "BackupExtensionOutOfMemory"
SYNTHETIC = PREFIX + "SyntheticEvent"
"""Somebody tries whether events arrive (`aks-backup-guard smoke-test`)."""
STATUSES = {
    "completed": "Completed",
    "completedwithwarnings": "CompletedWithWarnings",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
"""Azure's spelling of how a job ended, by the lower-case word."""
JOB_TYPES = {
    "completed": PREFIX + "BackupJobCompleted",
    "completedwithwarnings": PREFIX + "BackupJobCompletedWithWarnings",
    "failed": PREFIX + "BackupJobFailed",
    "cancelled": PREFIX + "BackupJobFailed",
}
"""A cancelled job left no recovery point either; `data.status` tells the two apart."""
_ALERT_TYPES: dict[Kind, str] = {
    "Opened": PREFIX + "AlertOpened",
    "Updated": PREFIX + "AlertUpdated",
    "Escalated": PREFIX + "AlertUpdated",
    "Resolved": PREFIX + "AlertResolved",
}

_LONGEST_TEXT, _LONGEST_CODE = 2000, 300
_MOST_DEEDS = 50
_LONGEST_LINE = 500
_MOST_FINDINGS, _MOST_GROUPS, _MOST_CHANGES = 50, 100, 60
"""Of one event, which stays below a megabyte also when each character needs twelve bytes."""


@dataclass(frozen=True, slots=True)
class AppEvent:
    """A CloudEvent: `source` and `id` together are the same for the same happening, however often it is published."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data: dict[str, Any]


def as_cloud_event(event: AppEvent) -> dict[str, Any]:
    """In the JSON form of CloudEvents 1.0."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": quote(event.source, safe="/()"),  # CloudEvents: a URI reference; groups may have umlauts
        "subject": event.subject,
        "time": _written(event.time),
        "datacontenttype": "application/json",
        "data": event.data,
    }


def news_event(news: EndedJob | OutOfMemorySign) -> AppEvent:
    """An ended job, or an out-of-memory kill that Container insights saw; small enough for an event, which Event Grid
    takes up to 1 MB."""
    news = bounded(news)
    return _sign_event(news) if isinstance(news, OutOfMemorySign) else _job_event(news)


def announcement_event(announcement: Announcement) -> AppEvent:
    """An alert that opened, changed or was resolved."""
    alert, cause, about = announcement.alert, announcement.alert.cause, announcement.about
    resources, _ = fitting(cause.resources)
    data = {
        "kind": announcement.kind,
        "alertId": alert.id,
        "clusterId": alert.subject if alert.subject.startswith("/") else None,
        "name": about.name,
        "subscriptionId": about.subscription_id,
        "resourceGroup": about.resource_group,
        "location": about.location,
        "profile": about.profile,
        "vaultId": about.vault_id,
        "tags": dict(about.tags),
        "cause": cause.key,
        "code": cut(cause.code, _LONGEST_CODE),
        "severity": alert.severity,
        "state": alert.state,
        "title": cut(cause.title, _LONGEST_TEXT),
        "message": cut(cause.message, _LONGEST_TEXT),
        "recommendedAction": cut(cause.recommended_action, _LONGEST_TEXT),
        "jobId": cause.job_id,
        "resources": [_issue(issue) for issue in resources],
        "resourcesLeftOut": len(cause.resources) - len(resources),
        "willDo": cut(cause.will_do, _LONGEST_TEXT),
        "did": [cut(deed, _LONGEST_TEXT) for deed in cause.did[-_MOST_DEEDS:]],
        "occurrences": cause.occurrences,
        "episode": alert.episode,
        "firstAt": _written(cause.first_at),
        "lastAt": _written(cause.last_at),
        "openedAt": _written(alert.opened_at),
        "escalatedAt": _written_or_null(alert.escalated_at),
        "resolvedAt": _written_or_null(alert.resolved_at),
        "acknowledgedBy": cut(alert.acknowledged_by, _LONGEST_CODE),
    }
    return AppEvent(announcement.key, _ALERT_TYPES[announcement.kind], THE_APP, alert.subject, announcement.at, data)


def sweep_event(summary: SweepSummary) -> AppEvent:
    """A sweep is complete. What is too much for an event is counted."""
    teams = sorted(summary.by_team.items(), key=lambda item: (-item[1].clusters, item[0]))
    data = {
        "sweepId": summary.sweep_id,
        "startedAt": _written(summary.started_at),
        "endedAt": _written(summary.ended_at),
        "configurationRevision": summary.configuration_revision,
        "overall": _tally(summary.overall),
        "byTeam": {cut(name, _LONGEST_CODE): _tally(tally) for name, tally in teams[:_MOST_GROUPS]},
        "teamsLeftOut": max(0, len(teams) - _MOST_GROUPS),
        "byControl": _counts(summary.by_control),
        "findings": [_finding(finding) for finding in summary.findings[:_MOST_FINDINGS]],
        "findingsLeftOut": max(0, len(summary.findings) - _MOST_FINDINGS),
        "changes": summary.changes,
        "repairs": {
            "drifted": summary.repairs.drifted,
            "asked": summary.repairs.asked,
            "held": cut(summary.repairs.held, _LONGEST_TEXT),
        },
    }
    return AppEvent(summary.sweep_id, SWEEP_COMPLETED, THE_APP, THE_APP, summary.ended_at, data)


def changed_event(changes: Sequence[VerdictChange]) -> AppEvent:
    """What changed of one cluster from one sweep to the next; `changes` has at least one."""
    first = changes[0]
    cluster = first.cluster_id.lower()
    data = {
        "sweepId": first.sweep_id,
        "clusterId": cluster,
        "name": cut(first.name, _LONGEST_CODE),
        "team": cut(first.team, _LONGEST_CODE),
        "changes": [
            {
                "control": change.control,
                "before": change.before,
                "after": change.after,
                "reason": cut(change.reason, _LONGEST_CODE),
                "message": cut(change.message, _LONGEST_LINE),
            }
            for change in changes[:_MOST_CHANGES]
        ],
        "changesLeftOut": max(0, len(changes) - _MOST_CHANGES),
    }
    return AppEvent(f"{first.sweep_id}-{row_key(cluster)[:32]}", VERDICT_CHANGED, THE_APP, cluster, first.at, data)


def _job_event(job: EndedJob) -> AppEvent:
    data = {
        "jobId": job.arm_id,
        "clusterId": job.cluster.arm_id,
        "vaultId": job.vault_id,
        "backupInstanceId": job.instance_id,
        "operation": job.operation,
        "status": STATUSES.get(job.status, job.status),
        "isUserTriggered": job.user_triggered,
        "startedAt": _written(job.started_at),
        "endedAt": _written(job.ended_at),
        "errors": [_issue(issue) for issue in job.errors],
        "warnings": [_issue(issue) for issue in job.warnings],
        "leftOut": job.left_out,
        "resourceCount": job.resources,
        "detailed": job.detailed,
    }
    kind = JOB_TYPES.get(job.status, JOB_TYPES["failed"])
    return AppEvent(job.key, kind, job.vault_id, job.cluster.arm_id, job.ended_at, data)


def _sign_event(sign: OutOfMemorySign) -> AppEvent:
    cluster = sign.cluster.arm_id
    data = {"clusterId": cluster, "pod": sign.pod, "container": sign.container, "killedAt": _written(sign.at)}
    return AppEvent(sign.key, OUT_OF_MEMORY, cluster, cluster, sign.at, data)


def _tally(tally: Tally) -> dict[str, float]:
    return {
        "clusters": tally.clusters,
        "yes": tally.yes,
        "no": tally.no,
        "unknown": tally.unknown,
        "exempt": tally.exempt,
        "score": tally.score,
    }


def _counts(by_control: Mapping[str, Mapping[Any, int]]) -> dict[str, dict[str, int]]:
    return {control: dict(counts) for control, counts in list(by_control.items())[:_MOST_GROUPS]}


def _finding(finding: Finding) -> dict[str, str | None]:
    return {
        "control": finding.control,
        "subject": cut(finding.subject, _LONGEST_CODE),
        "status": finding.status,
        "severity": finding.severity,
        "reason": finding.reason,
        "message": cut(finding.message, _LONGEST_LINE),
        "since": _written_or_null(finding.since),
    }


def _issue(issue: JobIssue) -> dict[str, str]:
    return {
        "code": issue.code,
        "message": issue.message,
        "recommendedAction": issue.recommended_action,
        "resource": issue.resource,
    }


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _written_or_null(moment: datetime | None) -> str | None:
    return None if moment is None else _written(moment)
