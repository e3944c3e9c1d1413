"""What the Guard does by itself about a backup that failed or came out incomplete. Level-triggered: the set of jobs,
the record and what is observed say what is due; who told of a job, and how often, does not matter. Restores are never
repeated."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from shared.domain.conditions import BACKUP_HEALTHY, EXTENSION_MEMORY_SUFFICIENT
from shared.domain.facts import Present, Unobserved, value_of
from shared.domain.jobs import ClusterHistory
from shared.domain.record import BackupEnd, Cure, Record
from shared.domain.steps import (
    CreateTrustedAccessBinding,
    DeleteExtension,
    GrantRole,
    InstallExtension,
    RevokeRole,
    StartBackup,
    Step,
)
from shared.domain.time import Moment
from shared.plan.evidence import of_this_life
from shared.plan.extension_memory import kept
from shared.plan.freshness import DAILY, read_now
from shared.plan.parts import Part, said_of, seconds_until
from shared.plan.remedies import REMEDIES, Automation, remedy_for
from shared.plan.subject import Subject
from shared.plan.under_way import counts, extension_at_rest, first_job_look_in, nothing_runs, own_backup, start_is_near
from shared.plan.verdict import Verdict, is_backup, remedy_of, verdict

ON_DEMAND_PER_DAY = 10
"""On-demand backups of an instance that Azure allows in a day (AKS backup support matrix)."""
_DAY, _SAME_START = timedelta(days=1), timedelta(minutes=5)
_REMEMBERED = 20

AFTER_FIRST_BACKUPS: tuple[Automation, ...] = ("memory", "regrant_reader", "reinstall")
"""Cures that a first backup waits for, too; otherwise it has a patience of its own."""
_NEEDS_FACTS = ("reconcile", "regrant_reader", "reinstall")
_MISSING: Mapping[type, str] = {
    GrantRole: "a role",
    CreateTrustedAccessBinding: "the trusted access binding",
    InstallExtension: "the backup extension",
}
"""What the ordinary steps put back."""


def remembered(record: Record, history: ClusterHistory) -> Record:
    """How the newest backup of this life ended, with the code whose cure does most; and when a restore last did."""
    restores = [job.ended_at for job in history.jobs if job.operation.lower() == "restore" and job.clean]
    if restores:
        record = replace(record, last_restore_at=max(restores[-1], record.last_restore_at or restores[-1]))
    ended = [job for job in of_this_life(history, record).jobs if is_backup(job) and job.status != "cancelled"]
    if not ended or (record.last_backup is not None and record.last_backup.ended_at > ended[-1].ended_at):
        return record
    job = ended[-1]
    return replace(record, last_backup=BackupEnd(job.key, job.status, remedy_of(job)[0], job.ended_at))


def needs_history(record: Record, moment: Moment) -> bool:
    """Whether a look must know the jobs although nobody told of a new one: something is wrong, or was."""
    last, memory = record.last_backup, record.memory
    kills = record.conditions.get(EXTENSION_MEMORY_SUFFICIENT)
    return (
        (last is not None and last.status != "completed")
        or bool(memory.rungs or memory.exhausted or not memory.in_effect)
        or (kills is not None and kills.status == "False")
        or "FirstBackup" in record.steps.attempts
    )


def doubted_since(record: Record) -> datetime | None:
    """Since when roles, bindings and extension are doubted: a job has failed for want of one of them, or for a reason
    that nobody knows."""
    last = record.last_backup
    if last is None or last.status == "completed":
        return None
    unknown = last.status == "failed" and last.code.lower() not in REMEDIES
    return last.ended_at if unknown or remedy_for(last.code).automation in _NEEDS_FACTS else None


def cures_part(subject: Subject) -> Part:
    """The step that is due. The backups' condition says what is wrong; here only what hinders the cure is said."""
    due = verdict(subject)
    if due.act in ("reinstall", "regrant") and due.step is not None:
        return sent(subject, due.step)
    if not takes_retries(subject):
        return Part()
    asked_at = subject.record.backup_asked_at
    if due.evidence and asked_at is not None and own_backup(subject):
        seconds = max(first_job_look_in(subject.record, subject.moment), 20.0, 0.2 * subject.moment.since(asked_at))
        return Part((), (), ("RetriedBackup",), min(seconds, 600.0))
    if due.act == "wait":
        return Part((), (), ("StartBackup",), due.seconds)
    if wants_cluster(subject):
        return Part((), (), ("StartBackup",), 30)
    step = retry_step(subject) if due.act == "retry" else None
    return Part() if step is None else sent(subject, step)


def takes_retries(subject: Subject) -> bool:
    """Whether failed backups are retried here. The first backup has its own part, and its own patience."""
    point = subject.observed.recovery_point
    first_taken = isinstance(point, Present) and counts(point.value, subject.record)
    return not isinstance(point, Unobserved) and (first_taken or not subject.profile.first_backup)


