"""The backup instance: validated first, then put, then watched until Azure says ProtectionConfigured."""

import hashlib
from dataclasses import fields
from datetime import datetime

from shared.domain.conditions import PROTECTION_CONFIGURED
from shared.domain.errors import StepError
from shared.domain.facts import UNOBSERVED, Fact, Present, Unobserved, value_of
from shared.domain.ids import same_id
from shared.domain.profile import BackupScope
from shared.domain.steps import CreateBackupInstance, InstanceBody, ValidateForBackup
from shared.plan import names
from shared.plan.freshness import first_look_in
from shared.plan.parts import Part, Said, attempted, said_of, seconds_until
from shared.plan.region import policy_name, wanted_policy_id
from shared.plan.subject import Subject, unobserved, waiting

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


def scope_digest(scope: BackupScope) -> str:
    """What is not said stays out of it, so that a setting which a newer version brings along changes no instance."""
    unsaid = BackupScope()
    said = [(f.name, value) for f in fields(scope) if (value := getattr(scope, f.name)) != getattr(unsaid, f.name)]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


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
        return _put_instance(subject, put, inputs_ready)
    ours = same_id(instance.arm_id, names.instance_id(subject.wanted.vault_id, subject.cluster_id))
    another_life = bool(subject.record.protected_uid) and subject.record.protected_uid != subject.cluster.resource_uid
    state = instance.protection_state.lower()
    if state in ("configuringprotection", "updatingprotection"):
        message = f"Azure is configuring the protection ({instance.protection_state})."
        return waiting(PROTECTION_CONFIGURED, "ConfiguringProtection", message, 10, put.key)
    if state == "protectionconfigured" and not another_life:
        if ours and not same_id(instance.policy_id, put.body.policy_id):
            message = "The instance is put under the profile's policy."
            return _put_changed(subject, put, Said(PROTECTION_CONFIGURED, "False", "ChangingPolicy", message))
        if ours and subject.record.scope_digest not in ("", scope_digest(put.body.scope)):
            message = "The instance is given the profile's scope."
            return _put_changed(subject, put, Said(PROTECTION_CONFIGURED, "False", "ChangingScope", message))
        message = f"Protected by the backup instance {instance.name} ({'ours' if ours else 'adopted as it was found'})."
        said = Said(PROTECTION_CONFIGURED, "True", "ProtectionConfigured" if ours else "Adopted", message)
        return Part((said,))
    if ours and (
        another_life or state in ("protectionerror", "configuringprotectionfailed", "notprotected", "invalid")
    ):
        return _put_instance(subject, put, inputs_ready)
    return _somebody_elses(instance.name, instance.protection_state, instance.error)


def _put_changed(subject: Subject, put: CreateBackupInstance, ready: Said) -> Part:
    """Another policy or scope is a PUT of the same instance (Backup Instances REST, recorded). It is protected
    meanwhile, so it is not validated again: validateForBackup is for a datasource that is to be protected."""
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
