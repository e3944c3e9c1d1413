"""The backup instance: validated first, then put, then watched until Azure says ProtectionConfigured."""

from dataclasses import replace
from datetime import datetime

from shared.domain.conditions import PROTECTION_CONFIGURED
from shared.domain.errors import StepError
from shared.domain.facts import UNOBSERVED, Absent, Fact, Present, Unobserved, value_of
from shared.domain.ids import same_id
from shared.domain.observed import BackupInstance
from shared.domain.steps import (
    CreateBackupInstance,
    InstanceBody,
    ResumeBackups,
    ResumeProtection,
    UndeleteBackupInstance,
    ValidateForBackup,
)
from shared.plan import names
from shared.plan.freshness import first_look_in
from shared.plan.instance_drift import RESUMED_AFTER, STOPPED, SUSPENDED, scope_changed
from shared.plan.parts import Part, Said, attempted, said_of, seconds_until
from shared.plan.region import policy_name, wanted_policy_id
from shared.plan.subject import Subject, unobserved, waiting
from shared.plan.verdict import SPREADS_IN

FIRST_VALIDATION_AFTER = 120.0
"""Seconds after the newest grant, as Microsoft's own command waits: sooner it only fails, since role assignments
propagate for up to ten minutes."""
VALIDATION_HOLDS_FOR = 3600.0
"""Seconds a successful validation is taken as true before the instance is put."""


def instance_body(subject: Subject) -> InstanceBody:
    vault = value_of(subject.target.vault)
    return InstanceBody(
        subject.target.instance_id,
        subject.cluster.arm_id,
        subject.cluster.name,
        subject.cluster.location,
        wanted_policy_id(subject.wanted, subject.profile) if subject.target.shares_vault else subject.target.policy_id,
        subject.target.snapshot_group_id,
        subject.profile.scope,
        vault.soft_delete if vault else subject.profile.vault.soft_delete,
    )


def validation_digest(body: InstanceBody, resource_uid: str) -> str:
    """What a validation was about: the body and the very cluster, not only its ARM id."""
    return names.digest(repr(body), resource_uid)[:16]


def instance_part(subject: Subject, inputs_ready: bool) -> Part:
    """Validated first, then put, then watched until Azure says ProtectionConfigured: never "success" before."""
    fact, instance = subject.observed.instances, subject.target.instance
    if (wait := first_look_in(subject.record, "CreateBackupInstance", subject.moment)) > 0:
        message = "Azure is configuring the protection."
        return waiting(PROTECTION_CONFIGURED, "ConfiguringProtection", message, wait, "CreateBackupInstance")
    if isinstance(fact, Unobserved):
        return unobserved(PROTECTION_CONFIGURED, "The backup instances", fact)
    put = CreateBackupInstance(instance_body(subject))
    if instance is None:
        return _brought_back(subject) or _put_instance(subject, put, inputs_ready)
    ours = same_id(instance.arm_id, names.instance_id(subject.wanted.vault_id, subject.cluster_id))
    another_life = bool(subject.record.protected_uid) and subject.record.protected_uid != subject.cluster.resource_uid
    state = instance.protection_state.lower()
    if state in ("configuringprotection", "updatingprotection"):
        message = f"Azure is configuring the protection ({instance.protection_state})."
        return waiting(PROTECTION_CONFIGURED, "ConfiguringProtection", message, 10, put.key)
    if state == "protectionconfigured" and not another_life:
        if ours and not same_id(instance.policy_id, put.body.policy_id):
            message = "The instance is put under the profile's policy."
            ready = Said(PROTECTION_CONFIGURED, "False", "ChangingPolicy", message)
            return _put_changed(subject, put, ready, inputs_ready)
        record = subject.record
        if ours and scope_changed(instance, put.body.scope, record.scope_digest, record.scope_seen):
            message = "The instance is given the profile's scope."
            ready = Said(PROTECTION_CONFIGURED, "False", "ChangingScope", message)
            return _put_changed(subject, put, ready, inputs_ready)
        message = f"Protected by the backup instance {instance.name} ({'ours' if ours else 'adopted as it was found'})."
        said = Said(PROTECTION_CONFIGURED, "True", "ProtectionConfigured" if ours else "Adopted", message)
        return Part((said,))
    resume = _resumption(subject, instance, another_life) if ours else None
    if resume is not None:
        return _resumed(subject, instance, resume, inputs_ready)
    if ours and (
        another_life or state in ("protectionerror", "configuringprotectionfailed", "notprotected", "invalid")
    ):
        return _put_instance(subject, put, inputs_ready)
    return _somebody_elses(instance.name, instance.protection_state, instance.error)


