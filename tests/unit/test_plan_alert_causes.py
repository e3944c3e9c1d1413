"""What jobs and conditions are causes for alerts, as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.alerts import Cause
from shared.domain.conditions import (
    BACKUP_HEALTHY,
    EXTENSION_MEMORY_SUFFICIENT,
    EXTENSION_READY,
    PREREQUISITES_MET,
    PROTECTION_CONFIGURED,
    READY,
    REGION_READY,
    Condition,
    Status,
)
from shared.domain.ids import ClusterId
from shared.domain.jobs import ClusterHistory, EndedJob, JobIssue
from shared.domain.profile import Alerting, ProtectionProfile, VaultSettings
from shared.domain.record import Cure, ExtensionMemory, Rung
from shared.domain.time import Moment
from shared.plan.alert_causes import MOST_RESOURCES, condition_causes, job_causes, next_due_in

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLUSTER = ClusterId("00000000-0000-0000-0000-000000000001", "apps", "shop")
VAULT = "/subscriptions/s/resourceGroups/b/providers/Microsoft.DataProtection/backupVaults/v"
PROFILE = ProtectionProfile("gold", VaultSettings("On"), mode="enforce")
TIMED_OUT = JobIssue("CSISnapshottingTimedOut", "No handle.", "Try again.", "pvc-1")
LOST_POD = "UserErrorBackupPluginPodRestartedDuringBackup"


def job(status: str, minutes: int, *issues: JobIssue, operation: str = "Backup", detailed: bool = True) -> EndedJob:
    """One that ended so many minutes after noon."""
    failed = status == "failed"
    return EndedJob(
        f"{VAULT}/backupJobs/{operation}-{minutes}",
        CLUSTER,
        "instance",
        operation,
        status,
        False,
        NOON + timedelta(minutes=minutes - 5),
        NOON + timedelta(minutes=minutes),
        errors=issues if failed else (),
        warnings=() if failed else issues,
        detailed=detailed,
    )


def causes_of(
    *jobs: EndedJob,
    profile: ProtectionProfile | None = PROFILE,
    cures: tuple[Cure, ...] = (),
    memory: ExtensionMemory | None = None,
    now: datetime = NOON + timedelta(hours=2),
) -> dict[str, Cause]:
    found = job_causes(ClusterHistory(jobs), profile, cures, memory or ExtensionMemory(), Moment(now))
    return {cause.key: cause for cause in found}


def the_cause(*jobs: EndedJob, cures: tuple[Cure, ...] = (), memory: ExtensionMemory | None = None) -> Cause:
    (cause,) = causes_of(*jobs, cures=cures, memory=memory).values()
    return cause


def test_a_job_with_warnings_says_what_is_missing_and_what_to_do() -> None:
    hook = JobIssue("UserErrorHookExecutionFailed", "The hook failed.", "", "hook-1")
    found = causes_of(job("completedwithwarnings", 0, TIMED_OUT, hook, replace(TIMED_OUT, resource="pvc-2")))
    assert list(found) == ["Backup:csisnapshottingtimedout", "Backup:usererrorhookexecutionfailed"]
    timed_out, failed_hook = found.values()
    assert timed_out.title == "Backup completed with warnings: CSISnapshottingTimedOut"
    assert (timed_out.severity, timed_out.message, timed_out.recommended_action) == (
        "Warning",
        "No handle.",
        "Try again.",
    )
    assert [resource.resource for resource in timed_out.resources] == ["pvc-1", "pvc-2"]
    assert timed_out.will_do == "The Guard runs the backup once more."
    assert failed_hook.recommended_action == "Read the hook's log, mend it, back up again."
    assert failed_hook.will_do == ""


def test_occurrences_are_counted_since_the_last_clean_job_of_the_kind() -> None:
    jobs = (
        job("failed", 0, JobIssue("A")),
        job("completed", 10),
        job("failed", 20, JobIssue("a")),
        job("cancelled", 25),
        job("completed", 26, operation="Restore"),
        job("failed", 30, JobIssue("B")),
        job("failed", 40, JobIssue("A")),
    )
    found = causes_of(*jobs)
    assert list(found) == ["Backup:a", "Backup:b"]
    cause = found["Backup:a"]
    assert (cause.code, cause.occurrences, cause.resolved_at) == ("A", 2, None)
    assert (cause.first_at, cause.last_at, cause.job_id) == (jobs[2].ended_at, jobs[6].ended_at, jobs[6].arm_id)


def test_a_clean_job_of_its_kind_ends_an_episode() -> None:
    bad, clean = job("failed", 0, JobIssue("A")), job("completed", 10)
    cause = the_cause(bad, clean, job("completed", 20))
    assert (cause.occurrences, cause.resolved_at, cause.will_do) == (1, clean.ended_at, "")
    same_moment = replace(job("completed", 0), arm_id=f"{VAULT}/backupJobs/other")
    assert the_cause(bad, same_moment).resolved_at is None, "only one that ended later shows that it is over"
    assert causes_of(job("cancelled", 0), clean) == {}


@pytest.mark.parametrize(
    ("status", "code", "severity"),
    [
        ("failed", "CSISnapshottingTimedOut", "Error"),
        ("completedwithwarnings", "CSISnapshottingTimedOut", "Warning"),
        ("completedwithwarnings", "UserErrorPVSnapshotLimitReached", "Error"),
        ("failed", "UserErrorNoDefaultBackupStorageLocationFound", "Critical"),
        ("failed", "NobodyKnows", "Error"),
        ("completedwithwarnings", "NobodyKnows", "Warning"),
    ],
)
def test_the_severity_is_the_codes_and_at_least_the_jobs(status: str, code: str, severity: str) -> None:
    assert the_cause(job(status, 0, JobIssue(code))).severity == severity


@pytest.mark.parametrize(("status", "code"), [("failed", "Failed"), ("completedwithwarnings", "CompletedWithWarnings")])
def test_a_job_that_says_nothing_is_alerted_all_the_same(status: str, code: str) -> None:
    for issues in ((), (JobIssue("", "Azure's text"),)):
        cause = the_cause(job(status, 0, *issues))
        assert cause.code == code
        assert cause.message == (issues[0].message if issues else cause.message)
        assert cause.message


def test_other_kinds_of_jobs_are_alerted_under_their_name_and_nothing_is_promised() -> None:
    found = causes_of(
        job("failed", 0, JobIssue("CloudInternalError"), operation="Tiering"),
        job("failed", 5, JobIssue("CloudInternalError"), operation="Restore"),
    )
    assert list(found) == ["Restore:cloudinternalerror", "Tiering:cloudinternalerror"]
    assert {cause.will_do for cause in found.values()} == {""}


def test_a_late_report_with_details_takes_the_place_of_the_one_without() -> None:
    bare = job("completedwithwarnings", 0, detailed=False)
    full = job("completedwithwarnings", 0, TIMED_OUT)
    for order in ((bare, full), (full, bare)):
        assert the_cause(*order).code == "CSISnapshottingTimedOut"


def test_the_jobs_api_knows_better_than_a_list() -> None:
    listed = job("failed", 0, JobIssue("A"), JobIssue("B"), detailed=False)
    read = job("failed", 0, JobIssue("A"))
    assert list(causes_of(listed, read)) == list(causes_of(read, listed)) == ["Backup:a"]


def test_resources_are_those_of_the_newest_job_with_details() -> None:
    first = job("failed", 0, TIMED_OUT)
    second = job("failed", 10, replace(TIMED_OUT, resource="pvc-2"))
    bare = job("failed", 20, JobIssue("CSISnapshottingTimedOut"), detailed=False)
    cause = the_cause(first, second, bare)
    assert (cause.occurrences, [issue.resource for issue in cause.resources]) == (3, ["pvc-2"])


def test_a_long_list_is_cut_and_says_so() -> None:
    many = [replace(TIMED_OUT, resource=f"pvc-{n}", message="x" * 9000) for n in range(MOST_RESOURCES + 50)]
    many[7] = replace(many[7], message="y" * 9000)
    cause = the_cause(job("completedwithwarnings", 0, *many, many[0]))
    assert len(cause.resources) == MOST_RESOURCES
    assert cause.message.endswith("(50 more resources are not listed.)")
    assert {len(issue.message) for issue in cause.resources} == {0, 500}, "what all say is said once"


def test_many_codes_share_the_room() -> None:
    issues = [JobIssue(f"Code{code}", "text", "", f"pvc-{n}") for code in range(20) for n in range(100)]
    found = causes_of(job("completedwithwarnings", 0, *issues))
    assert len(found) == 20
    assert {len(cause.resources) for cause in found.values()} == {30}


def test_what_was_tried_is_not_promised_again() -> None:
    failed = job("completedwithwarnings", 0, TIMED_OUT)
    cure = Cure(NOON + timedelta(minutes=5), "retry", TIMED_OUT.code, failed.key)
    cause = the_cause(failed, cures=(cure,))
    assert cause.did == ("2026-03-01 12:05 UTC: ran the backup again",)
    assert cause.will_do == ""
    elsewhere = tuple(replace(cure, evidence=f"other {n}") for n in range(5))
    assert "so it waits" in the_cause(failed, cures=elsewhere).will_do
    old = tuple(replace(other, at=NOON - timedelta(days=2)) for other in elsewhere)
    assert the_cause(failed, cures=old).will_do == "The Guard runs the backup once more."


def test_without_a_profile_nothing_is_promised() -> None:
    (cause,) = causes_of(job("completedwithwarnings", 0, TIMED_OUT), profile=None).values()
    assert cause.will_do == ""


def test_the_memory_ladder_says_what_it_does_next() -> None:
    failed = job("failed", 0, JobIssue(LOST_POD))
    assert "up to 8Gi" in the_cause(failed).will_do
    rung = Rung(NOON + timedelta(minutes=1), "memory", "1280Mi", "2560Mi", failed.key)
    decided = the_cause(failed, memory=ExtensionMemory(rungs=(rung,), in_effect=False))
    assert decided.will_do == (
        "The Guard raises the extension's memory limit from 1280Mi to 2560Mi when no backup or restore runs."
    )
    assert decided.did == ()
    done = the_cause(failed, memory=ExtensionMemory(rungs=(rung,)))
    assert done.did == ("2026-03-01 12:01 UTC: raised the memory limit from 1280Mi to 2560Mi",)
    assert the_cause(failed, memory=ExtensionMemory(rungs=(rung,), exhausted="The ceiling.")).will_do == ""


ALERTING = Alerting(not_protected_after=7200, blocked_after=1800)


def condition(kind: str, status: Status, reason: str, action: str = "", *, lasted: float = 0) -> Condition:
    return Condition(kind, status, reason, f"{reason}.", NOON - timedelta(seconds=lasted), action)


def due(*conditions: Condition, moment: Moment | None = None) -> dict[str, str]:
    """Key and code of what is due at noon."""
    by_type = {each.type: each for each in conditions}
    found = condition_causes(by_type, ALERTING, moment or Moment(NOON))
    return {cause.key: cause.code for cause in found if cause.due}


@pytest.mark.parametrize(
    ("said", "after"),
    [
        (condition(EXTENSION_READY, "False", "AuthorizationFailed", "Give the role."), 1800),
        (condition(PREREQUISITES_MET, "False", "NoX86LinuxPool", "Add one."), 1800),
        (condition(PROTECTION_CONFIGURED, "False", "ProtectionError", "Repair it."), 900),
        (condition(PROTECTION_CONFIGURED, "False", "ProtectionStopped", "Resume it."), 1800),
        (condition(REGION_READY, "False", "VaultFailed", "Look at the vault."), 1800),
    ],
)
def test_what_needs_a_person_is_due_after_its_time(said: Condition, after: float) -> None:
    for lasted, expected in ((after - 1, {}), (after, {f"Condition:{said.type}": said.reason})):
        assert due(replace(said, last_transition=NOON - timedelta(seconds=lasted))) == expected
    assert next_due_in({said.type: said}, ALERTING, Moment(NOON))[0] == after


def test_deadlines_are_azures_seconds() -> None:
    said = condition(EXTENSION_READY, "False", "AuthorizationFailed", "Give the role.", lasted=30)
    assert due(said, moment=Moment(NOON, 60)) == {"Condition:ExtensionReady": "AuthorizationFailed"}


def test_what_was_long_in_coming_is_due_at_once() -> None:
    old = condition(BACKUP_HEALTHY, "False", "RecoveryPointTooOld", "See the jobs.")
    exhausted = condition(EXTENSION_MEMORY_SUFFICIENT, "False", "RemediationExhausted", "Bigger nodes.")
    found = condition_causes({c.type: c for c in (old, exhausted)}, ALERTING, Moment(NOON))
    assert [(cause.due, cause.severity, cause.will_do) for cause in found] == [(True, "Error", "")] * 2


@pytest.mark.parametrize(
    "reason",
    [
        "AuditMode",
        "BackupFailed",
        "BackupIncomplete",
        "ClusterDeleted",
        "ClusterStopped",
        "EmergencyStop",
        "Exempt",
        "NotSelected",
        "RolloutPaced",
        "TooYoung",
        "WaitingForRing",
    ],
)
def test_what_somebody_wants_so_and_what_a_job_says_is_never_due(reason: str) -> None:
    for kind in (READY, BACKUP_HEALTHY):
        for status in ("False", "Unknown"):
            said = condition(kind, status, reason, "Do something.", lasted=10**7)
            assert due(said) == {}
            assert next_due_in({kind: said}, ALERTING, Moment(NOON)) == []


def test_the_summary_is_due_when_nothing_else_is() -> None:
    waiting = condition(READY, "False", "WaitingForPropagation", lasted=7200)
    assert due(waiting) == {"Condition:Ready": "WaitingForPropagation"}
    assert due(replace(waiting, last_transition=NOON - timedelta(seconds=7199))) == {}
    blocked = condition(EXTENSION_READY, "False", "AuthorizationFailed", "Give the role.", lasted=7200)
    assert due(waiting, blocked) == {"Condition:ExtensionReady": "AuthorizationFailed"}
    assert due(condition(READY, "True", "Protected", lasted=10**7)) == {}
    patience = condition(READY, "False", "TooManyRequests", "Nothing: the Guard tries again.", lasted=7199)
    assert due(patience) == {}


def test_what_cannot_be_seen_for_long_is_not_healthy() -> None:
    unseen = condition(READY, "Unknown", "Unobserved", lasted=7200)
    parts = [condition(kind, "Unknown", "Unobserved", lasted=7200) for kind in (EXTENSION_READY, BACKUP_HEALTHY)]
    causes = condition_causes({c.type: c for c in (unseen, *parts)}, ALERTING, Moment(NOON))
    assert [(cause.key, cause.severity) for cause in causes if cause.due] == [("Condition:Ready", "Warning")]


def test_a_region_is_summed_up_by_its_own_condition() -> None:
    assert due(condition(REGION_READY, "False", "Creating", lasted=7199)) == {}
    assert due(condition(REGION_READY, "False", "Creating", lasted=7200)) == {"Condition:RegionReady": "Creating"}


def test_a_circuit_breaker_asks_for_a_person_at_once() -> None:
    for status in ("True", "False"):
        said = condition(READY, status, "CircuitBreakerOpen", "Look at those clusters.", lasted=10**7)
        part = condition(EXTENSION_READY, "False", "CircuitBreakerOpen", "Look at those clusters.", lasted=10**7)
        (cause,) = (c for c in condition_causes({READY: said, EXTENSION_READY: part}, ALERTING, Moment(NOON)) if c.due)
        assert (cause.key, cause.severity) == ("Condition:Ready", "Warning")


def test_a_tag_with_an_unknown_profile_is_due_as_what_needs_a_person() -> None:
    said = condition(READY, "Unknown", "UnknownProfile", "Correct the tag.", lasted=1800)
    assert due(said) == {"Condition:Ready": "UnknownProfile"}


def test_a_cluster_that_is_gone_has_no_causes() -> None:
    gone = condition(READY, "False", "ClusterDeleted")
    blocked = condition(EXTENSION_READY, "False", "AuthorizationFailed", "Give the role.", lasted=10**7)
    assert condition_causes({READY: gone, EXTENSION_READY: blocked}, ALERTING, Moment(NOON)) == ()
    assert (
        next_due_in({READY: gone, EXTENSION_READY: replace(blocked, last_transition=NOON)}, ALERTING, Moment(NOON))
        == []
    )
