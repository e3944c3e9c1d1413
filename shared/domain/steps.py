"""What the Guard can do to Azure, one small thing each. The union is closed: `act` answers every case.

Every step but `StartBackup` is a PUT or DELETE under a deterministic name, a PATCH to given values, or a question, so
doing it twice is doing it once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.errors import StepError
from shared.domain.observed import Grant, grant_key
from shared.domain.profile import (
    BackupSchedule,
    BackupScope,
    CustomerManagedKey,
    ExtensionResources,
    NetworkRules,
    Retention,
    VaultSettings,
)


@dataclass(frozen=True, slots=True)
class RegisterProvider:
    subscription_id: str
    namespace: str

    @property
    def key(self) -> str:
        return f"RegisterProvider:{self.namespace}"


@dataclass(frozen=True, slots=True)
class CreateResourceGroup:
    arm_id: str
    location: str
    tags: Mapping[str, str]

    @property
    def key(self) -> str:
        return f"CreateResourceGroup:{self.arm_id.rsplit('/', 1)[-1]}"


@dataclass(frozen=True, slots=True)
class CreateStorageAccount:
    arm_id: str
    location: str
    tags: Mapping[str, str]
    customer_managed_key: CustomerManagedKey | None
    network: NetworkRules
    vault_id: str
    """The vault that must reach the account behind its firewall."""

    @property
    def key(self) -> str:
        return f"CreateStorageAccount:{self.arm_id.rsplit('/', 1)[-1]}"


@dataclass(frozen=True, slots=True)
class CreateVault:
    arm_id: str
    location: str
    tags: Mapping[str, str]
    settings: VaultSettings
    customer_managed_key: CustomerManagedKey | None

    @property
    def key(self) -> str:
        return f"CreateVault:{self.arm_id.rsplit('/', 1)[-1]}"


@dataclass(frozen=True, slots=True)
class UpdateVault:
    """PATCH of the Guard's own vault: raises what is too weak, never lowers anything. What is empty, None or False
    stays as it is; `soft_delete` is always given, since Azure takes AlwaysOn vaults only from api-version 2025-09-01
    on."""

    arm_id: str
    soft_delete: str
    """The state the vault has afterwards."""
    soft_delete_days: float | None = None
    """None: neither state nor days are sent."""
    immutability: str = ""
    cross_subscription_restore: bool = False
    cross_region_restore: bool = False
    identity: bool = False
    """Gives it a system-assigned identity, beside the key's own when there is one."""
    key_identity_id: str = ""

    @property
    def key(self) -> str:
        return f"UpdateVault:{self.arm_id.rsplit('/', 1)[-1]}"


DIAGNOSTIC_SETTING = "aks-backup-guard"
DIAGNOSTIC_CATEGORIES = (
    "CoreAzureBackup",
    "AddonAzureBackupJobs",
    "AddonAzureBackupPolicy",
    "AddonAzureBackupProtectedInstance",
)
"""What a Backup vault tells a workspace (Backup vault diagnostics page)."""


@dataclass(frozen=True, slots=True)
class CreateDiagnosticSetting:
    """Sends the vault's jobs to a Log Analytics workspace."""

    vault_id: str
    workspace_id: str

    @property
    def arm_id(self) -> str:
        return f"{self.vault_id}/providers/Microsoft.Insights/diagnosticSettings/{DIAGNOSTIC_SETTING}"

    @property
    def key(self) -> str:
        return "CreateDiagnosticSetting"


@dataclass(frozen=True, slots=True)
class CreateBackupPolicy:
    arm_id: str
    schedule: BackupSchedule
    retention: Retention
    soft_delete: str
    """The vault's own: Azure takes AlwaysOn vaults only from api-version 2025-09-01 on."""

    @property
    def key(self) -> str:
        return f"CreateBackupPolicy:{self.arm_id.rsplit('/', 1)[-1]}"


@dataclass(frozen=True, slots=True)
class GrantRole:
    grant: Grant
    assignment_name: str

    @property
    def key(self) -> str:
        return f"GrantRole:{grant_key(self.grant)}"


@dataclass(frozen=True, slots=True)
class CreateContainer:
    arm_id: str

    @property
    def key(self) -> str:
        return "CreateContainer"


EXTENSION_NAME = "azure-aks-backup"
"""As Microsoft's own command names it."""


@dataclass(frozen=True, slots=True)
class InstallExtension:
    cluster_id: str
    container: str
    account_id: str
    blob_endpoint: str
    resources: ExtensionResources

    @property
    def arm_id(self) -> str:
        return f"{self.cluster_id}/providers/Microsoft.KubernetesConfiguration/extensions/{EXTENSION_NAME}"

    @property
    def key(self) -> str:
        return "InstallExtension"


