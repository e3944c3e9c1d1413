"""What Azure's answers mean to the loop: one table, by documented code first, then by status."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.arm.answer import AzureError, read_error
from shared.domain.errors import (
    AmbiguousEffectError,
    BlockedError,
    ErrorKind,
    GuardError,
    InvalidProfileError,
    NotReadyYet,
    StepError,
    TransientError,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row: what a code means, what a person should do (Azure's own advice, when it gives some, goes first), and
    where that is known from."""

    kind: ErrorKind
    action: str
    evidence: str


class Hiccup(TransientError):  # noqa: N818 - as NotReadyYet
    """The connection broke, or a 5xx without Retry-After: worth another try at once when the call is idempotent."""


_EXCEPTIONS: Mapping[ErrorKind, type[GuardError]] = {
    "transient": TransientError,
    "not_ready_yet": NotReadyYet,
    "blocked": BlockedError,
    "invalid_profile": InvalidProfileError,
    "ambiguous_effect": AmbiguousEffectError,
}


def _rows(kind: ErrorKind, rows: Mapping[str, tuple[str, str]]) -> dict[str, Meaning]:
    return {code.lower(): Meaning(kind, action, evidence) for code, (action, evidence) in rows.items()}


_RBAC_DOC = "Azure RBAC troubleshooting; Role Assignments REST 2022-04-01"
_ARM_DOC = "Resource Manager's list of common deployment errors"
_AKS_BACKUP_DOC = "AKS backup troubleshooting page"

