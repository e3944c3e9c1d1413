"""The pure planner, asked about situations nobody thought of."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conditions import READY
from shared.domain.facts import Absent, Present, Unobserved, value_of
from shared.domain.observed import ObservedCluster, ObservedRegion, grant_key
from shared.domain.profile import Configuration
from shared.domain.record import Record
from shared.domain.steps import (
    Accepted,
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
    RegisterProvider,
    ResumeBackups,
    ResumeProtection,
    RevokeRole,
    StartBackup,
    Step,
    StepOutcome,
    UndeleteBackupInstance,
    UpdateExtension,
    UpdateVault,
    ValidateForBackup,
)
from shared.domain.time import Moment
from shared.plan.cluster import plan_cluster, profile_of, subject_of
from shared.plan.gate import Gate, gate_of
from shared.plan.outcomes import absorb, intended, next_life, remember
from shared.plan.parts import Plan
from shared.plan.reads import first_reads, further_reads
from shared.plan.region import policy_name, region_reads, wanted_region
from shared.plan.region_plan import plan_region
from tests.property.strategies import REGION, situations, step_errors

Situation = tuple[Record, Record, Configuration, Moment]
DONE_AT_ONCE = (
    RegisterProvider,
    CreateResourceGroup,
    CreateBackupPolicy,
    CreateDiagnosticSetting,
    GrantRole,
    CreateContainer,
)


def taken_in(situation: Situation) -> Situation:
    """As a look does before it plans, without reading."""
    record, region, configuration, moment = situation
    return absorb(next_life(record, moment), moment), absorb(region, moment), configuration, moment


def planned(situation: Situation, *, stopped: str | None = None, gate: Gate | None = None) -> Plan:
    record, region, configuration, moment = situation
    profile = profile_of(record, configuration, moment)
    if isinstance(profile, Plan):
        return profile
    subject = subject_of(record, region, profile, configuration, moment)
    return plan_cluster(subject, region, configuration, gate or gate_of(profile, stopped=stopped, rollout=None))


def region_planned(situation: Situation) -> Plan:
    _, region, configuration, moment = situation
    wanted = wanted_region(REGION, configuration)
    assert wanted is not None
    return plan_region(region, wanted, moment)


def fact_behind(step: Step, observed: ObservedCluster) -> object:
    """What must have been read before the step may be thought of."""
    match step:
        case InstallExtension():
            return observed.extension
        case CreateContainer():
            return observed.container
        case CreateStorageAccount():
            return observed.account
        case CreateTrustedAccessBinding():
            return observed.bindings
        case ValidateForBackup() | CreateBackupInstance() | ResumeBackups() | ResumeProtection():
            return observed.instances
        case UndeleteBackupInstance():
            return observed.deleted_instance
        case UpdateExtension():
            return observed.extension
        case StartBackup():
            return observed.recovery_point
        case GrantRole():
            return observed.grants[grant_key(step.grant)]
    raise AssertionError(f"not a step of a cluster: {step}")


def region_fact_behind(step: Step, observed: ObservedRegion) -> object:
    match step:
        case RegisterProvider():
            return observed.providers[step.namespace]
        case CreateResourceGroup():
            return observed.snapshot_group if "Snapshots" in step.arm_id else observed.backup_group
        case CreateStorageAccount():
            return observed.account
        case CreateVault() | UpdateVault():
            return observed.vault
        case CreateDiagnosticSetting():
            return observed.diagnostics
        case CreateBackupPolicy():
            return observed.policies[policy_name(step.arm_id)]
        case GrantRole():
            return observed.grants[grant_key(step.grant)]
    raise AssertionError(f"not a step of a region: {step}")


@given(situations())
def test_a_step_needs_a_fact_that_was_read(situation: Situation) -> None:
    situation = taken_in(situation)
    observed = situation[0].observed
    assert isinstance(observed, ObservedCluster)
    for step in planned(situation).next_steps:
        assert isinstance(observed.cluster, Present)
        assert not isinstance(fact_behind(step, observed), Unobserved), step
        if isinstance(step, GrantRole | CreateStorageAccount):
            assert isinstance(fact_behind(step, observed), Absent), step


@given(situations())
def test_a_step_of_a_region_needs_a_proven_absence(situation: Situation) -> None:
    situation = taken_in(situation)
    observed = situation[1].observed
    assert isinstance(observed, ObservedRegion)
    for step in region_planned(situation).next_steps:
        fact = region_fact_behind(step, observed)
        if isinstance(fact, Present) and isinstance(step, UpdateVault | CreateBackupPolicy | CreateDiagnosticSetting):
            assert isinstance(step, CreateDiagnosticSetting) or fact.observed_at >= situation[3].now, step
            continue
        assert isinstance(fact, Present if isinstance(step, RegisterProvider) else Absent), step


@given(situations())
def test_nothing_is_deleted_because_somebody_changed_something(situation: Situation) -> None:
    """Without a failed job to cure, that is."""
    situation = taken_in(situation)
    for plan in (planned(situation), region_planned(situation)):
        assert not any(isinstance(step, DeleteExtension | RevokeRole) for step in plan.next_steps)


SOFT_DELETE, IMMUTABILITY = ("off", "on", "alwayson"), ("disabled", "unlocked", "locked")


@given(situations())
def test_a_vault_is_never_made_weaker_and_never_bound_for_ever_unasked(situation: Situation) -> None:
    situation = taken_in(situation)
    (profile,) = situation[2].profiles.values()
    for step in region_planned(situation).next_steps:
        if not isinstance(step, UpdateVault):
            continue
        vault = value_of(situation[1].observed.vault)
        assert vault is not None
        if step.soft_delete_days is not None:
            before = SOFT_DELETE.index(vault.soft_delete.lower())
            after = SOFT_DELETE.index(step.soft_delete.lower())
            assert (after, step.soft_delete_days) > (before, vault.soft_delete_days)
            assert after >= before
            assert step.soft_delete_days >= vault.soft_delete_days
            assert after < 2 or before == 2 or profile.repairs.one_way
        else:
            assert step.soft_delete == vault.soft_delete
        if step.immutability:
            before = IMMUTABILITY.index((vault.immutability or "Disabled").lower())
            assert IMMUTABILITY.index(step.immutability.lower()) > before
            assert step.immutability != "Locked" or profile.repairs.one_way
        assert not step.cross_region_restore or (profile.repairs.one_way and not vault.cross_region_restore)
        assert not step.cross_subscription_restore or not vault.cross_subscription_restore
        changes = step.soft_delete_days or step.immutability or step.cross_subscription_restore
        assert profile.repairs.vault_settings or not (changes or step.cross_region_restore)


@given(situations())
def test_an_instance_is_resumed_only_when_the_profile_or_the_guards_own_undelete_says_so(situation: Situation) -> None:
    situation = taken_in(situation)
    (profile,) = situation[2].profiles.values()
    for step in planned(situation).next_steps:
        if isinstance(step, ResumeBackups):
            assert profile.repairs.resume_suspended
        if isinstance(step, ResumeProtection):
            assert profile.repairs.resume_stopped or "UndeleteBackupInstance" in situation[0].steps.started


@given(situations())
def test_every_wait_has_an_end_and_every_end_a_reason(situation: Situation) -> None:
    situation = taken_in(situation)
    for plan in (planned(situation), region_planned(situation)):
        if plan.requeue_after is None:
            assert not plan.remaining
            assert isinstance(situation[0].observed.cluster, Absent)  # type: ignore[union-attr]
        else:
            assert 0 < plan.requeue_after <= 7 * 86400
        assert bool(plan.next_steps) <= bool(plan.remaining)
        for condition in plan.conditions:
            assert condition.reason, condition
            assert " " not in condition.reason, condition
            assert condition.message, condition


@given(situations())
def test_no_step_is_planned_twice(situation: Situation) -> None:
    situation = taken_in(situation)
    for plan in (planned(situation), region_planned(situation)):
        keys = [step.key for step in plan.next_steps]
        assert len(keys) == len(set(keys))


@given(situations())
def test_ready_is_true_only_when_nothing_remains_and_everything_was_seen(situation: Situation) -> None:
    situation = taken_in(situation)
    plan = planned(situation)
    ready = [condition for condition in plan.conditions if condition.type == READY]
    assert len(ready) == 1
    if ready[0].status == "True":
        observed = situation[0].observed
        assert isinstance(observed, ObservedCluster)
        seen = (observed.cluster, observed.extension, observed.bindings, observed.instances, observed.recovery_point)
        assert all(isinstance(fact, Present) for fact in seen)
        assert not plan.remaining
        assert all(condition.status == "True" for condition in plan.conditions)
    elif not isinstance(situation[0].observed.cluster, Absent):  # type: ignore[union-attr]
        assert plan.remaining or ready[0].reason == "ClusterDeleted"


@given(situations())
def test_behind_a_gate_nothing_is_started_and_the_same_remains(situation: Situation) -> None:
    situation = taken_in(situation)
    free, stopped = planned(situation), planned(situation, stopped="by a person: a test")
    audited = planned(situation, gate=Gate("AuditMode", "nothing is changed"))
    assert not stopped.next_steps
    assert not audited.next_steps
    assert stopped.remaining == audited.remaining == free.remaining


@given(situations())
def test_planning_is_a_function_of_what_is_known(situation: Situation) -> None:
    assert planned(taken_in(situation)) == planned(taken_in(situation))


@given(situations())
def test_what_shall_be_read_can_be_said_of_any_situation(situation: Situation) -> None:
    record, region, configuration, moment = taken_in(situation)
    first_reads(record, moment)
    wanted = wanted_region(REGION, configuration)
    assert wanted is not None
    region_reads(region, wanted, moment)
    profile = profile_of(record, configuration, moment)
    if not isinstance(profile, Plan):
        further_reads(subject_of(record, region, profile, configuration, moment))


def outcomes_of(step: Step, data: st.DataObject) -> StepOutcome:
    if data.draw(st.booleans()):
        return Failed(data.draw(step_errors))
    if isinstance(step, DONE_AT_ONCE):
        return Done()
    if isinstance(step, ValidateForBackup | StartBackup):
        return Accepted("http://127.0.0.1/operation")
    return Accepted()


@given(situations(), st.data())
def test_a_step_that_was_answered_is_not_repeated_at_once(situation: Situation, data: st.DataObject) -> None:
    """Progress: whatever the answers, the next plan at the same moment holds none of the same steps."""
    record, region, configuration, moment = taken_in(situation)
    steps = planned((record, region, configuration, moment)).next_steps
    record = intended(record, steps, moment)
    for step in steps:
        record = remember(record, step, outcomes_of(step, data), moment)
    after = absorb(record, moment)
    again = planned((after, region, configuration, moment)).next_steps
    assert not {step.key for step in steps} & {step.key for step in again}


@given(situations())
def test_a_backup_is_never_started_while_the_last_start_is_unknown(situation: Situation) -> None:
    record, region, configuration, moment = situation
    record, region, configuration, moment = taken_in(situation)
    unknown = "StartBackup" in record.steps.intents or "StartBackup" in record.steps.pending
    plan = planned((record, region, configuration, moment))
    assert not (unknown and any(isinstance(step, StartBackup) for step in plan.next_steps))


@given(situations())
def test_taking_in_the_same_facts_twice_changes_nothing_more(situation: Situation) -> None:
    record, _, _, moment = situation
    once = absorb(next_life(record, moment), moment)
    assert absorb(next_life(once, moment), moment) == once


@given(situations(), st.integers(0, 10**6))
def test_time_alone_never_makes_a_cluster_ready(situation: Situation, seconds: int) -> None:
    """What is known does not get better by waiting; only Azure's answers make it so."""
    record, region, configuration, moment = taken_in(situation)
    later = Moment(moment.after(seconds))
    before = planned((record, region, configuration, moment))
    after = planned((replace(record), region, configuration, later))
    if any(c.type == READY and c.status == "True" for c in after.conditions):
        first_look_waits = bool(record.steps.started or record.steps.pending)
        assert first_look_waits or before.conditions[-1].status == "True" or before.conditions[-1].reason == "TooYoung"
