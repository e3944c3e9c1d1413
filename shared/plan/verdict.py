"""What is due about the newest backup that failed or came out incomplete: a function of the set of jobs, the record and
what is observed."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from shared.domain.facts import UNOBSERVED, Absent, Fact, Present, observed_at, value_of
from shared.domain.ids import same_id
from shared.domain.jobs import ClusterHistory, EndedJob, JobIssue
from shared.domain.observed import Grant, grant_key
from shared.domain.record import Record
from shared.domain.steps import EXTENSION_NAME, DeleteExtension, RevokeRole, Step
from shared.plan import names, roles
from shared.plan.evidence import of_this_life, settled_since
from shared.plan.extension_memory import awaits_change, question, seen
from shared.plan.freshness import read_now, settled
from shared.plan.protection import extension_part, roles_part, trusted_access_part
from shared.plan.remedies import Automation, remedy_for
from shared.plan.subject import Subject
from shared.plan.target import cluster_grants

PROPAGATION = 3600.0
"""Seconds after a job's end until what spreads through Azure is surely there (AKS backup troubleshooting page)."""
SPREADS_IN = 600.0
"""Seconds in which a role that was just given has usually spread (role assignments page: up to ten minutes)."""

_FIRST: tuple[Automation, ...] = (
    "memory",
    "reinstall",
    "regrant_reader",
    "reconcile",
    "when_started",
    "wait_and_retry",
    "retry",
    "person",
)
"""Of several codes the one whose cure does most comes first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is due about one job. `seconds` (Azure's) only for `wait`: None when another part knows how long."""

    act: Literal["nothing", "wait", "retry", "reinstall", "regrant"] = "nothing"
    automation: Automation = "person"
    code: str = ""
    evidence: str = ""
    seconds: float | None = None
    step: Step | None = None


def verdict(subject: Subject) -> Verdict:
    """What is due about the newest failed or incomplete backup since the last clean one. Nothing is done before the
    jobs API itself has told of the job: an event alone changes nothing."""
    job = _uncured(subject)
    if job is None:
        return Verdict()
    due = _due(subject, job)
    if due.act in ("nothing", "wait"):
        return due
    match _confirmed(subject, job, due):
        case True:
            return due
        case False:
            return replace(due, act="nothing", step=None)
        case None:
            return replace(due, act="wait", seconds=30.0, step=None)


def to_confirm(subject: Subject) -> str | None:
    """ARM id of the job that must be read from the jobs API before its cure."""
    job = _uncured(subject)
    if job is None or (due := _due(subject, job)).act in ("nothing", "wait"):
        return None
    return job.arm_id if _confirmed(subject, job, due) is None else None


def _confirmed(subject: Subject, job: EndedJob, due: Verdict) -> bool | None:
    """Whether Azure tells of the job as the history does; None: not read yet."""
    fact = subject.observed.evidence
    if isinstance(fact, Absent) and read_now(fact, subject.moment):
        return False
    if not isinstance(fact, Present) or not same_id(fact.value.arm_id, job.arm_id):
        return None
    codes = {code.lower() for code in fact.value.error_codes}
    same_code = job.status != "failed" or not job.errors or due.code.lower() in codes
    return fact.value.status.lower() == job.status and same_code


def _due(subject: Subject, job: EndedJob) -> Verdict:
    if not subject.profile.cures.automatic:
        return Verdict()
    memory = seen(subject.record.memory, subject.observed.extension)
    code, automation = remedy_of(job)
    due = Verdict("retry", automation, code, job.key)
    waits, nothing = replace(due, act="wait"), replace(due, act="nothing")
    if automation == "person" or _asked_again(subject.record, job):
        return nothing
    if _had_its_turn(subject, job, code):
        return nothing
    if awaits_change(subject):
        return waits
    match automation:
        case "memory":
            if question(subject) is not None:
                return waits
            if memory.exhausted or (job.key not in memory.nodes and not _under_other_limits(subject, job)):
                return nothing
        case "wait_and_retry" if subject.moment.since(job.ended_at) < PROPAGATION:
            return replace(waits, seconds=PROPAGATION - subject.moment.since(job.ended_at))
        case "reconcile" | "regrant_reader" | "reinstall":
            before = _before_retry(subject, job, due)
            if before is not None:
                return before
        case _:
            pass
    if subject.profile.cures.retries_per_day <= 0:
        return nothing
    return _wait_for_the_way(subject, job, waits) or due


def _uncured(subject: Subject) -> EndedJob | None:
    """The newest failed or incomplete backup of the instance that counts, when none was clean since."""
    instance = subject.target.instance
    if subject.history is None or instance is None:
        return None
    jobs = [
        job
        for job in of_this_life(subject.history, subject.record).jobs
        if is_backup(job) and (not job.instance_id or same_id(job.instance_id, instance.arm_id))
    ]
    newest = next((job for job in reversed(jobs) if job.status != "cancelled"), None)
    return None if newest is None or newest.clean else newest


def _last_clean(subject: Subject) -> datetime | None:
    jobs = subject.history.jobs if subject.history else ()
    return max((job.ended_at for job in jobs if is_backup(job) and job.clean), default=None)


