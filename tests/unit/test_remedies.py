"""Every documented code has a remedy, the guide has the same table, and the Guard promises only what it may do."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from shared.domain.ids import ClusterId
from shared.domain.jobs import POD_RESTARTED, EndedJob
from shared.domain.profile import Cures, MemoryLadder, ProtectionProfile, VaultSettings
from shared.domain.record import Cure, ExtensionMemory, Rung
from shared.plan.remedies import REMEDIES, Automation, remedy_for
from shared.plan.remedy_words import did, missing_word, recommended, will_do

ROOT = Path(__file__).resolve().parents[2]
PROFILE = ProtectionProfile("gold", VaultSettings("On"), mode="enforce")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VAULT = "/subscriptions/s/resourceGroups/b/providers/Microsoft.DataProtection/backupVaults/v"
DOCUMENTED: dict[Automation, str] = {
    "memory": "UserErrorBackupPluginPodRestartedDuringBackup UserErrorBackupPluginPodRestartedDuringRestore",
    "retry": "CSISnapshottingTimedOut ExtensionTimedOutWaitingForBackupItemSync CloudInternalError",
    "wait_and_retry": "UserErrorBackupStorageLocationNotReady",
    "reconcile": "UserErrorKubernetesBackupExtensionNotFoundError UserErrorKubernetesBackupExtensionUnhealthy "
    "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation UserErrorGenericResourceNotFound",
    "regrant_reader": "KubernetesBackupListExtensionsError",
    "reinstall": "UserErrorKubernetesBackupExtensionHasErrors UserErrorKubernetesBackupExtensionIdentityNotFound "
    "KubernetesBackupCustomResourcesTrackingTimeOutError BackupPluginDeleteBackupOperationFailed "
    "UserErrorNoDefaultBackupStorageLocationFound UserErrorDeleteBackupFailedBackupStorageLocationNotFound",
    "when_started": "UserErrorKubernetesBackupClusterIsStopped",
    "person": "UserErrorBackupFailedBackupStorageLocationReadOnly "
    "UserErrorDeleteBackupFailedBackupStorageLocationReadOnly UserErrorSnapshotResourceGroupHasLocks "
    "DppUserErrorVaultTierPolicyNotSupported LinkedAuthorizationFailed KubernetesBackupGenericWarning "
    "UserErrorPVSnapshotDisallowedByPolicy UserErrorPVSnapshotLimitReached UserErrorHookExecutionFailed "
    "UserErrorNamespaceNotFound UserErrorPVCHasNoVolume UserErrorPVCNotBoundToVolume UserErrorPVNotFound "
    "UserErrorStorageClassMissingForPVC UserErrorSourceandTargetClusterCRDVersionMismatch BMSUserErrorInvalidInput "
    "UserErrorDppDatasourceAlreadyHasBackupInstance DppPluginInvalidInputParameters UserErrorDppPolicyObjectInUse "
    "ScenarioPluginInvalidWorkflowDataRequest BackoffLimitExceeded",
}
"""What the AKS backup troubleshooting page, recordings and users' reports name, and who may do something about it."""


def job(name: str = "j1", ended_at: datetime = NOON) -> EndedJob:
    cluster = ClusterId("00000000-0000-0000-0000-000000000001", "apps", "shop")
    started_at = ended_at - timedelta(minutes=5)
    return EndedJob(f"{VAULT}/backupJobs/{name}", cluster, "i", "Backup", "failed", False, started_at, ended_at)


@pytest.mark.parametrize(
    ("code", "automation"), [(code, kind) for kind, codes in DOCUMENTED.items() for code in codes.split()]
)
def test_a_documented_code_has_its_remedy_however_it_is_spelt(code: str, automation: Automation) -> None:
    found = remedy_for(code.upper())
    assert (found.code, found.automation) == (code, automation)
    assert found.meaning
    assert found.recommended_action.endswith((".", "!"))


def test_each_automation_is_used_and_the_table_is_keyed_by_its_codes() -> None:
    assert {remedy.automation for remedy in REMEDIES.values()} == set(get_args(Automation))
    assert all(key == remedy.code.lower() for key, remedy in REMEDIES.items())
    assert {code for code, remedy in REMEDIES.items() if remedy.automation == "memory"} == POD_RESTARTED


def test_an_unknown_code_is_for_a_person_and_as_grave_as_the_job() -> None:
    failed, warned = remedy_for("NobodyKnows"), remedy_for("NobodyKnows", failed=False)
    assert (failed.code, failed.severity, failed.automation) == ("NobodyKnows", "Error", "person")
    assert (warned.severity, warned.automation) == ("Warning", "person")
    assert failed.recommended_action


def test_the_guide_has_the_same_table() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = guide.partition("| code |")[2].partition("\n\n")[0].splitlines()[2:]
    told = {
        (code, severity.strip(), automation)
        for row in rows
        for code, severity, automation in re.findall(r"^\| `(\w+)` \|([^|]+)\|.*\| `(\w+)` \|$", row)
    }
    assert len(told) == len(rows)
    assert told == {(remedy.code, remedy.severity, remedy.automation) for remedy in REMEDIES.values()}
    explained = guide.partition("| automation |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", explained, re.MULTILINE)) == set(get_args(Automation))


