"""What a look and its steps leave behind in the record."""

from dataclasses import replace
from typing import assert_never

from shared.domain.errors import StepError
from shared.domain.facts import UNOBSERVED, Absent, Fact, Present, Unobserved, value_of
from shared.domain.observed import (
    BlobContainer,
    ObservedCluster,
    ObservedRegion,
    OperationState,
    RoleAssignment,
    grant_key,
)
from shared.domain.record import ExtensionMemory, Record, Validation
from shared.domain.steps import (
    Accepted,
    Attempt,
    CreateBackupInstance,
    CreateBackupPolicy,
    CreateContainer,
    CreateDiagnosticSetting,
    CreateResourceGroup,
    CreateStorageAccount,
    CreateTrustedAccessBinding,
    CreateVault,
    DeleteExtension,
    Done,
    Failed,
    GrantRole,
    InstallExtension,
    Intent,
    PendingOperation,
    RegisterProvider,
    ResumeBackups,
    ResumeProtection,
    RevokeRole,
    StartBackup,
    Step,
    StepHistory,
    StepOutcome,
    UndeleteBackupInstance,
    UpdateExtension,
    UpdateVault,
    ValidateForBackup,
)
from shared.domain.time import Moment
from shared.plan.backup_instance import validation_digest
from shared.plan.extension_place import installed
from shared.plan.instance_drift import scope_digest
from shared.plan.region import policy_name
from shared.plan.states import absorb_states, cleared, failed, without

OPERATION_DEADLINE = 3600.0
"""Seconds after which a long-running POST that never ended is given up."""

_CHANGING = Unobserved("being changed by the Guard")


def next_life(record: Record, moment: Moment) -> Record:
    """Notices that the cluster is gone, or that a new one has its ARM id: histories start anew, the backup instance
    and its recovery points stay Azure's."""
    observed = record.observed
    if not isinstance(observed, ObservedCluster) or isinstance(observed.cluster, Unobserved):
        return record
    if isinstance(observed.cluster, Absent):
        gone_at = record.deleted_at or observed.cluster.observed_at
        return replace(record, deleted_at=gone_at, steps=StepHistory(), validation=None, backup_job_id="")
    uid = observed.cluster.value.resource_uid
    if not uid or not record.resource_uid or record.resource_uid == uid:
        return replace(record, resource_uid=uid or record.resource_uid, deleted_at=None)
    return replace(
        record,
        observed=ObservedCluster(cluster=observed.cluster),
        resource_uid=uid,
        reborn_at=moment.now,
        installed_in="",
        first_ready_at=None,
        first_seen_at=moment.now,
        deleted_at=None,
        steps=StepHistory(),
        validation=None,
        backup_job_id="",
        backup_asked_at=None,
        last_backup=None,
        memory=ExtensionMemory(),
        cures=(),
        conditions={},
        profile_digest="",
    )


def absorb(record: Record, moment: Moment) -> Record:
    """What was read about things that were under way: ended operations, failed states, intents left by a crash."""
    for key, pending in record.steps.pending.items():
        if isinstance(record.observed, ObservedCluster):
            record = _ended(record, key, pending, record.observed.operations.get(key, UNOBSERVED), moment)
    if isinstance(record.observed, ObservedCluster):
        record = absorb_states(record, record.observed, moment)
    intents = {k: i for k, i in record.steps.intents.items() if k == "StartBackup"}
    return replace(record, steps=replace(record.steps, intents=intents))