def remedy_of(job: EndedJob) -> tuple[str, Automation]:
    """The code of the job that can be cured best, and how."""
    issues = job.errors if job.status == "failed" else job.warnings
    fallback = JobIssue("" if job.clean else "Failed" if job.status == "failed" else "CompletedWithWarnings")
    ranked = [(remedy_for(issue.code).automation, issue.code) for issue in issues or (fallback,)]
    automation, code = min(ranked, key=lambda each: _FIRST.index(each[0]))
    return code, automation


def _asked_again(record: Record, job: EndedJob) -> bool:
    """Whether a backup was asked for since: by Azure's clock or, as clocks differ, since its cure was written down."""
    asked_at = record.backup_asked_at
    if asked_at is None:
        return False
    noted_at = [cure.at for cure in record.cures if cure.kind == "retry" and cure.evidence == job.key]
    return asked_at > job.ended_at or any(asked_at >= at for at in noted_at)


def _had_its_turn(subject: Subject, job: EndedJob, code: str) -> bool:
    """One cure for a code until a backup is clean, or until the extension got more memory: what was done about a job
    that ran before that is no turn."""
    rungs, history = subject.record.memory.rungs, subject.history or ClusterHistory()
    started_at = {each.key: each.started_at for each in history.jobs}
    since = max((at for at in (_last_clean(subject), rungs[-1].at if rungs else None) if at is not None), default=None)
    return any(
        cure.kind != "put_back"
        and cure.code.lower() == code.lower()
        and cure.evidence != job.key
        and (since is None or started_at.get(cure.evidence, since) > since)
        for cure in subject.record.cures
    )


def _under_other_limits(subject: Subject, job: EndedJob) -> bool:
    """Whether the extension has been changed since the job began."""
    extension = value_of(subject.observed.extension)
    if extension is None:
        return False
    memory = seen(subject.record.memory, subject.observed.extension)
    since = settled_since(memory, extension, subject.moment)
    return since is not None and job.started_at < since


def _before_retry(subject: Subject, job: EndedJob, due: Verdict) -> Verdict | None:
    """What is read or taken away before the backup is run again."""
    waits = replace(due, act="wait")
    grants = cluster_grants(subject.cluster, subject.profile, subject.observed, subject.target)
    given = [subject.observed.grants.get(grant_key(grant), UNOBSERVED) for grant in grants]
    doubted: list[Fact[object]] = [subject.observed.extension, subject.observed.bindings, *given]
    if any((observed_at(fact) or job.started_at) < min(job.ended_at, subject.moment.now) for fact in doubted):
        return waits
    if due.automation == "reinstall":
        if not subject.profile.cures.reinstall_extension:
            return replace(due, act="nothing")
        if (removal := _removal(subject, job)) is not None:
            return replace(due, act="reinstall", step=removal)
    reader = _vault_reader(subject)
    fact = UNOBSERVED if reader is None else subject.observed.grants.get(grant_key(reader), UNOBSERVED)
    if due.automation == "regrant_reader" and reader is not None and isinstance(fact, Present):
        ours = fact.value.arm_id.rsplit("/", 1)[-1].lower() == names.assignment_name(reader)
        if ours and fact.value.granted_at <= job.ended_at:
            return replace(due, act="regrant", step=RevokeRole(reader, fact.value.arm_id))
    return None


def _wait_for_the_way(subject: Subject, job: EndedJob, waits: Verdict) -> Verdict | None:
    """Whatever the cure: no backup is run before what is missing is put back, and has spread."""
    if not all(part.complete for part in (extension_part(subject), trusted_access_part(subject), roles_part(subject))):
        return waits
    granted = [f.value.granted_at for f in subject.observed.grants.values() if isinstance(f, Present)]
    since = subject.moment.since(max(granted, default=job.started_at))
    if max(granted, default=job.started_at) > job.started_at and since < SPREADS_IN:
        return replace(waits, seconds=SPREADS_IN - since)
    return None


def _vault_reader(subject: Subject) -> Grant | None:
    vault = value_of(subject.target.vault)
    if vault is None or vault.principal_id is None:
        return None
    return roles.vault_on_cluster(vault.principal_id, subject.cluster.arm_id)


def _removal(subject: Subject, job: EndedJob) -> DeleteExtension | None:
    """The Guard removes only an extension that it can install again as it was: its own, with its own container."""
    extension = value_of(subject.observed.extension)
    if extension is None or not same_id(extension.name, EXTENSION_NAME):
        return None
    ours = same_id(extension.container, subject.target.container_id.rsplit("/", 1)[-1])
    installed_since = extension.changed_at is not None and extension.changed_at > job.ended_at
    removed = any(cure.kind == "reinstall" and cure.evidence == job.key for cure in subject.record.cures)
    lost = removed and extension.changed_at is None
    at_rest = settled(extension.provisioning_state)
    return DeleteExtension(extension.arm_id) if ours and at_rest and not installed_since and not lost else None


def is_backup(job: EndedJob) -> bool:
    return job.operation.lower() == "backup"