def _brought_back(subject: Subject) -> Part | None:
    """An instance of the Guard's own that somebody deleted: its vault may keep it for a while, with its recovery
    points, and takes no other of that name meanwhile. None: it is made anew."""
    fact, vault = subject.observed.deleted_instance, value_of(subject.target.vault)
    if not subject.record.protected_uid or isinstance(fact, Absent):
        return None
    step = UndeleteBackupInstance(subject.target.instance_id, vault.soft_delete if vault else "")
    if isinstance(fact, Unobserved):
        part = unobserved(PROTECTION_CONFIGURED, "The vault's deleted backup instances", fact)
        return replace(part, remaining=(*part.remaining, step.key))
    message = "Somebody deleted the backup instance; it is brought back."
    ready = Said(PROTECTION_CONFIGURED, "False", "Undeleting", message)
    return attempted(PROTECTION_CONFIGURED, step, subject.record.steps, subject.moment, ready)


def _resumption(
    subject: Subject, instance: BackupInstance, another_life: bool
) -> ResumeBackups | ResumeProtection | None:
    """What undoes the instance's state, when the profile allows it for this very cluster, or when it is stopped because
    the Guard brought it back from deletion."""
    state, repairs = instance.protection_state.lower(), subject.profile.repairs
    vault = value_of(subject.target.vault)
    soft_delete = vault.soft_delete if vault else subject.profile.vault.soft_delete
    if state in SUSPENDED and repairs.resume_suspended and not another_life:
        return ResumeBackups(instance.arm_id, soft_delete)
    brought_back = "UndeleteBackupInstance" in subject.record.steps.started
    if state in STOPPED and ((repairs.resume_stopped and not another_life) or brought_back):
        return ResumeProtection(instance.arm_id, soft_delete)
    return None


def _resumed(
    subject: Subject, instance: BackupInstance, resume: ResumeBackups | ResumeProtection, inputs_ready: bool
) -> Part:
    history, moment = subject.record.steps, subject.moment
    message = f"The backup instance {instance.name} is in {instance.protection_state} by nobody's order; it is resumed."
    ready = Said(PROTECTION_CONFIGURED, "False", "Resuming", message)
    started, failed = history.started.get(resume.key), history.attempts.get(resume.key)
    under_way = (
        started is not None
        and moment.since(started) < RESUMED_AFTER
        and (failed is None or failed.last_failure < started)
    )
    if resume.key in history.pending or under_way:
        return waiting(PROTECTION_CONFIGURED, "Resuming", message, 30, resume.key)
    if (not_yet := _inputs_first(subject, inputs_ready, resume.key)) is not None:
        return not_yet
    return attempted(PROTECTION_CONFIGURED, resume, history, moment, ready)


def _inputs_first(subject: Subject, inputs_ready: bool, step_key: str) -> Part | None:
    """A change of an instance ends in ProtectionError while a role is missing, or was given and has not spread. What
    was given before the protection was last seen to work has spread."""
    if not inputs_ready:
        message = "The extension, trusted access and the roles come first."
        return Part((Said(PROTECTION_CONFIGURED, "False", "WaitingForInputs", message),), (), (step_key,))
    newest, before = _newest_grant(subject), subject.record.conditions.get(PROTECTION_CONFIGURED)
    works = before is not None and before.status == "True" and newest is not None and before.last_transition > newest
    if newest is None or works or subject.moment.since(newest) >= SPREADS_IN:
        return None
    message = "Role assignments take up to ten minutes to spread, seldom an hour."
    wait = SPREADS_IN - subject.moment.since(newest)
    return waiting(PROTECTION_CONFIGURED, "WaitingForPropagation", message, wait, step_key)


