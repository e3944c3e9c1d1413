"""Whether there is something to restore: the backup instance, its newest recovery point, its newest job."""

from datetime import datetime

from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.observed import BackupInstance
from shared.plan.compliance.control import COMPLIANT, Outcome, non_compliant, unknown
from shared.plan.compliance.durations import minute, seconds_of, spoken
from shared.plan.compliance.posture import NONE_OF_IT, Posture
from shared.plan.remedies import remedy_for

GRAPH_KEEPS = 14 * 86400.0
"""Seconds for which Resource Graph keeps jobs (Azure Backup: query jobs by Resource Graph page)."""
CLOCKS_DIFFER = 3600.0
"""Seconds that Azure's clock may be ahead of ours. What lies further ahead is no time at all, and proves nothing."""
AT_WORK = frozenset({"configuringprotection", "updatingprotection"})
GONE = frozenset({"softdeleted", "softdeleting", "notprotected", "invalid"})
"""States of an instance that makes no backups and will make none (Backup Instances REST)."""
VOLUME_CODES = frozenset(
    code.lower()
    for code in (
        "UserErrorPVSnapshotDisallowedByPolicy",
        "UserErrorPVSnapshotLimitReached",
        "UserErrorPVCHasNoVolume",
        "UserErrorPVCNotBoundToVolume",
        "UserErrorPVNotFound",
        "UserErrorStorageClassMissingForPVC",
    )
)
"""Warnings that say of a volume that no backup will have it as it is (AKS backup troubleshooting page)."""

NOT_PROTECTED = non_compliant("NotProtected", NONE_OF_IT, "Protect the cluster; everything else follows from that.")


def lacking(fact: Fact[object], what: str) -> Outcome:
    """What is said when the fact that a control rests on is not there."""
    if isinstance(fact, Unobserved):
        return unknown("Unobserved", f"{what} could not be read: {fact.reason}.")
    return NOT_PROTECTED


def protected(posture: Posture) -> Outcome:
    """Adopted instances count: whether they promise enough is what the other controls say."""
    fact = posture.instance
    if isinstance(fact, Absent):
        return non_compliant("NotProtected", NONE_OF_IT)
    if isinstance(fact, Unobserved):
        return lacking(fact, "The backup instances")
    if fact.value.protection_state.lower() in GONE:
        message = f"The only backup instance, {fact.value.name}, is in {fact.value.protection_state}."
        return non_compliant(fact.value.protection_state, message)
    return COMPLIANT


def state_healthy(posture: Posture) -> Outcome:
    fact = posture.instance
    if not isinstance(fact, Present):
        return lacking(fact, "The backup instances")
    instance, state = fact.value, fact.value.protection_state.lower()
    if state == "protectionconfigured":
        return COMPLIANT
    if state in AT_WORK:
        return unknown(instance.protection_state, f"Azure is changing the protection by {instance.name} just now.")
    return _unhealthy(instance)


def _unhealthy(instance: BackupInstance) -> Outcome:
    error = instance.error
    detail = f" {error.code}: {error.message}" if error else ""
    message = f"The backup instance {instance.name} is in {instance.protection_state or 'no state'}.{detail}"
    return non_compliant(instance.protection_state or "NoState", message, error.recommended_action if error else "")


def recovery_point(posture: Posture) -> Outcome:
    """A point counts when it is of a clean job, as far as Resource Graph's fourteen days of jobs tell."""
    if not isinstance(posture.instance, Present):
        return lacking(posture.instance, "The backup instances")
    within = promised_within(posture)
    if within is None:
        message = "How often the policy backs up is not known, so neither is how old a recovery point may be."
        return unknown("IntervalUnknown", message, "Say compliance.recovery_point_within in the profile.")
    latest, began_at = posture.instance.value.latest_recovery_point, posture.began_at
    digest = posture.jobs.value if isinstance(posture.jobs, Present) else None
    clean_at = digest.last_clean_at if digest else None
    if clean_at is not None and began_at is not None and clean_at < began_at:
        clean_at = None  # of the cluster that had the ARM id before
    if latest is None:
        if clean_at is not None and posture.age(clean_at) <= within:
            message = f"A clean backup ended {minute(clean_at)}, and Resource Graph shows no recovery point yet."
            return unknown("RecoveryPointNotShown", message)
        return _too_old(posture, "NoRecoveryPoint", "There is no recovery point")
    if began_at is not None and latest < began_at:
        message = f"The newest recovery point is of {minute(latest)}, from before this cluster was made"
        return _too_old(posture, "OfAnEarlierCluster", message)
    if posture.age(latest) > within:
        message = f"The newest recovery point is of {minute(latest)}: {spoken(posture.age(latest))} old, where"
        return _too_old(posture, "RecoveryPointTooOld", f"{message} {spoken(within)} are promised")
    if posture.made_again:
        message = (
            f"The newest recovery point is of {minute(latest)}, and the cluster is another than the Guard looked at"
        )
        return unknown("PerhapsOfAnEarlierCluster", f"{message} last: one was made again under the same ARM id.")
    if posture.age(latest) < -CLOCKS_DIFFER:
        return unknown("InTheFuture", f"The newest recovery point is of {minute(latest)}, which is yet to come.")
    if digest is None:
        message = f"There is a recovery point of {minute(latest)}; whether it is complete is not known"
        return unknown("Unobserved", f"{message}, since the jobs could not be read: {_why(posture.jobs)}.")
    if clean_at is not None and posture.age(min(latest, clean_at)) <= within:
        return COMPLIANT
    if digest.last is None:
        if posture.age(latest) > GRAPH_KEEPS:
            return COMPLIANT  # nobody knows more of a promise that is longer than jobs are kept
        message = f"There is a recovery point of {minute(latest)}, and Resource Graph shows no job that made it"
        return unknown("JobNotShown", f"{message}: whether it is complete is not known.")
    newest = f"The last clean backup ended {minute(clean_at)}" if clean_at else "No backup was clean in fourteen days"
    message = f"{newest}; recovery points since then lack something"
    return _too_old(posture, "OnlyIncompleteRecoveryPoints", message)