TABLE: Mapping[str, Meaning] = {
    **_rows(
        "transient",
        {
            "CloudInternalError": ("", "recorded (500), api-version 2024-04-01; the SDK retries it"),
            "InternalServerError": ("", _ARM_DOC),
            "InternalServiceError": ("", _ARM_DOC),
            "ServiceUnavailable": ("", _ARM_DOC),
            "ServerTimeout": ("", _ARM_DOC),
            "GatewayTimeout": ("", _ARM_DOC),
            "TooManyRequests": ("", _ARM_DOC),
            "SubscriptionRequestsThrottled": ("", "ARM throttling page"),
            "TenantRequestsThrottled": ("", "ARM throttling page"),
            "ExpiredAuthenticationToken": ("", "the next call brings a fresh token"),
            "InvalidAuthenticationToken": ("", "the next call brings a fresh token"),
            "BackupInternalError": ("", "a service fault by name, nothing a caller can mend; assumed"),
            "ExtensionTimedOutWaitingForBackupItemSync": ("", f"{_AKS_BACKUP_DOC}: retry"),
            "CSISnapshottingTimedOut": ("", f"{_AKS_BACKUP_DOC}: retry"),
        },
    ),
    **_rows(
        "not_ready_yet",
        {
            "UserErrorBackupStorageLocationNotReady": (
                "If it lasts, see that the extension's identity has Storage Blob Data Contributor on the account.",
                f"{_AKS_BACKUP_DOC}: the permission propagates for up to an hour",
            ),
            "UserErrorExtensionMSIMissingPermissionsOnBackupStorageLocation": (
                "Give the extension's identity Storage Blob Data Contributor on the storage account.",
                _AKS_BACKUP_DOC,
            ),
            "KubernetesBackupListExtensionsError": (
                "Give the vault's identity Reader on the cluster.",
                f"{_AKS_BACKUP_DOC}: Reader missing or stale",
            ),
            "UserErrorKubernetesBackupExtensionUnhealthy": (
                "See that the extension's pods run and that its identity has its role on the storage account.",
                "what missing roles end in: terraform-provider-azurerm issue 25294",
            ),
            "UserErrorTrustedAccessGatewayReturnedForbidden": (
                "See that the cluster has a trusted access binding for the vault, with the role backup-operator.",
                "a user's validateForBackup of 2026; a new binding takes up to five minutes (AKS trusted access page)",
            ),
            "UserErrorMSIMissingPermissions": (
                "Give the vault's identity the roles the message asks for.",
                "Azure Backup's troubleshooting pages (MicrosoftDocs/azure-docs 70663); roles propagate",
            ),
            "UserErrorKubernetesBackupExtensionNotFoundError": ("Install the backup extension.", _AKS_BACKUP_DOC),
            "UserErrorKubernetesBackupClusterIsStopped": (
                "Start the cluster.",
                "passes when it is started; AKS backup troubleshooting page",
            ),
            "PrincipalNotFound": (
                "",
                "a new identity has not reached the directory yet; Role Assignments REST 2022-04-01",
            ),
            "OperationNotAllowed": ("", "another operation works on the cluster (409); assumed of AKS"),
            "AnotherOperationInProgress": ("", _ARM_DOC),
            "OperationInProgress": ("", _ARM_DOC),
            "ConflictingOperationInProgress": ("", _ARM_DOC),
            "StorageAccountOperationInProgress": ("", "Storage resource provider's error codes"),
            "StorageAccountIsNotProvisioned": ("", "Storage resource provider's error codes"),
            "ResourceGroupBeingDeleted": ("", _ARM_DOC),
            "ResourceNotFound": ("", "a write found its parent missing; the next look decides"),
            "ParentResourceNotFound": ("", _ARM_DOC),
            "ResourceGroupNotFound": ("", "the group is made by its region's pass"),
            "UserErrorGenericResourceNotFound": ("", "recorded (404), api-version 2024-04-01"),
            "MissingSubscriptionRegistration": (
                "Register the resource provider the message names in the subscription.",
                f"{_ARM_DOC}; registration takes up to ten minutes (resource provider registration page)",
            ),
            "SubscriptionNotRegistered": ("Register the resource provider in the subscription.", _ARM_DOC),
            "Conflict": ("", "a resource that is being changed; blocks by itself when it does not pass"),
            "PreconditionFailed": ("", "an ETag moved on"),
        },
    ),
    **_rows(
        "blocked",
        {
            "AuthorizationFailed": (
                "Give the Guard's identity the role the message asks for, at the scope.",
                _RBAC_DOC,
            ),
            "LinkedAuthorizationFailed": (
                "Give the Guard's identity the right the message names on the linked resource.",
                f"{_AKS_BACKUP_DOC}: read on the cluster is missing",
            ),
            "ScopeLocked": ("Remove the lock the message names, or exempt the cluster.", _ARM_DOC),
            "UserErrorSnapshotResourceGroupHasLocks": (
                "Remove the lock from the snapshot resource group, or name another group in the profile.",
                _AKS_BACKUP_DOC,
            ),
            "RequestDisallowedByPolicy": (
                "Give the profile what the Azure Policy asks for (tags, for one), or exempt the resource.",
                _ARM_DOC,
            ),
            "ReadOnlyDisabledSubscription": ("Enable the subscription again.", _ARM_DOC),
            "SubscriptionNotFound": (
                "See that the subscription exists and the Guard's identity may read it.",
                _ARM_DOC,
            ),
            "InvalidAuthenticationTokenTenant": ("The subscription lies in another tenant: leave it out.", _ARM_DOC),
            "RoleAssignmentLimitExceeded": (
                "The subscription holds its 4,000 role assignments: remove those of principals that are gone.",
                _RBAC_DOC,
            ),
            "RoleAssignmentUpdateNotPermitted": (
                "Delete the role assignment of that name: it belongs to another principal or role.",
                _RBAC_DOC,
            ),
            "QuotaExceeded": ("Ask for a higher quota, or use another region.", _ARM_DOC),
            "ResourceQuotaExceeded": ("Ask for a higher quota.", _ARM_DOC),
            "MaxStorageAccountsCountPerSubscriptionExceeded": (
                "The subscription holds all the storage accounts it may: name an existing one in the profile.",
                "Storage resource provider's error codes",
            ),
            "StorageAccountAlreadyTaken": (
                "Somebody else owns an account of that name: name an existing account in the profile.",
                "Storage resource provider's error codes",
            ),
            "StorageAccountInAnotherResourceGroup": (
                "The account lies in another resource group: name it in the profile.",
                "Storage resource provider's error codes",
            ),
            "InvalidResourceLocation": (
                "A resource of that name lies in another region: name an existing one in the profile.",
                _ARM_DOC,
            ),
            "InvalidResourceGroupLocation": ("The group lies in another region: name it in the profile.", _ARM_DOC),
            "LocationNotAvailableForResourceType": ("The region does not offer the resource.", _ARM_DOC),
            "InvalidResourceNamespace": ("The cloud does not know this resource provider.", _ARM_DOC),
            "InvalidResourceType": ("The region or cloud does not know this resource type.", _ARM_DOC),
            "NoRegisteredProviderFound": ("The region or cloud does not know this api-version.", _ARM_DOC),
            "MaxTrustedAccessRoleBindingsReached": (
                "The cluster has its 8 trusted access role bindings: remove one that is not used.",
                "limit: AKS trusted access page; code assumed",
            ),
            "UserErrorDppDatasourceAlreadyHasBackupInstance": (
                "Another backup instance protects the cluster: stop it, or name its vault and policy in the profile.",
                "recorded (400), api-version 2024-04-01",
            ),
            "UserErrorKubernetesBackupExtensionHasErrors": ("Delete and reinstall the extension.", _AKS_BACKUP_DOC),
            "UserErrorKubernetesBackupExtensionIdentityNotFound": (
                "Delete and reinstall the extension.",
                _AKS_BACKUP_DOC,
            ),
            "UserErrorNoDefaultBackupStorageLocationFound": (
                "Reinstall the extension with the right storage account and container.",
                _AKS_BACKUP_DOC,
            ),
            "UserErrorStorageAccountKeyAccessDisallowed": (
                "The extension was installed without useAAD: reinstall it, or allow the account's keys.",
                "MicrosoftDocs/azure-docs 127508",
            ),
            "UserErrorBackupFailedBackupStorageLocationReadOnly": ("Make the storage writable again.", _AKS_BACKUP_DOC),
            "ScenarioPluginInvalidWorkflowDataRequest": (
                "The instance was written without dataSourceSetInfo: write it again.",
                "terraform-provider-azurerm issue 25294",
            ),
            "DppPluginInvalidInputParameters": ("", "seen live"),
            "UserErrorBackupPluginPodRestartedDuringBackup": (
                "The extension ran out of memory: raise resources.limits.memory.",
                _AKS_BACKUP_DOC,
            ),
            "KubernetesBackupCustomResourcesTrackingTimeOutError": (
                "See that the extension's pods run and the nodes have room for them.",
                _AKS_BACKUP_DOC,
            ),
        },
    ),
    **_rows(
        "invalid_profile",
        {
            "BMSUserErrorInvalidInput": (
                "See schedule and retention of the profile: Azure Backup refuses them.",
                "the catch-all for a policy's content: crossplane provider-upjet-azure issue 853",
            ),
            "DppUserErrorVaultTierPolicyNotSupported": (
                "The region has no vault tier: leave out vault_days for clusters there.",
                _AKS_BACKUP_DOC,
            ),
            "UserErrorDisableSoftDeleteNotAllowed": (
                "The vault is AlwaysOn, which cannot be undone: set soft_delete to AlwaysOn.",
                "recorded (400), api-version 2024-04-01",
            ),
            "UserErrorUnsupportedVaultImmutabilityStateChange": (
                "The vault's immutability is Locked, which cannot be undone: set immutability to Locked.",
                "recorded (400), api-version 2024-04-01",
            ),
            "UserErrorCrossRegionRestoreStateChangeNotAllowed": (
                "Cross-region restore cannot be turned off again: set cross_region_restore to true.",
                "recorded (400), api-version 2024-04-01",
            ),
        },
    ),
}

