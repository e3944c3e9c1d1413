"""Which facts of a cluster one pass reads: only what is pending, what was asked for, or what a day has made old."""

from shared.domain.facts import UNOBSERVED, Absent, Present, observed_at, value_of
from shared.domain.ids import same_id
from shared.domain.observed import BackupInstance, Cluster, ObservedCluster, grant_key
from shared.domain.reads import ClusterReads, JobSearch
from shared.domain.record import Record
from shared.domain.time import Moment
from shared.plan import cures, memory_part
from shared.plan.extension_memory import memory_reads
from shared.plan.extension_place import misplaced
from shared.plan.freshness import Freshness, extension_look_in, first_look_in, freshness, read_now, settled
from shared.plan.prerequisites import check_prerequisites
from shared.plan.protection import MOST_BINDINGS, puts_back, reinstalls
from shared.plan.subject import Subject
from shared.plan.target import cluster_grants
from shared.plan.under_way import ENDED, counts, first_job_look_in
from shared.plan.verdict import to_confirm

CHANGING_EVERY = 10.0
"""Seconds between two reads of a fact that is still changing, whatever else wakes the cluster."""
NOBODY_ELSE_PROTECTED = 300.0
"""Seconds for which it is believed that a cluster has no backup instance: a person may be faster than the Guard."""
JOB_SEARCH_AFTER = 30.0
"""Seconds after a lost start: sooner its job may not be listed yet."""


def first_reads(record: Record, moment: Moment) -> ClusterReads:
    """What needs no other fact: the cluster itself and what lies under its ARM id."""
    observed = record.observed
    assert isinstance(observed, ObservedCluster)  # noqa: S101 - the caller chose by the subject
    fresh, doubting = freshness(record, moment), doubtful(record, moment)
    extension, bindings = value_of(observed.extension), value_of(observed.bindings)
    instances = value_of(observed.instances) or ()
    return ClusterReads(
        cluster=fresh.stale(observed.cluster, settled=_fit(value_of(observed.cluster)) and not _refused(record)),
        extension=extension_look_in(record, moment) <= 0
        and doubting.stale(
            observed.extension,
            settled=extension is not None
            and extension.provisioning_state.lower() == "succeeded"
            and record.memory.in_effect
            and not misplaced(record, extension),
            every=CHANGING_EVERY,
        ),
        bindings=first_look_in(record, "CreateTrustedAccessBinding", moment) <= 0
        and doubting.stale(
            observed.bindings,
            settled=bindings is not None
            and len(bindings) < MOST_BINDINGS
            and all(b.provisioning_state.lower() == "succeeded" for b in bindings),
            every=CHANGING_EVERY,
        ),
        instances=first_look_in(record, "CreateBackupInstance", moment) <= 0
        and fresh.stale(
            observed.instances, settled=_at_rest(instances), every=0 if instances else NOBODY_ELSE_PROTECTED
        ),
        operations={
            key: operation.operation_url
            for key, operation in record.steps.pending.items()
            if first_look_in(record, key, moment) <= 0
            and fresh.stale(observed.operations.get(key, UNOBSERVED), settled=False)
        },
    )