@pytest.mark.parametrize(
    ("code", "profile", "operation", "setting"),
    [
        ("CSISnapshottingTimedOut", PROFILE, "Backup", ""),
        ("CSISnapshottingTimedOut", replace(PROFILE, mode="audit"), "Backup", "mode: enforce"),
        (
            "CSISnapshottingTimedOut",
            replace(PROFILE, cures=Cures(automatic=False)),
            "Backup",
            "cures.automatic: true",
        ),
        (
            "CSISnapshottingTimedOut",
            replace(PROFILE, cures=Cures(retries_per_day=0)),
            "Backup",
            "cures.retries_per_day: 1 or more",
        ),
        ("UserErrorKubernetesBackupExtensionHasErrors", PROFILE, "Backup", "cures.reinstall_extension: true"),
        (
            "UserErrorKubernetesBackupExtensionHasErrors",
            replace(PROFILE, cures=Cures(reinstall_extension=True)),
            "Backup",
            "",
        ),
        (
            "UserErrorBackupPluginPodRestartedDuringRestore",
            replace(PROFILE, memory=MemoryLadder(automatic=False)),
            "Restore",
            "memory.automatic: true",
        ),
        (
            "UserErrorBackupPluginPodRestartedDuringBackup",
            replace(PROFILE, cures=Cures(automatic=False)),
            "Backup",
            "",
        ),
    ],
)
def test_what_the_profile_does_not_allow_is_named_and_not_promised(
    code: str, profile: ProtectionProfile, operation: str, setting: str
) -> None:
    remedy = remedy_for(code)
    assert missing_word(remedy, profile, operation) == setting
    assert bool(will_do(remedy, profile, operation)) == (not setting)
    advice = recommended(remedy, profile, operation)
    assert advice.startswith(remedy.recommended_action)
    assert (setting in advice) if setting else advice == remedy.recommended_action


def test_nothing_is_promised_for_a_person_or_for_a_restore() -> None:
    limit, timed_out = remedy_for("UserErrorPVSnapshotLimitReached"), remedy_for("CSISnapshottingTimedOut")
    assert will_do(limit, PROFILE) == missing_word(limit, replace(PROFILE, mode="audit")) == ""
    assert will_do(timed_out, PROFILE, "Restore") == ""
    assert recommended(timed_out, replace(PROFILE, mode="audit"), "Restore") == timed_out.recommended_action
    restore = will_do(remedy_for("UserErrorBackupPluginPodRestartedDuringRestore"), PROFILE, "Restore")
    assert "does not repeat the restore" in restore


def test_the_memory_ladder_without_cures_promises_no_backup() -> None:
    remedy = remedy_for("UserErrorBackupPluginPodRestartedDuringBackup")
    assert "runs the backup once more" in will_do(remedy, PROFILE)
    without = will_do(remedy, replace(PROFILE, cures=Cures(automatic=False)))
    assert without == "The Guard raises the extension's memory limit when memory was the reason, up to 8Gi."


def test_azures_own_advice_goes_first() -> None:
    remedy = remedy_for("CSISnapshottingTimedOut")
    assert recommended(remedy, PROFILE, azure_says=" Do this. ") == "Do this."
    assert recommended(remedy, None) == remedy.recommended_action


def test_what_was_done_is_told_in_order_and_only_what_took_effect() -> None:
    failed = job()
    later = NOON + timedelta(minutes=5)
    memory = ExtensionMemory(
        rungs=(
            Rung(later, "memory", "1280Mi", "2560Mi", failed.key),
            Rung(later + timedelta(hours=1), "cpu", "", "2000m", failed.key),
        ),
        in_effect=False,
    )
    cures = (
        Cure(later + timedelta(minutes=2), "retry", "Code", failed.key, "retry 1"),
        Cure(later, "regrant", "Code", job("another").key),
    )
    assert did([failed], "Code", cures, memory) == (
        "2026-03-01 12:05 UTC: raised the memory limit from 1280Mi to 2560Mi",
        "2026-03-01 12:07 UTC: ran the backup again (retry 1)",
    )
    done = did([failed], "Code", cures, replace(memory, in_effect=True))
    assert done[-1] == "2026-03-01 13:05 UTC: raised the CPU limit from its default to 2000m"


def test_a_rung_by_a_containers_sign_is_told_with_the_job_that_lost_its_pod() -> None:
    (lost,) = (code for code in POD_RESTARTED if code.endswith("backup"))
    memory = ExtensionMemory(rungs=(Rung(NOON, "memory", "1280Mi", "2560Mi", "a sign"),))
    assert len(did([job()], lost, (), memory)) == 1
    assert did([job()], "Code", (), memory) == ()
    assert did([job("later", NOON + timedelta(days=1))], lost, (), memory) == ()