def _ended(record: Record, key: str, pending: PendingOperation, fact: Fact[OperationState], moment: Moment) -> Record:
    steps, observed = record.steps, record.observed
    assert isinstance(observed, ObservedCluster)  # noqa: S101 - only clusters have operations
    finished = replace(
        record,
        steps=replace(steps, pending=without(steps.pending, key)),
        observed=replace(observed, operations=without(observed.operations, key)),
    )
    state = value_of(fact)
    if state is not None and state.status == "succeeded":
        if key == "StartBackup" and not state.job_id:
            return _with_intent(finished, key, pending)
        if key == "StartBackup":  # that it started says nothing yet: failed tries count until a job completes
            return replace(finished, backup_job_id=state.job_id)
        if key != "ValidateForBackup":  # what came of a resumption, the instance itself shows
            return finished
        return replace(cleared(finished, key), validation=Validation(pending.digest, moment.now))
    if state is not None and state.status in ("failed", "canceled"):
        error = state.error or StepError(
            "transient", "OperationFailed", f"{key} ended {state.status} without a reason."
        )
        return failed(finished, key, error, moment)
    if isinstance(fact, Absent) or moment.since(pending.started_at) > OPERATION_DEADLINE:
        if key == "StartBackup":
            return _with_intent(finished, key, pending)
        error = StepError("transient", "OperationLost", f"The operation of {key} is not to be found any more.")
        return failed(finished, key, error, moment)
    return record


def _with_intent(record: Record, key: str, pending: PendingOperation) -> Record:
    """The start's result is not known after all: the job is looked for."""
    intents = {**record.steps.intents, key: Intent(key, pending.started_at)}
    return replace(record, steps=replace(record.steps, intents=intents))


def intended(record: Record, steps: tuple[Step, ...], moment: Moment) -> Record:
    """Written before the calls. With one more backup the job of the last is of no interest any more. An instance that
    is brought back is stopped: that it was the Guard must be known even when this very pass dies."""
    if any(isinstance(step, StartBackup) for step in steps) and isinstance(record.observed, ObservedCluster):
        record = replace(record, backup_job_id="", observed=replace(record.observed, backup_job=UNOBSERVED))
    intents = {**record.steps.intents, **{step.key: Intent(step.key, moment.now) for step in steps}}
    back = {step.key: moment.now for step in steps if isinstance(step, UndeleteBackupInstance)}
    return replace(record, steps=replace(record.steps, intents=intents, started={**record.steps.started, **back}))


def remember(record: Record, step: Step, outcome: StepOutcome, moment: Moment) -> Record:
    """The outcome of one call."""
    match outcome:
        case Failed(error):
            record = failed(record, step.key, error, moment)
            if error.kind == "ambiguous_effect":
                return record
            return _without_intent(record, step.key)
        case Accepted(operation_url):
            record = _without_intent(record, step.key)
            if isinstance(step, CreateBackupInstance) and _makes_first(record):  # no backup of it has been asked for
                record = replace(record, backup_job_id="")
            record = replace(
                record,
                steps=replace(record.steps, started={**record.steps.started, step.key: moment.now}),
                observed=_changing(record, step, moment),
                backup_asked_at=moment.now if isinstance(step, StartBackup) else record.backup_asked_at,
                memory=replace(record.memory, settled_at=None)
                if isinstance(step, InstallExtension | UpdateExtension)
                else record.memory,
                scope_digest=scope_digest(step.body.scope)
                if isinstance(step, CreateBackupInstance)
                else record.scope_digest,
            )
            if isinstance(step, InstallExtension):
                record = installed(record, step)
            if not operation_url:
                return record
            digest = validation_digest(step.body, record.resource_uid) if isinstance(step, ValidateForBackup) else ""
            pending = PendingOperation(step.key, operation_url, moment.now, digest)
            return replace(record, steps=replace(record.steps, pending={**record.steps.pending, step.key: pending}))
        case Done():
            if isinstance(step, StartBackup):
                return record  # started, but by which job is not said: the intent stays and the job is looked for
            record = _without_intent(record, step.key)
            if isinstance(step, CreateBackupPolicy | ResumeBackups | ResumeProtection):  # what came of it, a look sees
                record = replace(
                    record, steps=replace(record.steps, started={**record.steps.started, step.key: moment.now})
                )
                return replace(record, observed=_there(record, step, moment))
            record = cleared(record, step.key)
            if isinstance(step, ValidateForBackup):
                return replace(
                    record, validation=Validation(validation_digest(step.body, record.resource_uid), moment.now)
                )
            return replace(record, observed=_there(record, step, moment))
        case _:
            assert_never(outcome)


def _without_intent(record: Record, key: str) -> Record:
    return replace(record, steps=replace(record.steps, intents=without(record.steps.intents, key)))