ALREADY_THERE = "roleassignmentexists"
"""409: somebody gave the same role under another name, which is what was wanted (Role Assignments REST 2022-04-01)."""

NOT_PROOF_OF_ABSENCE = frozenset(
    {"subscriptionnotfound", "invalidresourcetype", "invalidresourcenamespace", "noregisteredproviderfound"}
)
"""404s that say nothing about the resource that was asked for."""

_BY_MESSAGE: tuple[tuple[re.Pattern[str], Meaning], ...] = (
    (
        re.compile(r"soft delete .*always-?on", re.IGNORECASE | re.DOTALL),
        Meaning(
            "invalid_profile",
            "Set the vault's soft_delete to AlwaysOn.",
            "text known, code not: reported for api-versions from 2025-09-01 on",
        ),
    ),
    (
        re.compile(r"another operation|in progress", re.IGNORECASE),
        Meaning("not_ready_yet", "", "how resource providers word a busy resource"),
    ),
    (
        re.compile(r"trusted ?access.*\b(limit|maximum|exceed)", re.IGNORECASE | re.DOTALL),
        TABLE["maxtrustedaccessrolebindingsreached"],
    ),
    (
        re.compile(r"trusted ?access", re.IGNORECASE),
        TABLE["usererrortrustedaccessgatewayreturnedforbidden"],
    ),
    (
        re.compile(
            r"^(?=.*\b(msi|identity)\b)(?=.*(permission|role))(?=.*(missing|lack|not have))", re.IGNORECASE | re.DOTALL
        ),
        TABLE["usererrormsimissingpermissions"],
    ),
)


def meaning_of(error: AzureError) -> Meaning | None:
    """The row of the error's code, of the first of its details that has one, or of its words; None when unknown."""
    for code in (error.code, *error.inner_codes):
        if found := TABLE.get(code.lower()):
            return found
    return next((meaning for pattern, meaning in _BY_MESSAGE if pattern.search(error.message)), None)


def translate(error: AzureError, status: int | None = None, retry_after: float | None = None) -> GuardError:
    """The error as the loop understands it. `status` is the HTTP status, None for the error of an operation, of a job
    or of a protection. `retry_after` is in Azure's seconds. What nobody knows blocks, and is never swallowed."""
    meaning = meaning_of(error)
    overloaded = status is not None and (status in (408, 429) or status >= 500)
    kind = meaning.kind if meaning and status != 429 else "transient" if overloaded else _kind_of(status)
    action = " ".join(part for part in (error.recommended_action, meaning.action if meaning else "") if part)
    again_at_once = kind == "transient" and status in (500, 502, 503, 504) and retry_after is None
    raised = Hiccup if again_at_once else _EXCEPTIONS[kind]
    return raised(error.code, error.message or "(no message)", recommended_action=action, retry_after=retry_after)


def _kind_of(status: int | None) -> ErrorKind:
    match status:
        case 401:
            return "transient"  # the token was refused; the next call brings a fresh one
        case 404 | 412:
            return "not_ready_yet"
        case _:
            return "blocked"


def translate_details(details: Any) -> StepError | None:
    """The error of an operation that failed, of a job, or of a protection; None when there is none."""
    error = read_error(details)
    return translate(error).as_step_error() if error else None