def _put_changed(subject: Subject, put: CreateBackupInstance, ready: Said, inputs_ready: bool) -> Part:
    """Another policy or scope is a PUT of the same instance (Backup Instances REST, recorded). It is protected
    meanwhile, so it is not validated again: validateForBackup is for a datasource that is to be protected."""
    if (not_yet := _inputs_first(subject, inputs_ready, put.key)) is not None:
        return not_yet
    policy = subject.region.policies.get(policy_name(put.body.policy_id), UNOBSERVED)
    if not isinstance(policy, Present):
        return waiting(PROTECTION_CONFIGURED, ready.reason, "The profile's policy is not there yet.", 5, put.key)
    return attempted(PROTECTION_CONFIGURED, put, subject.record.steps, subject.moment, ready)


def _somebody_elses(name: str, state: str, error: StepError | None) -> Part:
    """An instance that a person stopped, or made, is theirs: the Guard makes no second one beside it."""
    detail = f" {error.code}: {error.message}" if error else ""
    action = (error.recommended_action if error else "") or "Resume or repair this backup instance, or delete it."
    reason = "InstanceOfEarlierCluster" if state.lower() == "protectionconfigured" else state
    said = Said(PROTECTION_CONFIGURED, "False", reason, f"The backup instance {name} is in {state}.{detail}", action)
    return Part((said,), (), ("ProtectionConfigured",), 300)


def _put_instance(subject: Subject, put: CreateBackupInstance, inputs_ready: bool) -> Part:
    history, moment = subject.record.steps, subject.moment
    failed = history.attempts.get(put.key)
    if failed is not None and failed.not_before > moment.now:
        return Part((said_of(PROTECTION_CONFIGURED, failed.error),), (), (put.key,), seconds_until(failed, moment))
    if not inputs_ready:
        message = "The extension, trusted access and the roles come first."
        return Part((Said(PROTECTION_CONFIGURED, "False", "WaitingForInputs", message),), (), (put.key,))
    validate = ValidateForBackup(put.body)
    validation = subject.record.validation
    if (
        validation is not None
        and validation.digest == validation_digest(put.body, subject.cluster.resource_uid)
        and moment.since(validation.at) < VALIDATION_HOLDS_FOR
    ):
        ready = Said(PROTECTION_CONFIGURED, "False", "ConfiguringProtection", "The backup instance is being created.")
        return attempted(PROTECTION_CONFIGURED, put, history, moment, ready)
    if validate.key in history.pending:
        wait = first_look_in(subject.record, validate.key, moment)
        message = "Azure is validating the cluster for backup."
        return waiting(PROTECTION_CONFIGURED, "Validating", message, wait if wait > 0 else 10, validate.key)
    newest = _newest_grant(subject)
    if newest is not None and validate.key not in history.attempts and moment.since(newest) < FIRST_VALIDATION_AFTER:
        message = "Role assignments take up to ten minutes to spread, seldom an hour."
        wait = FIRST_VALIDATION_AFTER - moment.since(newest)
        return waiting(PROTECTION_CONFIGURED, "WaitingForPropagation", message, wait, validate.key)
    ready = Said(PROTECTION_CONFIGURED, "False", "Validating", "Azure is asked whether the cluster can be backed up.")
    return attempted(PROTECTION_CONFIGURED, validate, history, moment, ready)


def _newest_grant(subject: Subject) -> datetime | None:
    facts: list[Fact[object]] = [*subject.observed.grants.values(), *subject.region.grants.values()]
    return max(
        (f.value.granted_at for f in facts if isinstance(f, Present) and hasattr(f.value, "granted_at")), default=None
    )
