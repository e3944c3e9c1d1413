"""Every control, judged over a cluster made by hand: compliant, not compliant, unknown, and not asked."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.errors import StepError
from shared.domain.facts import Absent, Present
from shared.domain.profile import BackupScope, ExistingResources
from shared.plan import roles
from shared.plan.compliance.catalogue import CONTROLS, SELECTED
from tests.unit.controls_world import NONE, OTHER_VAULT, UNREAD, Scene, ago, healthy, here

Change = Callable[[Scene], None]


def sets(**values: Any) -> Change:
    def change(scene: Scene) -> None:
        for name, value in values.items():
            setattr(scene, name, value)

    return change


def cluster(**values: Any) -> Change:
    return lambda scene: setattr(scene, "cluster", replace(scene.cluster, **values))


def instance(**values: Any) -> Change:
    return lambda scene: scene.instance(**values)


def digest(**values: Any) -> Change:
    return lambda scene: scene.digest(**values)


def last(status: str, *codes: str) -> Change:
    return lambda scene: scene.last(status, *codes)


def vault(**values: Any) -> Change:
    return lambda scene: scene.vault(**values)


def policy(**values: Any) -> Change:
    return lambda scene: scene.policy(**values)


def extension(**values: Any) -> Change:
    return lambda scene: scene.installed(**values)


def remember(**values: Any) -> Change:
    return lambda scene: scene.remember(**values)


def rule(**values: Any) -> Change:
    return lambda scene: scene.rule(**values)


def promise(**values: Any) -> Change:
    return lambda scene: scene.promise(**values)


def promised_vault(**values: Any) -> Change:
    return lambda scene: scene.promise(vault=replace(scene.profile.vault, **values))


def both(*changes: Change) -> Change:
    def change(scene: Scene) -> None:
        for each in changes:
            each(scene)

    return change


def without(role: str) -> Change:
    return lambda scene: scene.without_role(role)


def bound(*, state: str = "Succeeded", source: str = OTHER_VAULT) -> Change:
    def change(scene: Scene) -> None:
        assert scene.remembered is not None
        assert isinstance(scene.remembered.bindings, Present)
        (binding,) = scene.remembered.bindings.value
        changed = replace(binding, provisioning_state=state, source_id=source or binding.source_id)
        scene.remember(bindings=Present((changed,), ago(hours=3)))

    return change


STOPPED = cluster(power_state="Stopped")
ERROR = StepError("blocked", "UserErrorX", "It broke.", "Mend it.")
NO_INSTANCE = sets(instances=here(()))
CRDS = "UserErrorSourceandTargetClusterCRDVersionMismatch"

WRONG: list[tuple[str, Change, str, str]] = [
    ("prerequisites-met", cluster(service_principal=True), "NonCompliant", "ServicePrincipalCluster"),
    ("prerequisites-met", STOPPED, "NonCompliant", "ClusterStopped"),
    ("prerequisites-met", cluster(provisioning_state="Upgrading"), "Unknown", "ClusterNotSettled"),
    ("protected", NO_INSTANCE, "NonCompliant", "NotProtected"),
    ("protected", sets(instances=NONE), "NonCompliant", "NotProtected"),
    ("protected", instance(protection_state="SoftDeleted"), "NonCompliant", "SoftDeleted"),
    ("protected", sets(instances=UNREAD), "Unknown", "Unobserved"),
    (
        "protection-healthy",
        instance(protection_state="ProtectionError", error=ERROR),
        "NonCompliant",
        "ProtectionError",
    ),
    ("protection-healthy", instance(protection_state="BackupsSuspended"), "NonCompliant", "BackupsSuspended"),
    ("protection-healthy", instance(protection_state="Unheard"), "NonCompliant", "Unheard"),
    ("protection-healthy", instance(protection_state="UpdatingProtection"), "Unknown", "UpdatingProtection"),
    ("protection-healthy", NO_INSTANCE, "NonCompliant", "NotProtected"),
    ("protection-healthy", sets(instances=UNREAD), "Unknown", "Unobserved"),
    ("recovery-point-within-rpo", instance(latest_recovery_point=None), "Unknown", "RecoveryPointNotShown"),
    (
        "recovery-point-within-rpo",
        both(instance(latest_recovery_point=None), digest(last_clean_at=None, last=None)),
        "NonCompliant",
        "NoRecoveryPoint",
    ),
    (
        "recovery-point-within-rpo",
        instance(latest_recovery_point=ago(hours=6, minutes=1)),
        "NonCompliant",
        "RecoveryPointTooOld",
    ),
    (
        "recovery-point-within-rpo",
        both(instance(latest_recovery_point=ago(days=6)), STOPPED),
        "Unknown",
        "ClusterStopped",
    ),
    (
        "recovery-point-within-rpo",
        both(STOPPED, instance(latest_recovery_point=None), digest(last_clean_at=None, last=None)),
        "NonCompliant",
        "NoRecoveryPoint",
    ),
    ("recovery-point-within-rpo", cluster(created_at=ago(hours=1)), "NonCompliant", "OfAnEarlierCluster"),
    ("recovery-point-within-rpo", remember(reborn_at=ago(hours=1)), "NonCompliant", "OfAnEarlierCluster"),
    (
        "recovery-point-within-rpo",
        both(remember(reborn_at=ago(hours=3)), last("completedwithwarnings", CRDS), digest(last_clean_at=ago(hours=4))),
        "NonCompliant",
        "OnlyIncompleteRecoveryPoints",
    ),
    ("recovery-point-within-rpo", remember(resource_uid="another"), "Unknown", "PerhapsOfAnEarlierCluster"),
    ("recovery-point-within-rpo", instance(latest_recovery_point=ago(days=-400)), "Unknown", "InTheFuture"),
    ("recovery-point-within-rpo", digest(last=None, last_clean_at=None), "Unknown", "JobNotShown"),
    (
        "recovery-point-within-rpo",
        both(last("completedwithwarnings", CRDS), digest(last_clean_at=ago(hours=7))),
        "NonCompliant",
        "OnlyIncompleteRecoveryPoints",
    ),
    (
        "recovery-point-within-rpo",
        both(last("completedwithwarnings", CRDS), digest(last_clean_at=None)),
        "NonCompliant",
        "OnlyIncompleteRecoveryPoints",
    ),
    ("recovery-point-within-rpo", rule(recovery_point_within=3600.0), "NonCompliant", "RecoveryPointTooOld"),
    ("recovery-point-within-rpo", sets(jobs=UNREAD), "Unknown", "Unobserved"),
    ("recovery-point-within-rpo", NO_INSTANCE, "NonCompliant", "NotProtected"),
    ("recovery-point-within-rpo", sets(instances=UNREAD), "Unknown", "Unobserved"),
    ("protected", both(NO_INSTANCE, sets(vaults=here({}))), "Unknown", "Unobserved"),
    ("restored-lately", digest(last_restore_at=ago(days=-400)), "NonCompliant", "RestoredTooLongAgo"),
    ("trusted-access", remember(resource_uid="another"), "Unknown", "Unobserved"),
    ("roles-present", instance(snapshot_group_id=""), "Unknown", "Unobserved"),
    ("roles-present", extension(storage_account=""), "Unknown", "Unobserved"),
    ("vault-tier-copy", policy(vault_days=None), "Unknown", "CopiesUnknown"),
    ("last-job-clean", last("failed", "CloudInternalError"), "NonCompliant", "BackupFailed"),
    ("last-job-clean", last("CompletedWithWarnings"), "NonCompliant", "BackupIncomplete"),
    ("last-job-clean", last("cancelled"), "NonCompliant", "BackupNotCompleted"),
    ("last-job-clean", digest(last=None), "NonCompliant", "NoBackupEnded"),
    ("last-job-clean", both(STOPPED, digest(last=None)), "Unknown", "ClusterStopped"),
    ("last-job-clean", sets(jobs=UNREAD), "Unknown", "Unobserved"),
    ("last-job-clean", NO_INSTANCE, "NonCompliant", "NotProtected"),
    (
        "volumes-supported",
        last("completedwithwarnings", CRDS, "UserErrorPVSnapshotDisallowedByPolicy"),
        "NonCompliant",
        "VolumesNotBackedUp",
    ),
    ("volumes-supported", last("completedwithwarnings"), "Unknown", "NoEvidence"),
    ("volumes-supported", last("failed", "CloudInternalError"), "Unknown", "NoEvidence"),
    ("volumes-supported", digest(last=None), "Unknown", "NoEvidence"),
    ("volumes-supported", sets(jobs=UNREAD), "Unknown", "Unobserved"),
    ("volumes-supported", NO_INSTANCE, "NonCompliant", "NotProtected"),
    ("schedule-as-promised", policy(interval="PT6H"), "NonCompliant", "TooSeldom"),
    ("schedule-as-promised", policy(interval=""), "Unknown", "IntervalUnknown"),
    ("schedule-as-promised", sets(policies=UNREAD), "Unknown", "Unobserved"),
    ("schedule-as-promised", sets(policies=here({})), "Unknown", "Unobserved"),
    ("schedule-as-promised", NO_INSTANCE, "NonCompliant", "NotProtected"),
    ("retention-as-promised", policy(operational_days=13), "NonCompliant", "KeptTooShort"),
    ("retention-as-promised", policy(vault_days=89), "NonCompliant", "KeptTooShort"),
    ("retention-as-promised", policy(operational_days=0), "Unknown", "RetentionUnknown"),
    ("retention-as-promised", policy(vault_days=0), "Unknown", "RetentionUnknown"),
    ("retention-as-promised", sets(policies=UNREAD), "Unknown", "Unobserved"),
    ("right-policy", instance(policy_id=f"{OTHER_VAULT}/backupPolicies/p"), "NonCompliant", "AnotherPolicy"),
    ("right-policy", sets(instances=UNREAD), "Unknown", "Unobserved"),
    ("vault-tier-copy", policy(vault_tier=False, vault_days=None), "NonCompliant", "NoVaultCopy"),
    ("vault-tier-copy", policy(vault_days=0), "Unknown", "CopiesUnknown"),
    ("vault-tier-copy", sets(policies=UNREAD), "Unknown", "Unobserved"),
    ("right-scope", instance(scope=BackupScope(included_namespaces=("web",))), "NonCompliant", "ScopeTooNarrow"),
    ("right-scope", instance(scope=None), "Unknown", "ScopeUnknown"),
    ("right-scope", sets(instances=UNREAD), "Unknown", "Unobserved"),
    ("vault-soft-delete", vault(soft_delete="On"), "NonCompliant", "WeakerThanPromised"),
    ("vault-soft-delete", vault(soft_delete="Off"), "NonCompliant", "WeakerThanPromised"),
    ("vault-soft-delete", vault(soft_delete_days=14.0), "NonCompliant", "KeptTooShort"),
    ("vault-soft-delete", vault(soft_delete_days=0.0), "Unknown", "DaysUnknown"),
    ("vault-soft-delete", vault(soft_delete=""), "Unknown", "NotUnderstood"),
    ("vault-soft-delete", sets(vaults=UNREAD), "Unknown", "Unobserved"),
    ("vault-soft-delete", sets(vaults=here({})), "Unknown", "Unobserved"),
    ("vault-soft-delete", NO_INSTANCE, "NonCompliant", "NotProtected"),
    ("vault-immutability", vault(immutability="Disabled"), "NonCompliant", "WeakerThanPromised"),
    ("vault-immutability", sets(vaults=UNREAD), "Unknown", "Unobserved"),
    ("vault-redundancy", vault(redundancy="ZoneRedundant"), "NonCompliant", "WeakerThanPromised"),
    ("vault-redundancy", sets(vaults=UNREAD), "Unknown", "Unobserved"),
    ("vault-cross-region-restore", vault(cross_region_restore=False), "NonCompliant", "CrossRegionRestoreOff"),
    ("vault-cross-region-restore", sets(vaults=UNREAD), "Unknown", "Unobserved"),
    ("vault-multi-user-authorisation", vault(guarded=False), "NonCompliant", "NoResourceGuard"),
    ("vault-multi-user-authorisation", sets(vaults=UNREAD), "Unknown", "Unobserved"),
    ("extension-healthy", sets(extension=NONE), "NonCompliant", "NotInstalled"),
    ("extension-healthy", extension(provisioning_state="Failed", error="no node"), "NonCompliant", "ExtensionFailed"),
    ("extension-healthy", extension(principal_id=None), "NonCompliant", "NoIdentity"),
    ("extension-healthy", extension(provisioning_state="Updating"), "Unknown", "ExtensionChanging"),
    ("extension-healthy", sets(extension=UNREAD), "Unknown", "Unobserved"),
    ("extension-current", extension(auto_upgrade=False, version="1.4.10"), "NonCompliant", "ExtensionOutdated"),
    ("extension-current", extension(auto_upgrade=False, version=""), "Unknown", "VersionUnknown"),
    ("extension-current", sets(extension=NONE), "NonCompliant", "NotInstalled"),
    ("extension-current", sets(extension=UNREAD), "Unknown", "Unobserved"),
    ("memory-adequate", digest(last_out_of_memory_at=ago(days=13)), "NonCompliant", "OutOfMemory"),
    ("memory-adequate", remember(memory_exhausted="The ceiling is reached."), "NonCompliant", "RemediationExhausted"),
    ("memory-adequate", sets(jobs=UNREAD), "Unknown", "Unobserved"),
    ("trusted-access", bound(source=OTHER_VAULT), "NonCompliant", "NotBound"),
    ("trusted-access", bound(source="", state="Failed"), "NonCompliant", "BindingNotSucceeded"),
    ("trusted-access", remember(bindings=Absent(ago(hours=1))), "NonCompliant", "NotBound"),
    ("trusted-access", remember(bindings=Present((), ago(hours=37))), "Unknown", "TooOld"),
    ("trusted-access", remember(bindings=UNREAD), "Unknown", "Unobserved"),
    ("trusted-access", sets(remembered=None), "Unknown", "Unobserved"),
    ("roles-present", without(roles.STORAGE_BLOB_DATA_CONTRIBUTOR), "NonCompliant", "RoleMissing"),
    ("roles-present", without(roles.DISK_SNAPSHOT_CONTRIBUTOR), "NonCompliant", "RoleMissing"),
    ("roles-present", sets(extension=NONE), "NonCompliant", "NoExtensionIdentity"),
    ("roles-present", sets(grants=UNREAD), "Unknown", "Unobserved"),
    ("roles-present", sets(grants=NONE), "NonCompliant", "RoleMissing"),
    ("roles-present", sets(vaults=UNREAD), "Unknown", "Unobserved"),
    ("roles-present", extension(principal_id=None), "Unknown", "Unobserved"),
    ("vault-diagnostics", sets(diagnostics=here(value=False)), "NonCompliant", "NoDiagnostics"),
    ("vault-diagnostics", sets(diagnostics=UNREAD), "Unknown", "Unobserved"),
    ("vault-diagnostics", NO_INSTANCE, "NonCompliant", "NotProtected"),
    ("restored-lately", digest(last_restore_at=None), "NonCompliant", "NeverRestored"),
    (
        "restored-lately",
        both(digest(last_restore_at=None), remember(last_restore_at=ago(days=31))),
        "NonCompliant",
        "RestoredTooLongAgo",
    ),
    ("restored-lately", sets(jobs=UNREAD), "Unknown", "Unobserved"),
    (
        "restored-lately",
        both(digest(last_restore_at=None), sets(remembered=None)),
        "Unknown",
        "OnlyFourteenDaysKnown",
    ),
]


def test_a_cluster_that_keeps_every_promise_complies_with_every_control() -> None:
    judged = healthy().judged()
    assert [verdict for verdict in judged.verdicts if verdict.status != "Compliant"] == []
    asked = [verdict.control for verdict in judged.verdicts]
    assert asked == [control.id for control in CONTROLS if control.id != "exemption-valid"]
    assert (judged.restorable, judged.score) == ("Yes", 100.0)


@pytest.mark.parametrize(
    ("control", "change", "status", "reason"), WRONG, ids=[f"{case[0]}-{case[3]}-{n}" for n, case in enumerate(WRONG)]
)
def test_what_is_wrong_is_said(control: str, change: Change, status: str, reason: str) -> None:
    scene = healthy()
    change(scene)
    verdict = scene.verdict(control)
    assert verdict is not None
    assert (verdict.status, verdict.reason) == (status, reason)
    assert verdict.message.endswith((".", ")"))
    assert verdict.remedy


def test_every_control_is_seen_in_every_status_it_can_have() -> None:
    """A control that cannot be read wrongly, or is decided by guard.yaml alone, is never Unknown."""
    never_unknown = {SELECTED.id, "exemption-valid"}
    for control in CONTROLS:
        shown = {status for id_, _, status, _ in WRONG if id_ == control.id}
        if control.id not in never_unknown:
            assert shown == {"NonCompliant", "Unknown"}, control.id


GOOD: list[tuple[str, Change]] = [
    ("protected", instance(protection_state="BackupsSuspended")),
    ("recovery-point-within-rpo", both(last("failed", "X"), instance(latest_recovery_point=ago(hours=5)))),
    ("recovery-point-within-rpo", both(last("completedwithwarnings", CRDS), digest(last_clean_at=ago(hours=5)))),
    (
        "recovery-point-within-rpo",
        both(rule(recovery_point_within=86400.0), instance(latest_recovery_point=ago(hours=20))),
    ),
    ("recovery-point-within-rpo", cluster(created_at=None)),
    ("recovery-point-within-rpo", instance(latest_recovery_point=ago(minutes=-5))),
    ("recovery-point-within-rpo", remember(resource_uid="UID-1", reborn_at=ago(hours=3))),
    (
        "recovery-point-within-rpo",
        both(
            rule(recovery_point_within=40 * 86400.0),
            instance(latest_recovery_point=ago(days=20)),
            digest(last=None, last_clean_at=None),
        ),
    ),
    ("volumes-supported", last("completedwithwarnings", CRDS)),
    ("schedule-as-promised", both(promise(schedule=replace(healthy().profile.schedule, interval="P1D")))),
    ("retention-as-promised", policy(operational_days=360, vault_days=3650)),
    ("right-scope", instance(scope=BackupScope())),
    ("vault-soft-delete", promised_vault(soft_delete="On", soft_delete_days=14)),
    ("vault-immutability", vault(immutability="Locked")),
    ("vault-redundancy", promised_vault(redundancy="ZoneRedundant", cross_region_restore=False)),
    ("extension-current", extension(auto_upgrade=False)),
    ("extension-current", extension(auto_upgrade=False, version="1.10.0")),
    ("memory-adequate", digest(last_out_of_memory_at=ago(days=15))),
    ("restored-lately", both(digest(last_restore_at=None), remember(last_restore_at=ago(days=29)))),
    ("restored-lately", both(sets(jobs=UNREAD), remember(last_restore_at=ago(days=29)))),
    ("restored-lately", both(sets(remembered=None))),
]


@pytest.mark.parametrize(("control", "change"), GOOD, ids=[f"{case[0]}-{n}" for n, case in enumerate(GOOD)])
def test_as_much_as_promised_or_more_is_compliant(control: str, change: Change) -> None:
    scene = healthy()
    change(scene)
    verdict = scene.verdict(control)
    assert verdict is not None
    assert verdict.status == "Compliant", verdict


EXISTING = ExistingResources(vault_id=OTHER_VAULT, policy_id=f"{OTHER_VAULT}/backupPolicies/team")
NOT_ASKED: list[tuple[str, Change]] = [
    ("vault-tier-copy", promise(retention=replace(healthy().profile.retention, vault_days=None))),
    ("vault-redundancy", promise(retention=replace(healthy().profile.retention, vault_days=None))),
    ("vault-immutability", promised_vault(immutability="Disabled")),
    ("vault-cross-region-restore", promised_vault(cross_region_restore=False)),
    ("vault-multi-user-authorisation", rule(multi_user_authorisation=False)),
    ("vault-diagnostics", rule(diagnostics=False)),
    ("restored-lately", rule(restored_within=None)),
    ("volumes-supported", promise(scope=BackupScope(snapshot_volumes=False))),
    ("extension-current", rule(without=("extension-current",))),
    ("vault-soft-delete", promise(existing=EXISTING)),
    ("schedule-as-promised", promise(existing=EXISTING)),
    ("retention-as-promised", promise(existing=EXISTING)),
    ("exemption-valid", sets()),
]


@pytest.mark.parametrize(("control", "change"), NOT_ASKED, ids=[f"{case[0]}-{n}" for n, case in enumerate(NOT_ASKED)])
def test_what_the_profile_does_not_ask_gives_no_verdict(control: str, change: Change) -> None:
    scene = healthy()
    change(scene)
    assert scene.verdict(control) is None


def test_a_workspace_in_the_profile_asks_for_diagnostics_too() -> None:
    scene = healthy()
    scene.rule(diagnostics=False)
    promised_vault(diagnostics_workspace_id="/workspace")(scene)
    verdict = scene.verdict("vault-diagnostics")
    assert verdict is not None
    assert verdict.status == "Compliant"


def test_a_policy_named_as_existing_is_the_promise_itself() -> None:
    """Also how old a recovery point may be follows from it."""
    scene = healthy()
    scene.adopt()
    scene.promise(existing=EXISTING)
    scene.policy(interval="P1D")
    scene.instance(latest_recovery_point=ago(hours=35))
    scene.digest(last_clean_at=ago(hours=35))
    for control in ("right-policy", "recovery-point-within-rpo"):
        verdict = scene.verdict(control)
        assert verdict is not None
        assert verdict.status == "Compliant", verdict
    scene.policy(interval="")
    verdict = scene.verdict("recovery-point-within-rpo")
    assert verdict is not None
    assert (verdict.status, verdict.reason) == ("Unknown", "IntervalUnknown")


def test_the_age_of_what_only_the_record_knows_is_said() -> None:
    scene = healthy()
    bound()(scene)
    verdict = scene.verdict("trusted-access")
    assert verdict is not None
    assert verdict.message == "No binding lets the vault reach the cluster, as it was read 3 hours ago."
