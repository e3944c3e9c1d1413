"""The whole plan of one cluster, composed of its parts."""

from shared.domain.conditions import (
    BACKUP_HEALTHY,
    EXTENSION_MEMORY_SUFFICIENT,
    EXTENSION_READY,
    PREREQUISITES_MET,
    PROTECTION_CONFIGURED,
    READY,
    REGION_READY,
    ROLES_ASSIGNED,
    TRUSTED_ACCESS_GRANTED,
    Condition,
    Status,
)
from shared.domain.facts import UNOBSERVED, Absent, Present, Unobserved, value_of
from shared.domain.ids import ClusterId, RegionId
from shared.domain.jobs import ClusterHistory
from shared.domain.observed import ObservedCluster, ObservedRegion
from shared.domain.profile import Configuration, ProtectionProfile
from shared.domain.record import Record
from shared.domain.time import Moment
from shared.plan.backup_instance import instance_part
from shared.plan.cures import cures_part
from shared.plan.first_backup import first_backup_part
from shared.plan.freshness import DAILY
from shared.plan.gate import Gate, held_back, listed
from shared.plan.memory_part import memory_part
from shared.plan.parts import Part, Plan, Said, sooner, together
from shared.plan.prerequisites import check_prerequisites
from shared.plan.protection import extension_part, roles_part, storage_part, trusted_access_part
from shared.plan.region import PROVIDERS, policy_name, region_grants, wanted_policy_id, wanted_region
from shared.plan.region_first import REGION_FIRST, waits_for_region
from shared.plan.selection import NotSelected, select_profile
from shared.plan.subject import Subject
from shared.plan.target import target_of

ASKED_FOR = (
    PREREQUISITES_MET,
    REGION_READY,
    EXTENSION_READY,
    TRUSTED_ACCESS_GRANTED,
    ROLES_ASSIGNED,
    PROTECTION_CONFIGURED,
    EXTENSION_MEMORY_SUFFICIENT,
    BACKUP_HEALTHY,
)
"""The conditions `Ready` sums up, in the order in which one waits for the other. The extension's memory counts once the
extension is there."""


UNKNOWN_REGION_AGAIN = 60.0
"""Seconds until a cluster that may not be changed looks again at a region nothing was known of."""


def region_of(record: Record, profile: ProtectionProfile) -> RegionId:
    assert isinstance(record.subject, ClusterId)  # noqa: S101 - the caller chose by the subject
    assert isinstance(record.observed, ObservedCluster)  # noqa: S101
    cluster = value_of(record.observed.cluster)
    assert cluster is not None  # noqa: S101
    return RegionId(record.subject.subscription_id, cluster.location.lower(), profile.vault.vault_class)


def profile_of(record: Record, configuration: Configuration, moment: Moment) -> ProtectionProfile | Plan:
    """The cluster's profile; or the plan that says why there is nothing to do for it now."""
    observed = record.observed
    assert isinstance(record.subject, ClusterId)  # noqa: S101 - the caller chose by the subject
    assert isinstance(observed, ObservedCluster)  # noqa: S101
    if isinstance(observed.cluster, Unobserved):
        said = Said(READY, "Unknown", "Unobserved", f"The cluster could not be read: {observed.cluster.reason}.")
        return Plan((), ("Read:Cluster",), (said.at(moment),), 60)
    if isinstance(observed.cluster, Absent):
        message = "The cluster is deleted. Its recovery points are kept until their retention ends."
        return Plan((), (), (Said(READY, "False", "ClusterDeleted", message).at(moment),))
    cluster = observed.cluster.value
    selected = select_profile(configuration, record.subject, cluster, moment.now)
    if isinstance(selected, NotSelected):
        said = Said(READY, "Unknown", selected.reason, selected.message, selected.recommended_action)
        expires = -moment.since(selected.expires) if selected.expires else DAILY
        return Plan((), (), (said.at(moment),), min(DAILY, max(60.0, expires)))
    age = moment.since(cluster.created_at or record.first_seen_at)
    if age < selected.profile.minimum_age:
        message = f"The cluster is younger than the profile's minimum age ({selected.profile.minimum_age:.0f} s)."
        wait = selected.profile.minimum_age - age
        return Plan((), ("MinimumAge",), (Said(READY, "False", "TooYoung", message).at(moment),), wait)
    return selected.profile


def subject_of(
    record: Record,
    region: Record | None,
    profile: ProtectionProfile,
    configuration: Configuration,
    moment: Moment,
    history: ClusterHistory | None = None,
) -> Subject:
    """Gathers what the parts look at. A region without a record yet is one nothing is known of."""
    assert isinstance(record.subject, ClusterId)  # noqa: S101 - the caller chose by the subject
    assert isinstance(record.observed, ObservedCluster)  # noqa: S101
    cluster = value_of(record.observed.cluster)
    wanted = wanted_region(region_of(record, profile), configuration)
    assert cluster is not None  # noqa: S101 - profile_of said so
    assert wanted is not None  # noqa: S101 - the profile itself has the vault class
    shared = region.observed if region and isinstance(region.observed, ObservedRegion) else ObservedRegion()
    target = target_of(record.subject, cluster, profile, record.observed, wanted, shared, record.installed_in)
    return Subject(record.subject, cluster, profile, record, record.observed, wanted, shared, target, moment, history)


