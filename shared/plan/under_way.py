"""What must not be disturbed: backups and restores that run, that are being started, or that the schedule is about to
start. A change of the extension restarts its pods and cuts them."""

from datetime import datetime, timedelta

from shared.domain.facts import Absent, Present, value_of
from shared.domain.ids import same_id
from shared.domain.jobs import job_key
from shared.domain.observed import ObservedCluster, RecoveryPoint
from shared.domain.profile import BackupSchedule
from shared.domain.record import Record
from shared.domain.steps import DeleteExtension, Step, UpdateExtension
from shared.domain.time import Moment
from shared.plan.extension_memory import succeeded
from shared.plan.freshness import read_now
from shared.plan.subject import Subject

BEFORE_A_START = timedelta(minutes=10)
"""Of the calendar: a change of the extension takes a minute or two, and shall be over when the schedule starts a
backup."""
AFTER_A_START = timedelta(minutes=5)
"""Of the calendar: the backup that the schedule has just started may not be listed yet (assumed)."""
FIRST_JOB_LOOK_AFTER = 150.0
"""Seconds. The recorded job of an almost empty cluster took 184 s; Azure answers two questions about jobs in three
seconds, for a whole subscription."""
PROOF_HOLDS = timedelta(seconds=30)
"""Of the wall: from reading that nothing runs until the change of the extension is sent."""
ENDED = frozenset({"completed", "completedwithwarnings", "failed", "cancelled"})
"""The words of a job that has reached its end (Jobs REST)."""


def first_job_look_in(record: Record, moment: Moment) -> float:
    """Seconds until the backup the Guard asked for may have ended; not above 0 when its job is worth a read."""
    return FIRST_JOB_LOOK_AFTER - moment.since(record.backup_asked_at) if record.backup_asked_at else 0.0


def counts(point: RecoveryPoint, record: Record) -> bool:
    """Whether a recovery point is of this very cluster, not of one that had its ARM id before."""
    return record.reborn_at is None or point.taken_at >= record.reborn_at


def own_backup(subject: Subject) -> bool:
    """Whether a backup that the Guard asked for may be running, as far as the record knows."""
    record, fact = subject.record, subject.observed.backup_job
    if "StartBackup" in record.steps.intents or "StartBackup" in record.steps.pending:
        return True
    if not record.backup_job_id or isinstance(fact, Absent):
        return False
    if record.last_backup is not None and record.last_backup.key == job_key(record.backup_job_id):
        return False
    job = value_of(fact)
    return job is None or not same_id(job.arm_id, record.backup_job_id) or job.status.lower() not in ENDED


def nothing_runs(subject: Subject) -> bool | None:
    """True and False are of this very pass; None: not read, and so nothing may be disturbed."""
    fact = subject.observed.running_jobs
    if not isinstance(fact, Present) or not read_now(fact, subject.moment):
        return None
    return not fact.value


def still_quiet(steps: tuple[Step, ...], observed: ObservedCluster, now: datetime) -> tuple[Step, ...]:
    """The steps without those that would cut a backup, when the proof that none runs has grown old (a look can
    take minutes when Azure is slow): the next look reads again."""
    fact = observed.running_jobs
    if isinstance(fact, Present) and now - fact.observed_at <= PROOF_HOLDS:
        return steps
    disturbing = UpdateExtension | DeleteExtension
    return tuple(step for step in steps if not isinstance(step, disturbing))


def start_is_near(subject: Subject) -> float | None:
    """Azure's seconds until a scheduled start that is too near has passed and its backup is listed; None when none is
    near."""
    moment, schedule = subject.moment, subject.profile.schedule
    ahead = next_start(schedule, moment.now) - moment.now
    passed = timedelta(hours=interval_hours(schedule)) - ahead
    if ahead <= BEFORE_A_START:
        return (ahead + AFTER_A_START).total_seconds() * moment.scale
    return (AFTER_A_START - passed).total_seconds() * moment.scale if passed < AFTER_A_START else None


def extension_at_rest(subject: Subject) -> bool:
    """Whether the extension is Succeeded, as far as is known: a backup that is started while it is being installed or
    changed would be cut."""
    extension = value_of(subject.observed.extension)
    return extension is not None and succeeded(extension)


def interval_hours(schedule: BackupSchedule) -> int:
    return 24 if schedule.interval == "P1D" else int(schedule.interval.removeprefix("PT").removesuffix("H"))


def next_start(schedule: BackupSchedule, now: datetime) -> datetime:
    """When the schedule starts the next backup after `now`; both UTC."""
    hour, minute = map(int, schedule.start.split(":"))
    some_start = now.replace(hour=hour, minute=minute, second=0, microsecond=0) - timedelta(days=1)
    interval = timedelta(hours=interval_hours(schedule))
    return some_start + ((now - some_start) // interval + 1) * interval
