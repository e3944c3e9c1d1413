"""What each of Azure Backup's error and warning codes asks for, and whether the Guard may do it: one table.

Meanings and actions follow the AKS backup troubleshooting page (2025-06) unless a row says otherwise in its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.domain.alerts import Severity

Automation = Literal[
    "person", "retry", "wait_and_retry", "reconcile", "regrant_reader", "memory", "reinstall", "when_started"
]
"""`person`: nothing. `retry`: one more backup. `wait_and_retry`: the same after an hour. `reconcile`: what is missing
(role, binding, extension) is put back first. `regrant_reader`: the vault's Reader role on the cluster is taken away and
given anew first. `memory`: the memory ladder. `reinstall`: the extension is reinstalled first, only where the profile
allows it. `when_started`: one more backup once the cluster runs again."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """`severity` is that of the code itself; a job that failed is at least an Error."""

    code: str
    severity: Severity
    meaning: str
    recommended_action: str
    automation: Automation


def _rows(automation: Automation, severity: Severity, rows: Mapping[str, tuple[str, str]]) -> dict[str, Remedy]:
    return {
        code.lower(): Remedy(code, severity, meaning, action, automation) for code, (meaning, action) in rows.items()
    }


REMEDIES: Mapping[str, Remedy] = {
    **_rows(
        "memory",
        "Error",
        {
            "UserErrorBackupPluginPodRestartedDuringBackup": (
                "The extension's pod was lost during the backup, usually killed because it ran out of memory.",
                "Raise resources.limits.memory of the extension, then resources.limits.cpu; the requests too when a "
                "node has too little room. Then back up again.",
            ),
            "UserErrorBackupPluginPodRestartedDuringRestore": (
                "The extension's pod was lost during the restore, usually killed because it ran out of memory.",
                "Raise resources.limits.memory of the extension, then resources.limits.cpu. Then start the restore "
                "again: the Guard never repeats one.",
            ),
        },
    ),
    **_rows(
        "retry",
        "Error",
        {
            "ExtensionTimedOutWaitingForBackupItemSync": (
                "The extension waited in vain for its items to reach the storage account.",
                "Back up again; if it comes back, reinstall the extension.",
            ),
            "CloudInternalError": ("Azure Backup had a fault of its own.", "Back up again; if it lasts, ask Azure."),
            "BackupInternalError": ("Azure Backup had a fault of its own.", "Back up again; if it lasts, ask Azure."),
        },
    ),
    **_rows(
        "retry",
        "Warning",
        {
            "CSISnapshottingTimedOut": (
                "The CSI driver did not get the snapshot of a volume in time: the volume is not in the backup.",
                "Back up again on demand, or wait for the next scheduled backup.",
            ),
        },
    ),
    **_rows(
        "wait_and_retry",
        "Error",
        {
            "UserErrorBackupStorageLocationNotReady": (
                "The extension's identity cannot reach the storage account yet; a new role takes up to an hour.",
                "Wait for an hour. If it lasts, give the identity Storage Blob Data Contributor on the account, and "
                "see whether the account's firewall lets the cluster in.",
            ),
        },
    ),
    **_rows(
        "reconcile",
        "Error",
        {
            "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation": (
                "The extension's identity has no role on the storage account.",
                "Give it Storage Blob Data Contributor on the account.",
            ),
            "UserErrorKubernetesBackupExtensionNotFoundError": (
                "The backup extension is not installed.",
                "Install the backup extension.",
            ),
            "UserErrorKubernetesBackupExtensionUnhealthy": (
                "The extension does not work, often because its identity lost its role on the storage account.",
                "Give the identity Storage Blob Data Contributor, and see that the extension's pods run.",
            ),
            "UserErrorTrustedAccessGatewayReturnedForbidden": (
                "The vault may not reach the cluster: the trusted access binding is missing or new.",
                "Bind the vault to the cluster with the role backup-operator.",
            ),
            "UserErrorMSIMissingPermissions": (
                "An identity lacks a role that the backup needs.",
                "Give it the role the message names.",
            ),
            "UserErrorGenericResourceNotFound": (
                "Something that the backup needs is gone; the message names it.",
                "Make it again, or correct what names it.",
            ),
        },
    ),
    **_rows(
        "regrant_reader",
        "Error",
        {
            "KubernetesBackupListExtensionsError": (
                "The vault cannot list the cluster's extensions: its Reader role is missing, or is there and does not "
                "take effect.",
                "Remove the Reader role of the vault's identity on the cluster and give it anew.",
            ),
        },
    ),
    **_rows(
        "reinstall",
        "Error",
        {
            "UserErrorKubernetesBackupExtensionHasErrors": (
                "The extension has errors of its own.",
                "Delete the extension and install it again.",
            ),
            "UserErrorKubernetesBackupExtensionIdentityNotFound": (
                "The extension's identity is gone.",
                "Delete the extension and install it again, which makes a new identity, and give that its roles.",
            ),
            "KubernetesBackupCustomResourcesTrackingTimeOutError": (
                "The extension did not report how the work in the cluster goes.",
                "See that the pods in dataprotection-microsoft run; add a node or raise their limits; at last "
                "reinstall the extension.",
            ),
            "BackupPluginDeleteBackupOperationFailed": (
                "Recovery points could not be deleted, because the extension does not run.",
                "Bring the extension's pods to run, or reinstall it. Of a cluster that is gone, delete the snapshots "
                "and the blobs by hand.",
            ),
        },
    ),
    **_rows(
        "reinstall",
        "Critical",
        {
            "UserErrorNoDefaultBackupStorageLocationFound": (
                "The storage account or container the extension was installed with is gone or was never right.",
                "Reinstall the extension with the right account and container.",
            ),
            "UserErrorDeleteBackupFailedBackupStorageLocationNotFound": (
                "The storage account or container that held the backup is gone.",
                "Find out who deleted it; reinstall the extension with the right account and container.",
            ),
        },
    ),
    **_rows(
        "when_started",
        "Warning",
        {
            "UserErrorKubernetesBackupClusterIsStopped": (
                "The cluster was stopped when its backup was due.",
                "Start the cluster.",
            ),
        },
    ),
    **_rows(
        "person",
        "Error",
        {
            "Failed": (
                "The job failed, and Azure does not say why.",
                "Look at the job in the vault and at the pods in dataprotection-microsoft.",
            ),
            "UserErrorBackupFailedBackupStorageLocationReadOnly": (
                "The storage account is read-only.",
                "Make the storage account writable again: a lock, a legal hold or a failover is the usual reason.",
            ),
            "UserErrorDeleteBackupFailedBackupStorageLocationReadOnly": (
                "The storage account is read-only, so that old backups are not deleted.",
                "Make the storage account writable again: a lock or a legal hold is the usual reason.",
            ),
            "UserErrorStorageAccountKeyAccessDisallowed": (
                "The extension uses the storage account's keys, which the account does not allow.",
                "Reinstall the extension with useAAD, or allow the keys.",
            ),
            "UserErrorSnapshotResourceGroupHasLocks": (
                "A lock on the snapshot resource group hinders snapshots or their deletion.",
                "Remove the lock, or name another group in the profile for new clusters.",
            ),
            "DppUserErrorVaultTierPolicyNotSupported": (
                "The region has no vault tier, but the policy asks for a copy there.",
                "Leave out retention.vault_days in the profile of this region's clusters: how safe a copy must be is "
                "the profile's promise, so the Guard does not lower it.",
            ),
            "UserErrorPVSnapshotDisallowedByPolicy": (
                "An Azure Policy forbids snapshots of a volume: it is in no backup.",
                "Exempt the snapshots from the policy, then back up on demand.",
            ),
            "UserErrorPVSnapshotLimitReached": (
                "A volume has its 500 snapshots, so that no further one is taken: it is in no new backup.",
                "Shorten retention.operational_days in the profile, or delete snapshots of others. The Guard does "
                "not shorten what the profile promises.",
            ),
            "LinkedAuthorizationFailed": (
                "Who asked for the restore may not read the cluster that was backed up.",
                "Give them Reader on that cluster.",
            ),
            "UserErrorDppDatasourceAlreadyHasBackupInstance": (
                "Another backup instance protects the cluster already.",
                "Stop one of them, or name its vault and policy in the profile.",
            ),
            "BMSUserErrorInvalidInput": (
                "Azure Backup refuses what it was asked for.",
                "See schedule and retention of the profile.",
            ),
            "DppPluginInvalidInputParameters": (
                "Azure Backup refuses what it was asked for.",
                "See what the message names; the backup instance's configuration is the usual place.",
            ),
            "ScenarioPluginInvalidWorkflowDataRequest": (
                "The backup instance was written without dataSourceSetInfo.",
                "Write the backup instance again with it, or delete it: the Guard then makes its own.",
            ),
            "BackoffLimitExceeded": (
                "The extension's first job in the cluster cannot reach the Kubernetes API.",
                "Let the namespace dataprotection-microsoft through network policies and NSGs, then reinstall.",
            ),
        },
    ),
    **_rows(
        "person",
        "Warning",
        {
            "CompletedWithWarnings": (
                "The recovery point lacks something, and Azure does not say what.",
                "Look at the job in the vault.",
            ),
            "KubernetesBackupGenericWarning": (
                "A resource could not be backed up or restored, often because of an admission webhook.",
                "Look at the resource the message names and at the cluster's validating webhooks.",
            ),
            "UserErrorHookExecutionFailed": (
                "A backup or restore hook failed: the data may not be consistent.",
                "Read the hook's log, mend it, back up again.",
            ),
            "UserErrorNamespaceNotFound": (
                "A namespace that shall be backed up is not there.",
                "Correct scope.included_namespaces in the profile, or make the namespace again. The Guard does not "
                "narrow what the profile promises.",
            ),
            "UserErrorPVCHasNoVolume": (
                "A claim has no volume, so there is nothing to back up.",
                "Give the claim a volume if it matters, else delete it.",
            ),
            "UserErrorPVCNotBoundToVolume": (
                "A claim is pending, so there is nothing to back up.",
                "Bind the claim to a volume if it matters, else delete it.",
            ),
            "UserErrorPVNotFound": (
                "The storage under a volume is gone.",
                "Restore the disk or replace the volume.",
            ),
            "UserErrorStorageClassMissingForPVC": (
                "A claim or volume names no storage class, and is skipped.",
                "Write the storage class into the claim and the volume.",
            ),
            "UserErrorSourceandTargetClusterCRDVersionMismatch": (
                "Source and target of the restore have other versions of FlowSchema or PriorityLevelConfiguration.",
                "Restore to a cluster of the same version, or apply those resources by hand.",
            ),
            "UserErrorDppPolicyObjectInUse": (
                "A policy that shall be deleted is in use.",
                "Give its backup instances another policy first.",
            ),
        },
    ),
}
"""By lower-case code. `Failed` and `CompletedWithWarnings` stand for jobs that give no code."""


def remedy_for(code: str, *, failed: bool = True) -> Remedy:
    """The row of the code, without regard to case; for a code nobody knows what `failed` (else: with warnings) says."""
    if found := REMEDIES.get(code.lower()):
        return found
    meaning = "This code is not documented; the message is Azure's own."
    action = "Read the message, and look at the job in the vault."
    return Remedy(code, "Error" if failed else "Warning", meaning, action, "person")