def plan_cluster(subject: Subject, region: Record | None, configuration: Configuration, gate: Gate | None) -> Plan:
    """What may be started now, what remains, what is true of the cluster, and when to look again. With a gate the
    same is said, and nothing is started."""
    moment = subject.moment
    prerequisites = check_prerequisites(subject.cluster)
    shared = _region_part(subject, region, gate)
    fit = prerequisites.complete or not prerequisites.said[0].recommended_action  # or will be, by itself
    wakes = _region_to_wake(subject, region, configuration) if fit else None
    region_first = waits_for_region(subject, region) if prerequisites.complete else None
    if region_first == "Look":
        wakes = subject.wanted.region
    if prerequisites.complete:
        ways = [storage_part(subject), extension_part(subject), trusted_access_part(subject), roles_part(subject)]
        inputs_ready = shared.complete and all(part.complete for part in ways)
        backups = [memory_part(subject), cures_part(subject), first_backup_part(subject)]
        parts = [prerequisites, shared, *ways, instance_part(subject, inputs_ready), *backups]
    else:
        parts = [prerequisites]
    if gate is not None:
        parts = [held_back(part, gate, subject.record.steps) for part in parts]
    whole = together(parts)
    conditions = {said.type: said for said in reversed(whole.said)}
    if gate is not None and whole.remaining and prerequisites.complete:
        message = f"{gate.message} Would do: {listed(whole.remaining)}."
        still_true = all(conditions[name].status == "True" for name in ASKED_FOR if name in conditions)
        status: Status = "True" if gate.holds_change and still_true else "False"
        ready = Said(READY, status, gate.reason, message, gate.recommended_action)
        dated = tuple(s.at(moment) for s in (*conditions.values(), ready))
        again = sooner(gate.requeue_after, REGION_FIRST if region_first else UNKNOWN_REGION_AGAIN if wakes else None)
        return Plan((), whole.remaining, dated, again, wakes)
    ready = _ready(conditions)
    dated = tuple(s.at(moment) for s in (*conditions.values(), ready))
    if region_first:
        return Plan((), whole.remaining, dated, REGION_FIRST, wakes)
    requeue_after = DAILY if not whole.remaining else (whole.requeue_after or 15)
    return Plan(whole.steps, whole.remaining, dated, requeue_after, wakes)


def _ready(conditions: dict[str, Said]) -> Said:
    """True only when everything that is asked for is True; otherwise what stands first in the way."""
    wrong = [said for name in ASKED_FOR if (said := conditions.get(name)) is not None and said.status != "True"]
    if not wrong:
        return Said(READY, "True", "Protected", "The cluster is protected as its profile says.")
    # What needs a person matters more than what merely waits.
    first = next((said for said in wrong if said.recommended_action), wrong[0])
    return Said(READY, first.status, first.reason, first.message, first.recommended_action)


def _region_part(subject: Subject, region: Record | None, gate: Gate | None) -> Part:
    """What the cluster needs of its region. Its own way to the vault goes on as soon as the vault is there."""
    target, shared = subject.target, subject.region
    missing: list[str] = []
    if not isinstance(subject.observed.extension, Present):
        if any(value_of(shared.providers.get(namespace, UNOBSERVED)) != "Registered" for namespace in PROVIDERS):
            missing.append("resource providers")
        if target.shares_account and value_of(target.account) is None:
            missing.append("storage account")
    vault = value_of(target.vault)
    if vault is None:
        missing.append("vault")
    elif vault.principal_id is None:
        missing.append("identity of the vault")
    if value_of(target.policy) is None:
        missing.append("policy")
    if not target.snapshot_group_ready:
        missing.append("snapshot resource group")
    grants = region_grants(subject.wanted, shared)
    if (target.shares_vault or target.shares_snapshot_group) and any(
        value_of(shared.grants.get(f"{g.principal_id}|{g.role}|{g.scope}".lower(), UNOBSERVED)) is None for g in grants
    ):
        missing.append("roles of the vault")
    if not missing:
        return Part((Said(REGION_READY, "True", "RegionReady", "What the region shares is there."),))
    condition = region.conditions.get(REGION_READY) if region else None
    why = f" {condition.message}" if condition and condition.status != "True" else ""
    said = Said(
        REGION_READY,
        "False",
        condition.reason if condition and condition.status != "True" else gate.reason if gate else "Creating",
        f"Of the region {subject.cluster.location} these are not there yet: {', '.join(missing)}.{why}",
        condition.recommended_action if condition else "",
    )
    return Part((said,), (), ("Region",), _region_wait(condition, subject.moment))


def _region_wait(condition: Condition | None, moment: Moment) -> float:
    """Seconds until the next look at a region that others make ready: a fifth of what was waited so far."""
    waited = moment.since(condition.last_transition) if condition and condition.status != "True" else 0.0
    return min(max(4.0, 0.2 * waited), 300.0)


def _region_to_wake(subject: Subject, region: Record | None, configuration: Configuration) -> RegionId | None:
    """Only when nobody is at it: the region's own wake-ups do the rest. A cluster that is only audited never wakes a
    region that would act."""
    if subject.profile.mode == "audit" and subject.wanted.enforce:
        return None
    if region is None or region.configuration_digest != configuration.digest:
        return subject.wanted.region
    policy = wanted_policy_id(subject.wanted, subject.profile)
    condition = region.conditions.get(REGION_READY)
    if condition is not None and condition.status == "True" and policy_name(policy) not in subject.region.policies:
        return subject.wanted.region
    return None