@dataclass(frozen=True, slots=True)
class UpdateExtension:
    """PATCH of the changed settings only. Setting the same values twice is setting them once, but each time the pods
    of the extension restart: never while a backup or restore runs."""

    arm_id: str
    settings: Mapping[str, str]

    @property
    def key(self) -> str:
        return "UpdateExtension"


@dataclass(frozen=True, slots=True)
class DeleteExtension:
    """The first half of a reinstallation. Never while a backup or restore runs."""

    arm_id: str

    @property
    def key(self) -> str:
        return "DeleteExtension"


@dataclass(frozen=True, slots=True)
class RevokeRole:
    """Takes away a role assignment of the Guard's own, so that it is given anew."""

    grant: Grant
    assignment_id: str

    @property
    def key(self) -> str:
        return f"RevokeRole:{grant_key(self.grant)}"


BACKUP_OPERATOR = "Microsoft.DataProtection/backupVaults/backup-operator"
"""The trusted access role a vault needs."""


@dataclass(frozen=True, slots=True)
class CreateTrustedAccessBinding:
    arm_id: str
    vault_id: str

    @property
    def key(self) -> str:
        return "CreateTrustedAccessBinding"


@dataclass(frozen=True, slots=True)
class InstanceBody:
    """The backup instance as validateForBackup and the PUT both send it, dataSourceSetInfo included (Backup Instances
    REST)."""

    arm_id: str
    cluster_id: str
    cluster_name: str
    location: str
    policy_id: str
    snapshot_group_id: str
    scope: BackupScope
    soft_delete: str


@dataclass(frozen=True, slots=True)
class ValidateForBackup:
    body: InstanceBody

    @property
    def key(self) -> str:
        return "ValidateForBackup"


@dataclass(frozen=True, slots=True)
class CreateBackupInstance:
    body: InstanceBody

    @property
    def key(self) -> str:
        return "CreateBackupInstance"


@dataclass(frozen=True, slots=True)
class UndeleteBackupInstance:
    """Brings a soft-deleted backup instance back with its recovery points; it is stopped then, and must be resumed."""

    instance_id: str
    soft_delete: str

    @property
    def key(self) -> str:
        return "UndeleteBackupInstance"


@dataclass(frozen=True, slots=True)
class ResumeBackups:
    """Undoes suspendBackups. Azure answers at once when there is nothing to do."""

    instance_id: str
    soft_delete: str

    @property
    def key(self) -> str:
        return "ResumeBackups"


@dataclass(frozen=True, slots=True)
class ResumeProtection:
    """Undoes stopProtection. Azure answers at once when there is nothing to do (recorded)."""

    instance_id: str
    soft_delete: str

    @property
    def key(self) -> str:
        return "ResumeProtection"


@dataclass(frozen=True, slots=True)
class StartBackup:
    """On-demand backup. Not idempotent: the loop looks for its job before it would be sent again."""

    instance_id: str
    rule_name: str
    soft_delete: str

    @property
    def key(self) -> str:
        return "StartBackup"


Step = (
    RegisterProvider
    | CreateResourceGroup
    | CreateStorageAccount
    | CreateVault
    | UpdateVault
    | CreateDiagnosticSetting
    | CreateBackupPolicy
    | GrantRole
    | CreateContainer
    | InstallExtension
    | UpdateExtension
    | DeleteExtension
    | RevokeRole
    | CreateTrustedAccessBinding
    | ValidateForBackup
    | CreateBackupInstance
    | UndeleteBackupInstance
    | ResumeBackups
    | ResumeProtection
    | StartBackup
)


@dataclass(frozen=True, slots=True)
class Done:
    """Azure answered that it is so (created, or there already)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Azure works on it. `operation_url` is the whole signed status URL of a POST; empty for a PUT, whose resource
    is simply read again."""

    operation_url: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    error: StepError


StepOutcome = Done | Accepted | Failed


@dataclass(frozen=True, slots=True)
class Intent:
    """Written before the call. Still there on the next pass: the call's result is not known."""

    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """A POST that Azure accepted; kept until its end has been seen. `digest` says what was asked."""

    step: str
    operation_url: str
    started_at: datetime
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a step has fared: failures in a row, the last error, and when it may be tried again."""

    failures: int
    error: StepError
    first_failure: datetime
    last_failure: datetime
    not_before: datetime


@dataclass(frozen=True, slots=True)
class StepHistory:
    """Everything remembered about steps, by step key."""

    intents: Mapping[str, Intent] = field(default_factory=dict)
    pending: Mapping[str, PendingOperation] = field(default_factory=dict)
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    started: Mapping[str, datetime] = field(default_factory=dict)
    """When Azure last accepted the step: a failed state seen later is that start's failure, and counts once."""
