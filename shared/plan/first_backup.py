"""Whether the newest backup is one to restore from; and the first one, which nobody else takes."""

from dataclasses import replace
from datetime import datetime

from shared.domain.conditions import BACKUP_HEALTHY
from shared.domain.facts import Present, Unobserved, value_of
from shared.domain.observed import RecoveryPoint
from shared.domain.profile import BackupSchedule
from shared.domain.record import BackupEnd
from shared.domain.steps import StartBackup
from shared.plan.cures import AFTER_FIRST_BACKUPS, sent
from shared.plan.extension_memory import awaits_change
from shared.plan.parts import Part, Said, attempted, said_of, seconds_until
from shared.plan.remedies import remedy_for
from shared.plan.subject import Subject, unobserved, waiting
from shared.plan.under_way import counts, extension_at_rest, first_job_look_in, interval_hours
from shared.plan.verdict import verdict

FIRST_BACKUP = "FirstBackup"
"""Among the attempts of a record: how the first backup's jobs fared. How its calls fared stands under `StartBackup`."""


def too_old(schedule: BackupSchedule) -> float:
    """Seconds: two backups were missed, and a day's look."""
    return (2 * interval_hours(schedule) + 24) * 3600.0


def first_backup_part(subject: Subject) -> Part:
    """A cluster counts as backed up when a recovery point of this very cluster is there."""
    fact, record = subject.observed.recovery_point, subject.record
    if isinstance(fact, Present) and counts(fact.value, record):
        return Part((_health(subject, fact.value, record.last_backup),))
    instance = subject.target.instance
    if instance is None or instance.protection_state.lower() != "protectionconfigured":
        message = "The first backup is taken once protection is configured."
        return Part((Said(BACKUP_HEALTHY, "False", "WaitingForProtection", message),), (), ("StartBackup",))
    if isinstance(fact, Unobserved):
        return unobserved(BACKUP_HEALTHY, "The recovery points", fact)
    if not subject.profile.first_backup:
        message = "No recovery point yet: the schedule takes the first one."
        return waiting(BACKUP_HEALTHY, "WaitingForSchedule", message, 1800)
    return _on_demand_backup(subject, instance.arm_id)


def _health(subject: Subject, point: RecoveryPoint, last: BackupEnd | None) -> Said:
    """By the newest of what is known: the recovery point that was read, or the end of a backup after it."""
    last = last if last is not None and last.ended_at > point.taken_at else None
    taken_at = last.ended_at if last is not None and last.status != "failed" else point.taken_at
    age = (subject.moment.now - taken_at).total_seconds()  # schedules run by the calendar, never scaled
    if age > too_old(subject.profile.schedule):
        action = "See the jobs of the backup instance: scheduled backups fail or do not run."
        message = f"The newest recovery point is of {_minute(taken_at)}."
        return Said(BACKUP_HEALTHY, "False", "RecoveryPointTooOld", message, action)
    action = remedy_for(last.code, failed=last.status == "failed").recommended_action if last else ""
    if last is not None and last.status == "failed":
        message = f"The backup that ended {_minute(last.ended_at)} failed: {last.code}."
        return Said(BACKUP_HEALTHY, "False", "BackupFailed", message, action)
    if last is not None and last.status == "completedwithwarnings":
        message = f"The backup that ended {_minute(last.ended_at)} lacks something: {last.code}."
        return Said(BACKUP_HEALTHY, "False", "BackupIncomplete", message, action)
    if last is None and point.state.lower() == "partial":
        message = f"The recovery point of {_minute(taken_at)} lacks something."
        return Said(BACKUP_HEALTHY, "False", "BackupIncomplete", message, "See the warnings of its job in the vault.")
    message = f"The newest recovery point is of {_minute(taken_at)}."
    return Said(BACKUP_HEALTHY, "True", "RecoveryPointTaken", message)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _on_demand_backup(subject: Subject, instance_id: str) -> Part:
    record, moment, history = subject.record, subject.moment, subject.record.steps
    policy, vault = value_of(subject.target.policy), value_of(subject.target.vault)
    if record.backup_job_id or "StartBackup" in history.pending:
        started = record.backup_asked_at
        # An end seen late by a fifth of the time the job took is early enough, and spares the quota.
        elapsed = moment.since(started) if started else 0.0
        wait = max(first_job_look_in(record, moment), min(max(20.0, 0.2 * elapsed), 120.0))
        wait = wait if record.backup_job_id else 3.0
        said = Said(BACKUP_HEALTHY, "False", "FirstBackupRunning", "The first on-demand backup is running.")
        if started is not None and moment.since(started) > 7200:
            said = Said(
                BACKUP_HEALTHY,
                "False",
                "FirstBackupSlow",
                "The first backup has run for more than two hours.",
                "Look at the job in the vault; Azure expects a backup to finish within two hours.",
            )
            wait = 600.0
        return Part((said,), (), ("FirstRecoveryPoint",), wait)
    if "StartBackup" in history.intents:
        message = "Whether the first backup started is not known: the Guard looks for its job before it tries again."
        return waiting(BACKUP_HEALTHY, "BackupStartUnknown", message, 30, "StartBackup")
    if policy is None or vault is None:
        return waiting(
            BACKUP_HEALTHY, "WaitingForPolicy", "The backup policy could not be read yet.", 10, "StartBackup"
        )
    step = StartBackup(instance_id, policy.backup_rule_name, vault.soft_delete)
    failed = history.attempts.get(FIRST_BACKUP)
    if awaits_change(subject) or not extension_at_rest(subject):
        new_limits = "has its new limits" if awaits_change(subject) else "is Succeeded"
        message = f"The first backup is run as soon as the extension {new_limits}."
        return waiting(BACKUP_HEALTHY, "WaitingForExtension", message, None, step.key)
    due = verdict(subject)
    if due.act != "nothing" and due.automation in AFTER_FIRST_BACKUPS:
        if due.act != "retry":
            message = f"The first backup failed ({due.code}); its cure comes before the next."
            return waiting(BACKUP_HEALTHY, "BackupFailed", message, due.seconds, step.key)
        part = sent(subject, step)
        retrying = "The first backup is run again." if part.steps else "The first backup is run again in its turn."
        return replace(part, said=part.said or (Said(BACKUP_HEALTHY, "False", "StartingFirstBackup", retrying),))
    if failed is not None and failed.not_before > moment.now:
        return Part((said_of(BACKUP_HEALTHY, failed.error),), (), (step.key,), seconds_until(failed, moment))
    ready = Said(BACKUP_HEALTHY, "False", "StartingFirstBackup", "The first on-demand backup is being started.")
    return attempted(BACKUP_HEALTHY, step, history, moment, ready)
