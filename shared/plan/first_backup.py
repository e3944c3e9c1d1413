"""The first recovery point."""

from shared.domain.conditions import BACKUP_HEALTHY
from shared.domain.facts import Present, Unobserved, value_of
from shared.domain.observed import RecoveryPoint
from shared.domain.profile import BackupSchedule
from shared.domain.record import Record
from shared.domain.steps import StartBackup
from shared.domain.time import Moment
from shared.plan.parts import Part, Said, attempted
from shared.plan.subject import Subject, unobserved, waiting

FIRST_JOB_LOOK_AFTER = 150.0
"""Seconds. The recorded job of an almost empty cluster took 184 s; Azure answers two questions about jobs in three
seconds, for a whole subscription."""


def first_job_look_in(record: Record, moment: Moment) -> float:
    """Seconds until the first backup's job may have ended; not above 0 when it is worth a read."""
    return FIRST_JOB_LOOK_AFTER - moment.since(record.first_backup_at) if record.first_backup_at else 0.0


def counts(point: RecoveryPoint, record: Record) -> bool:
    """Whether a recovery point is of this very cluster, not of one that had its ARM id before."""
    return record.reborn_at is None or point.taken_at >= record.reborn_at


def too_old(schedule: BackupSchedule) -> float:
    """Seconds: two backups were missed, and a day's look."""
    hours = 24 if schedule.interval == "P1D" else int(schedule.interval.removeprefix("PT").removesuffix("H"))
    return (2 * hours + 24) * 3600.0


def first_backup_part(subject: Subject) -> Part:
    """A cluster counts as backed up when a recovery point of this very cluster is there."""
    fact, record = subject.observed.recovery_point, subject.record
    if isinstance(fact, Present) and counts(fact.value, record):
        message = f"The newest recovery point is of {fact.value.taken_at:%Y-%m-%d %H:%M} UTC."
        age = (subject.moment.now - fact.value.taken_at).total_seconds()  # schedules run by the calendar, never scaled
        if age > too_old(subject.profile.schedule):
            action = "See the jobs of the backup instance: scheduled backups fail or do not run."
            return Part((Said(BACKUP_HEALTHY, "False", "RecoveryPointTooOld", message, action),), (), (), 3600)
        return Part((Said(BACKUP_HEALTHY, "True", "RecoveryPointTaken", message),))
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


def _on_demand_backup(subject: Subject, instance_id: str) -> Part:
    record, moment, history = subject.record, subject.moment, subject.record.steps
    policy, vault = value_of(subject.target.policy), value_of(subject.target.vault)
    if record.backup_job_id or "StartBackup" in history.pending:
        started = record.first_backup_at
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
    ready = Said(BACKUP_HEALTHY, "False", "StartingFirstBackup", "The first on-demand backup is being started.")
    return attempted(BACKUP_HEALTHY, step, history, moment, ready)