def further_reads(subject: Subject) -> ClusterReads:
    """What the first facts lead to: account, container, roles, adopted vault and policy, job, recovery points; and what
    a decision about the extension's memory, or a cure, rests on."""
    observed, target, record = subject.observed, subject.target, subject.record
    fresh, doubting = freshness(record, subject.moment), doubtful(record, subject.moment)
    judging = memory_reads(subject)
    wants_quiet = memory_part.wants_quiet(subject) or cures.wants_quiet(subject)
    wants_quiet = wants_quiet or reinstalls(subject) or puts_back(subject)
    installed = isinstance(observed.extension, Present)
    account = value_of(target.account)
    container = value_of(observed.container)
    vault = value_of(target.vault)
    protected = target.instance is not None and target.instance.protection_state.lower() == "protectionconfigured"
    return ClusterReads(
        cluster=judging.cluster or cures.wants_cluster(subject),
        extension=judging.extension,
        evidence_id=judging.evidence_id or to_confirm(subject),
        node_memory_in=judging.node_memory_in,
        running_jobs=wants_quiet and not read_now(observed.running_jobs, subject.moment),
        account_id=target.account_id
        if not target.shares_account
        and fresh.stale(target.account, settled=account is not None and settled(account.provisioning_state))
        else None,
        container_id=target.container_id
        if (not installed or target.own_extension)
        and isinstance(target.account, Present)
        and (
            fresh.stale(observed.container)
            or (container is not None and not same_id(container.arm_id, target.container_id))
        )
        else None,
        vault_id=target.vault_id if not target.shares_vault and fresh.stale(target.vault) else None,
        policy_id=target.policy_id
        if target.instance is not None and value_of(target.policy) is None and fresh.stale(target.policy)
        else None,
        grants=tuple(
            grant
            for grant in cluster_grants(subject.cluster, subject.profile, observed, target)
            if doubting.stale(observed.grants.get(grant_key(grant), UNOBSERVED))
            and (target.snapshot_group_ready or not same_id(grant.scope, target.snapshot_group_id))
        ),
        deleted_instance_id=target.instance_id
        if target.instance is None
        and isinstance(observed.instances, Absent | Present)
        and record.protected_uid
        and fresh.stale(observed.deleted_instance, settled=False, every=NOBODY_ELSE_PROTECTED)
        else None,
        recovery_points_of=target.instance.arm_id
        if target.instance is not None and protected and _recovery_points_due(subject, fresh)
        else None,
        backup_job_id=record.backup_job_id
        if record.backup_job_id
        and first_job_look_in(record, subject.moment) <= 0
        and fresh.stale(observed.backup_job, settled=_job_over(observed))
        else None,
        job_search=JobSearch(
            target.vault_id,
            target.instance.arm_id,
            record.steps.intents["StartBackup"].at,
            vault.soft_delete,
        )
        if target.instance is not None
        and vault is not None
        and "StartBackup" in record.steps.intents
        and subject.moment.since(record.steps.intents["StartBackup"].at) >= JOB_SEARCH_AFTER
        and (observed_at(observed.backup_job) or record.first_seen_at) < subject.moment.now
        else None,
    )


def doubtful(record: Record, moment: Moment) -> Freshness:
    """As `freshness`, for what a failed job may have lacked."""
    fresh, doubted = freshness(record, moment), cures.doubted_since(record)
    since = [at for at in (fresh.since, doubted) if at is not None]
    return Freshness(moment, max(since, default=None))


def _recovery_points_due(subject: Subject, fresh: Freshness) -> bool:
    """While a first backup runs, its job says when there is something to see."""
    record, fact = subject.record, subject.observed.recovery_point
    if record.backup_job_id and not _job_over(subject.observed):
        return False
    if "StartBackup" in record.steps.pending:
        return False
    if isinstance(fact, Absent) and not _job_over(subject.observed):
        last = record.last_backup
        taken = last is not None and last.status != "failed" and last.ended_at > fact.observed_at
        return (taken and fact.observed_at < subject.moment.now) or subject.moment.since(fact.observed_at) >= 600
    if isinstance(fact, Present) and not counts(fact.value, record):
        return fact.observed_at < subject.moment.now
    return fresh.stale(fact)


def _job_over(observed: ObservedCluster) -> bool:
    job = value_of(observed.backup_job)
    return job is not None and job.status.lower() in ENDED


def _fit(cluster: Cluster | None) -> bool:
    """What stands in the way of a cluster is changed by others: it is read again on every look."""
    return cluster is not None and check_prerequisites(cluster).complete


def _refused(record: Record) -> bool:
    """Whether Azure has refused a step since the cluster was read: it may be gone, or stopped."""
    assert isinstance(record.observed, ObservedCluster)  # noqa: S101 - the caller chose by the subject
    read_at = observed_at(record.observed.cluster)
    attempts = record.steps.attempts.values()
    return read_at is not None and any(a.error.kind != "transient" and a.last_failure > read_at for a in attempts)


def _at_rest(instances: tuple[BackupInstance, ...]) -> bool:
    """Protected. An instance that a person stopped, or that Azure gave up, is mended by others too."""
    states = {instance.protection_state.lower() for instance in instances}
    return "protectionconfigured" in states and not states & {"configuringprotection", "updatingprotection"}
