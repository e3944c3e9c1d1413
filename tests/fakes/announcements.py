"""Announcements as the loop makes them, for tests of what becomes of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.alerts import About, Alert, Announcement, Cause, Kind, Severity
from shared.domain.jobs import JobIssue

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
VAULT = (
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/aks-backup-westeurope/providers/microsoft.dataprotection"
    "/backupvaults/kv-westeurope"
)


def about(name: str = "aks-shop", **changes: Any) -> About:
    """A cluster of the team shop."""
    group = changes.get("resource_group", "shop")
    subject = (
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}/providers/microsoft.containerservice"
        f"/managedclusters/{name}"
    )
    known = About(subject, name, SUBSCRIPTION, "shop", "westeurope", "standard", VAULT, {"team": "shop"})
    return replace(known, **changes)


def cause(code: str = "UserErrorHookExecutionFailed", **changes: Any) -> Cause:
    """A backup that missed two resources."""
    known = Cause(
        key=f"Backup:{code.lower()}",
        code=code,
        severity="Warning",
        title="The backup is incomplete",
        message="A backup hook failed, so that parts of the cluster may not be consistent.",
        recommended_action="Correct the hook, then run a backup.",
        first_at=NOON - timedelta(hours=2),
        last_at=NOON - timedelta(minutes=20),
        job_id=f"{VAULT}/backupJobs/7d8a5a52-0e42-4ad9-8b2b-0a5a4a0f5a11",
        resources=(
            JobIssue(code, "The command returned 1.", "", "shop/Pod/database-0"),
            JobIssue(code, "", "", "shop/PersistentVolumeClaim/data"),
        ),
        will_do="The Guard looks again after the next backup.",
    )
    return replace(known, **changes)


def announced(
    kind: Kind = "Opened",
    *,
    at: datetime = NOON,
    who: About | None = None,
    what: Cause | None = None,
    severity: Severity | None = None,
    episode: int = 1,
    **changes: Any,
) -> Announcement:
    """One announcement under the key the loop would give it."""
    who, what = who or about(), what or cause()
    over = kind == "Resolved"
    alert = Alert(
        who.subject,
        what,
        "Resolved" if over else "Open",
        severity or what.severity,
        opened_at=NOON,
        episode=episode,
        resolved_at=at if over else None,
    )
    alert = replace(alert, **changes)
    suffix = f":{what.occurrences}" if kind == "Updated" else ""
    return Announcement(f"{alert.id}:{episode}:{kind.lower()}{suffix}", kind, alert, who, at)


def alerts(count: int, **changes: Any) -> list[Announcement]:
    """As many clusters with an announcement each."""
    return [announced(who=about(f"aks-{number:03}"), **changes) for number in range(count)]