def promised_within(posture: Posture) -> float | None:
    """Seconds that the newest good recovery point may be old; None when it cannot be told."""
    said = posture.profile.compliance.recovery_point_within
    if said is not None:
        return said
    if posture.profile.existing.policy_id is None:
        return 1.5 * (seconds_of(posture.profile.schedule.interval) or 0.0)
    interval = seconds_of(posture.policy.value.interval) if isinstance(posture.policy, Present) else None
    return None if interval is None else 1.5 * interval


def _too_old(posture: Posture, reason: str, message: str) -> Outcome:
    """A stopped cluster makes no backups, and changes nothing either: what it lost since its newest point, if
    anything, is not known. Without any point of its own it can surely not be restored."""
    if posture.stopped and reason == "RecoveryPointTooOld":
        return unknown("ClusterStopped", f"{message}. The cluster is stopped, so none is made until it is started.")
    return non_compliant(reason, f"{message}.{' The cluster is stopped.' if posture.stopped else ''}")


def _why(fact: Fact[object]) -> str:
    return fact.reason if isinstance(fact, Unobserved) else "Azure has none"


def last_job_clean(posture: Posture) -> Outcome:
    if not isinstance(posture.instance, Present):
        return lacking(posture.instance, "The backup instances")
    if not isinstance(posture.jobs, Present):
        return unknown("Unobserved", f"The jobs could not be read: {_why(posture.jobs)}.")
    last = posture.jobs.value.last
    if last is None:
        if posture.stopped:
            return unknown("ClusterStopped", "No backup has ended in fourteen days; the cluster is stopped.")
        return non_compliant("NoBackupEnded", "No backup has ended in the fourteen days that Resource Graph keeps.")
    status = last.status.lower()
    if status == "completed":
        return COMPLIANT
    codes = posture.jobs.value.last_codes or ((last.code,) if last.code else ())
    named = f" ({', '.join(codes[:5])})" if codes else ""
    ended = minute(last.ended_at)
    if status == "completedwithwarnings":
        message, reason = f"The last backup, ended {ended}, lacks something{named}.", "BackupIncomplete"
    elif status == "failed":
        message, reason = f"The last backup, ended {ended}, failed{named}.", "BackupFailed"
    else:
        message, reason = f"The last backup ended {ended} as {last.status}.", "BackupNotCompleted"
    remedy = remedy_for(codes[0], failed=status == "failed").recommended_action if codes else ""
    return non_compliant(reason, message, remedy)


def volumes_supported(posture: Posture) -> Outcome | None:
    if not posture.profile.scope.snapshot_volumes:
        return None
    if not isinstance(posture.instance, Present):
        return lacking(posture.instance, "The backup instances")
    if not isinstance(posture.jobs, Present):
        return unknown("Unobserved", f"The jobs could not be read: {_why(posture.jobs)}.")
    last, codes = posture.jobs.value.last, posture.jobs.value.last_codes
    status = last.status.lower() if last else ""
    if status == "completed":
        return COMPLIANT
    if last is None or status != "completedwithwarnings":
        return unknown("NoEvidence", "No backup that came through tells whether every volume is in it.")
    found = [code for code in codes or (last.code,) if code.lower() in VOLUME_CODES]
    if found:
        remedies = " ".join(dict.fromkeys(remedy_for(code, failed=False).meaning for code in found))
        action = remedy_for(found[0], failed=False).recommended_action
        return non_compliant("VolumesNotBackedUp", f"{remedies} ({', '.join(dict.fromkeys(found))})", action)
    if not codes:
        return unknown("NoEvidence", "The last backup has warnings, and Resource Graph does not tell all of them.")
    return COMPLIANT


def restored_lately(posture: Posture) -> Outcome | None:
    """A Completed restore is the drill's evidence, whoever asked for it. Resource Graph knows fourteen days of them,
    the record all that it was told of."""
    within = posture.profile.compliance.restored_within
    if within is None:
        return None
    digest = posture.jobs.value if isinstance(posture.jobs, Present) else None
    recorded = posture.remembered.last_restore_at if posture.remembered else None
    known = [at for at in (digest.last_restore_at if digest else None, recorded) if at is not None]
    newest: datetime | None = max(known, default=None)
    if newest is not None and -CLOCKS_DIFFER <= posture.age(newest) <= within:
        return COMPLIANT
    if digest is None:
        return unknown("Unobserved", f"The jobs could not be read: {_why(posture.jobs)}.")
    if posture.remembered is None and within > GRAPH_KEEPS:
        message = (
            f"Without the Guard's record only fourteen days are known, and a restore within {spoken(within)} counts."
        )
        return unknown("OnlyFourteenDaysKnown", message)
    if newest is None:
        return non_compliant("NeverRestored", "No restore of the cluster is known to have completed.")
    message = f"The last restore completed {minute(newest)}, where one within {spoken(within)} is promised."
    return non_compliant("RestoredTooLongAgo", message)
