"""What a look shows of the things that the Guard set going: a failed state counts once for each start that led to it,
what has ended well is no longer counted."""

from collections.abc import Mapping
from dataclasses import replace

from shared.domain.errors import StepError
from shared.domain.facts import UNOBSERVED, Absent, Present, observed_at, value_of
from shared.domain.ids import same_id
from shared.domain.jobs import POD_RESTARTED, job_key
from shared.domain.observed import BackupInstance, Job, ObservedCluster
from shared.domain.record import BackupEnd, Record
from shared.domain.time import Moment
from shared.plan.attempts import attempt_after
from shared.plan.extension_memory import seen
from shared.plan.extension_place import misplaced, placed
from shared.plan.first_backup import FIRST_BACKUP
from shared.plan.instance_drift import RESUMED_AFTER, STOPPED, SUSPENDED, is_own, scope_digest
from shared.plan.under_way import ENDED, counts

JOB_SURELY_LISTED = 120.0
"""Seconds after which a backup whose start had no answer, and whose job is not listed, did not start."""
NEWS_TAKES = 1800.0
"""Seconds a first backup that lost the extension's pod is left alone: meanwhile the job watch brings what the memory
ladder decides about."""
ON_DEMAND_TRIES = 3
"""First backups that may fail in a row before the schedule is left to do it: Azure allows ten on demand a day."""


def without[V](mapping: Mapping[str, V], *keys: str) -> dict[str, V]:
    return {key: value for key, value in mapping.items() if key not in keys}


def failed(record: Record, key: str, error: StepError, moment: Moment) -> Record:
    """One more failure of the step."""
    attempts = {**record.steps.attempts, key: attempt_after(error, record.steps.attempts.get(key), moment)}
    return replace(record, steps=replace(record.steps, attempts=attempts))


def cleared(record: Record, *keys: str) -> Record:
    """The steps are as they shall be: their failures and starts are over."""
    return replace(
        record,
        steps=replace(
            record.steps,
            attempts=without(record.steps.attempts, *keys),
            started=without(record.steps.started, *keys),
        ),
    )


def absorb_states(record: Record, observed: ObservedCluster, moment: Moment) -> Record:
    """Extension, bindings, instances, the backup the Guard asked for. Taking in the same twice is taking it in once."""
    record = _absorb_extension(record, observed, moment)
    for binding in value_of(observed.bindings) or ():
        if binding.provisioning_state.lower() == "failed":
            error = StepError("blocked", "TrustedAccessFailed", f"The binding {binding.name} is in Failed.")
            record = failed_once(record, "CreateTrustedAccessBinding", error, moment)
    record = _absorb_instances(record, observed, moment)
    return _absorb_job(record, observed, moment)


def _absorb_extension(record: Record, observed: ObservedCluster, moment: Moment) -> Record:
    fact, changed = observed.extension, "UpdateExtension" in record.steps.started
    if not isinstance(fact, Present):
        return cleared(record, "DeleteExtension") if isinstance(fact, Absent) else record
    state = fact.value.provisioning_state.lower()
    record = replace(record, memory=seen(record.memory, fact))
    if state == "failed":
        error = StepError("blocked", "ExtensionFailed", fact.value.error or "The backup extension is in Failed.")
        record = failed_once(record, "UpdateExtension", error, moment) if changed else record
        return failed_once(record, "InstallExtension", error, moment)
    if state != "succeeded":
        return record
    record = placed(cleared(record, "InstallExtension"), fact.value)
    if record.memory.in_effect and not misplaced(record, fact.value):
        return cleared(record, "UpdateExtension")
    if not changed:
        return record
    error = StepError(
        "blocked",
        "ExtensionNotChanged",
        "The backup extension is Succeeded, and has not the settings that were set.",
        "See whether an Azure Policy or another tool sets the extension's configuration back.",
    )
    return failed_once(record, "UpdateExtension", error, moment)


def _absorb_instances(record: Record, observed: ObservedCluster, moment: Moment) -> Record:
    cluster = value_of(observed.cluster)
    for instance in value_of(observed.instances) or ():
        state = instance.protection_state.lower()
        if is_own(instance, record.subject):
            record = _absorb_own(record, instance, moment)
        if state in ("protectionerror", "configuringprotectionfailed"):
            error = instance.error or StepError("blocked", instance.protection_state, "Azure gives no reason.")
            before = record
            record = failed_once(record, "CreateBackupInstance", error, moment)
            if record is not before:
                record = replace(record, validation=None)
        elif state == "protectionconfigured" and cluster is not None:
            put_at = record.steps.started.get("CreateBackupInstance")
            put_in_this_life = put_at is not None and (record.reborn_at is None or put_at >= record.reborn_at)
            if not record.protected_uid or put_in_this_life:
                record = replace(record, protected_uid=cluster.resource_uid)
            failed = record.steps.attempts.get("CreateBackupInstance")
            healed = failed is None or (put_at is not None and put_at > failed.last_failure)
            if record.protected_uid == cluster.resource_uid and healed:
                record = cleared(record, "CreateBackupInstance", "ValidateForBackup")
    return record