def _there(record: Record, step: Step, moment: Moment) -> ObservedCluster | ObservedRegion:
    """What Azure's answer to a synchronous PUT proves; everything else is read again."""
    observed = record.observed
    if isinstance(step, GrantRole):
        assignment = RoleAssignment(
            f"{step.grant.scope}/providers/Microsoft.Authorization/roleAssignments/{step.assignment_name}", moment.now
        )
        grants = {**observed.grants, grant_key(step.grant): Present(assignment, moment.now)}
        return replace(observed, grants=grants)
    if isinstance(step, RevokeRole):
        return replace(observed, grants={**observed.grants, grant_key(step.grant): Absent(moment.now)})
    if isinstance(step, CreateContainer) and isinstance(observed, ObservedCluster):
        container = BlobContainer(step.arm_id, step.arm_id.rsplit("/", 1)[-1])
        return replace(observed, container=Present(container, moment.now))
    if isinstance(step, CreateDiagnosticSetting) and isinstance(observed, ObservedRegion):
        return replace(observed, diagnostics=Present(True, moment.now))
    return _changing(record, step, moment)


def _changing(record: Record, step: Step, moment: Moment) -> ObservedCluster | ObservedRegion:
    """The facts a step makes stale."""
    observed = record.observed
    if isinstance(observed, ObservedRegion):
        match step:
            case RegisterProvider(namespace=namespace):
                return replace(observed, providers={**observed.providers, namespace: _CHANGING})
            case CreateResourceGroup():
                backup, snapshot = observed.backup_group, observed.snapshot_group
                return replace(
                    observed,
                    backup_group=backup if isinstance(backup, Present) else _CHANGING,
                    snapshot_group=snapshot if isinstance(snapshot, Present) else _CHANGING,
                )
            case CreateStorageAccount():
                return replace(observed, account=_CHANGING)
            case CreateVault() | UpdateVault():
                return replace(observed, vault=_CHANGING)
            case CreateBackupPolicy(arm_id=arm_id):
                return replace(observed, policies={**observed.policies, policy_name(arm_id): _CHANGING})
            case _:
                return observed
    match step:
        case CreateStorageAccount():
            return replace(observed, account=_CHANGING)
        case InstallExtension():
            return replace(observed, extension=_CHANGING)
        case UpdateExtension() | DeleteExtension():
            # What it was is still of use while it changes: its identity, its account.
            extension = value_of(observed.extension)
            doing = "Updating" if isinstance(step, UpdateExtension) else "Deleting"
            if extension is None:
                return replace(observed, extension=_CHANGING)
            changing = replace(extension, provisioning_state=doing)
            return replace(observed, extension=Present(changing, moment.now), running_jobs=_CHANGING)
        case StartBackup():
            return replace(observed, running_jobs=_CHANGING)
        case UndeleteBackupInstance():
            return replace(observed, instances=_CHANGING, deleted_instance=UNOBSERVED)
        case ResumeBackups() | ResumeProtection():
            return replace(observed, instances=_CHANGING)
        case CreateTrustedAccessBinding():
            return replace(observed, bindings=_CHANGING)
        case CreateBackupInstance():
            # An instance that was not there before has no recovery points: that need not be asked.
            if not _makes_first(record):
                return replace(observed, instances=_CHANGING)
            return replace(observed, instances=_CHANGING, recovery_point=Absent(moment.now), backup_job=UNOBSERVED)
        case _:
            return observed


def _makes_first(record: Record) -> bool:
    """Whether the cluster has no backup instance, so that the one being put is new."""
    observed = record.observed
    known = isinstance(observed, ObservedCluster) and not isinstance(observed.instances, Unobserved)
    return known and isinstance(observed, ObservedCluster) and not value_of(observed.instances)


def forgotten(record: Record, profile_digest: str) -> Record:
    """A changed profile gives every failed step a new chance."""
    if record.profile_digest == profile_digest:
        return record
    kept: dict[str, Attempt] = {k: a for k, a in record.steps.attempts.items() if a.error.kind == "transient"}
    return replace(record, profile_digest=profile_digest, steps=replace(record.steps, attempts=kept))