def retry_step(subject: Subject) -> StartBackup | None:
    """The on-demand backup; None while protection is not in a state to take one."""
    instance, policy, vault = subject.target.instance, value_of(subject.target.policy), value_of(subject.target.vault)
    if instance is None or policy is None or vault is None:
        return None
    if instance.protection_state.lower() != "protectionconfigured":
        return None
    return StartBackup(instance.arm_id, policy.backup_rule_name, vault.soft_delete)


def wants_quiet(subject: Subject) -> bool:
    """Whether the cure waits for nothing but the proof that no backup runs."""
    due = verdict(subject)
    if subject.profile.mode == "audit" or own_backup(subject):
        return False
    retries = due.automation in AFTER_FIRST_BACKUPS or takes_retries(subject)
    return due.act in ("reinstall", "regrant") or (due.act == "retry" and retries and _wait_for_turn(subject) is None)


def wants_cluster(subject: Subject) -> bool:
    """Whether a cure rests on the cluster's running, and that was not read in this pass."""
    due = verdict(subject)
    waits = due.automation == "when_started" and due.act == "retry"
    return waits and not read_now(subject.observed.cluster, subject.moment)


def noted(record: Record, steps: tuple[Step, ...], subject: Subject) -> Record:
    """The cures among the steps that are about to be sent, each once for one job; and what an extension that is about
    to be removed has, for its next installation."""
    due = verdict(subject)
    kinds: dict[type, Literal["retry", "reinstall", "regrant"]] = {
        StartBackup: "retry",
        DeleteExtension: "reinstall",
        RevokeRole: "regrant",
    }
    for step in steps:
        record = _put_back(record, step, subject, due)
        kind = kinds.get(type(step))
        known = any(cure.kind == kind and cure.evidence == due.evidence for cure in record.cures)
        if kind is not None and kind == due.act and not known:
            cure = Cure(subject.moment.now, kind, due.code, due.evidence)
            record = replace(record, cures=(*record.cures, cure)[-_REMEMBERED:])
        if isinstance(step, DeleteExtension) and (extension := value_of(subject.observed.extension)) is not None:
            record = replace(record, memory=kept(record.memory, extension))
    return record


def _put_back(record: Record, step: Step, subject: Subject, due: Verdict) -> Record:
    """Notes what an ordinary step puts back after a job that failed for want of it."""
    what = _MISSING.get(type(step))
    if what is None or due.act != "wait" or due.automation not in _NEEDS_FACTS:
        return record
    if any((cure.kind, cure.evidence, cure.detail) == ("put_back", due.evidence, what) for cure in record.cures):
        return record
    cure = Cure(subject.moment.now, "put_back", due.code, due.evidence, what)
    return replace(record, cures=(*record.cures, cure)[-_REMEMBERED:])


def sent(subject: Subject, step: Step) -> Part:
    """Starts it when nothing runs, and no more often than Azure and the profile allow."""
    if isinstance(step, StartBackup) and (turn := _wait_for_turn(subject)) is not None:
        return Part((), (), (step.key,), turn)
    if isinstance(step, StartBackup) and not extension_at_rest(subject):
        return Part((), (), (step.key,), 60.0)
    if isinstance(step, DeleteExtension) and (near := start_is_near(subject)) is not None:
        return Part((), (), (step.key,), near)
    quiet = None if own_backup(subject) else nothing_runs(subject)
    if not quiet and subject.profile.mode == "enforce":
        return Part((), (), (step.key,), 30.0 if quiet is None else 300.0)
    attempt = subject.record.steps.attempts.get(step.key)
    failed = () if attempt is None else (said_of(BACKUP_HEALTHY, attempt.error),)
    if attempt is not None and attempt.not_before > subject.moment.now:
        return Part(failed, (), (step.key,), seconds_until(attempt, subject.moment))
    return Part(failed, (step,), (step.key,), 5)


def _wait_for_turn(subject: Subject) -> float | None:
    """Azure's seconds until one more on-demand backup is allowed; None: now. Days go by the calendar."""
    now, record = subject.moment.now, subject.record
    ours = sorted(cure.at for cure in record.cures if cure.kind == "retry" and now - cure.at < _DAY)
    history = of_this_life(subject.history or ClusterHistory(), record)
    asked = [job.started_at for job in history.jobs if job.user_triggered and is_backup(job)]
    own = record.backup_asked_at
    if own is not None and all(abs(at - own) > _SAME_START for at in asked):
        asked.append(own)
    anybodys = sorted(at for at in asked if now - at < _DAY)
    allowed = subject.profile.cures.retries_per_day
    if allowed <= 0:
        return DAILY
    free_at = [
        taken[-most] + _DAY for taken, most in ((ours, allowed), (anybodys, ON_DEMAND_PER_DAY)) if len(taken) >= most
    ]
    return max(60.0, (max(free_at) - now).total_seconds() * subject.moment.scale) if free_at else None