def _absorb_own(record: Record, instance: BackupInstance, moment: Moment) -> Record:
    """What came of a resumption, and how Azure shows the scope that the Guard has put. Steps are of this life of the
    cluster alone: what was resumed in it protects it."""
    if instance.protection_state.lower() == "protectionconfigured":
        if record.steps.started.keys() & {"ResumeBackups", "ResumeProtection"}:
            record = replace(record, protected_uid=record.resource_uid)
        if "CreateBackupInstance" in record.steps.started:
            record = replace(record, scope_seen=scope_digest(instance.scope) if instance.scope else "")
        return cleared(record, "ResumeBackups", "ResumeProtection", "UndeleteBackupInstance")
    for key in ("ResumeBackups", "ResumeProtection"):
        started = record.steps.started.get(key)
        at_rest = instance.protection_state.lower() in SUSPENDED | STOPPED
        if started is None or key in record.steps.pending or not at_rest or moment.since(started) < RESUMED_AFTER:
            continue
        message = f"The backup instance {instance.name} was resumed, and is in {instance.protection_state}."
        action = (
            "See whether somebody suspends it again; to leave it so, exempt the cluster, or see repairs in the profile."
        )
        record = failed_once(record, key, StepError("blocked", "NotAsSet", message, action), moment)
    return record


def _absorb_job(record: Record, observed: ObservedCluster, moment: Moment) -> Record:
    job = value_of(observed.backup_job)
    intent = record.steps.intents.get("StartBackup")
    if intent is not None and isinstance(observed.backup_job, Present) and observed.backup_job.observed_at >= intent.at:
        job = observed.backup_job.value
        asked_at = max(record.backup_asked_at or intent.at, intent.at)
        record = replace(record, backup_job_id=job.arm_id, backup_asked_at=asked_at)
        record = replace(record, steps=replace(record.steps, intents=without(record.steps.intents, "StartBackup")))
        if (
            job.status.lower() == "failed" and job.error is None
        ):  # a list of jobs does not say why: it is read by its id
            return replace(record, observed=replace(observed, backup_job=UNOBSERVED))
    elif intent is not None and isinstance(observed.backup_job, Absent):
        searched_long_enough = observed.backup_job.observed_at >= intent.at and (
            moment.since(intent.at) >= JOB_SURELY_LISTED
        )
        if searched_long_enough:
            record = replace(record, steps=replace(record.steps, intents=without(record.steps.intents, "StartBackup")))
    if job is None or not same_id(job.arm_id, record.backup_job_id or "-"):
        return record
    status, ended_at = job.status.lower(), job.ended_at or observed_at(observed.backup_job) or moment.now
    if status not in ENDED:
        return record
    code = job.error.code if job.error else "CompletedWithWarnings" if status == "completedwithwarnings" else ""
    known = record.last_backup
    if status != "cancelled" and (known is None or known.ended_at < ended_at):
        record = replace(record, last_backup=BackupEnd(job_key(job.arm_id), status, code, ended_at))
    if status in ("completed", "completedwithwarnings"):
        refused = record.steps.attempts.get("StartBackup")  # before this one, or when one more was asked for
        over = ("StartBackup", FIRST_BACKUP) if refused is None or refused.last_failure <= ended_at else (FIRST_BACKUP,)
        return cleared(record, *over)
    record = _first_backup_failed(record, job, observed, moment)
    return replace(record, backup_job_id="", observed=replace(observed, backup_job=UNOBSERVED))


def _first_backup_failed(record: Record, job: Job, observed: ObservedCluster, moment: Moment) -> Record:
    """Later ones are known by their history, and cured by it."""
    point = value_of(observed.recovery_point)
    if point is not None and counts(point, record):
        return record
    error = job.error or StepError("transient", f"Backup{job.status}", f"The first backup ended {job.status}.")
    attempt = attempt_after(error, record.steps.attempts.get(FIRST_BACKUP), moment)
    if attempt.failures >= ON_DEMAND_TRIES:
        attempt = replace(attempt, not_before=moment.after(86400))
    elif error.code.lower() in POD_RESTARTED:
        attempt = replace(attempt, not_before=max(attempt.not_before, moment.after(NEWS_TAKES)))
    return replace(record, steps=replace(record.steps, attempts={**record.steps.attempts, FIRST_BACKUP: attempt}))


def failed_once(record: Record, key: str, error: StepError, moment: Moment) -> Record:
    """A failed state counts once for each start that led to it."""
    attempt, started = record.steps.attempts.get(key), record.steps.started.get(key)
    if attempt is not None and (started is None or started <= attempt.last_failure):
        return record
    return failed(record, key, error, moment)
