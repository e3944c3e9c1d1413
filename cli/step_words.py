"""What a step does, as a person would say it."""

import re
from collections.abc import Mapping

from shared.domain.steps import (
    CreateBackupInstance,
    CreateBackupPolicy,
    CreateContainer,
    CreateDiagnosticSetting,
    CreateResourceGroup,
    CreateStorageAccount,
    CreateTrustedAccessBinding,
    CreateVault,
    DeleteExtension,
    GrantRole,
    InstallExtension,
    RegisterProvider,
    ResumeBackups,
    ResumeProtection,
    RevokeRole,
    StartBackup,
    Step,
    UndeleteBackupInstance,
    UpdateExtension,
    UpdateVault,
    ValidateForBackup,
)
from shared.notify.foreign import clean
from shared.plan import roles


def kind_of(step: Step) -> str:
    """As the audit trail names it, without what it is about."""
    return type(step).__name__


def target_of(step: Step) -> str:
    """ARM id of what it changes; a role's is its scope."""
    if isinstance(step, GrantRole | RevokeRole):
        return step.grant.scope
    body = getattr(step, "body", None)
    for arm_id in (getattr(step, "arm_id", ""), getattr(body, "arm_id", ""), getattr(step, "instance_id", "")):
        if arm_id:
            return str(arm_id)
    return f"/subscriptions/{step.subscription_id}" if isinstance(step, RegisterProvider) else ""


def words(step: Step, identities: Mapping[str, str]) -> str:
    """One line. `identities` says whose a principal id is."""
    match step:
        case RegisterProvider():
            said = f"Register the resource provider {step.namespace}"
        case CreateResourceGroup():
            said = f"Create the resource group {_name(step.arm_id)} in {step.location}"
        case CreateStorageAccount():
            said = f"Create the storage account {_name(step.arm_id)} in {step.location}"
        case CreateVault():
            settings = step.settings
            said = f"Create the backup vault {_name(step.arm_id)} ({settings.redundancy}, soft delete "
            said += f"{settings.soft_delete}, immutability {settings.immutability})"
        case UpdateVault():
            said = f"Raise settings of the vault {_name(step.arm_id)}: {', '.join(_raised(step))}"
        case CreateDiagnosticSetting():
            said = f"Send the jobs of the vault {_name(step.vault_id)} to the workspace {_name(step.workspace_id)}"
        case UndeleteBackupInstance():
            said = f"Bring the deleted backup instance {_name(step.instance_id)} back"
        case ResumeBackups() | ResumeProtection():
            said = f"Resume the backup instance {_name(step.instance_id)}"
        case CreateBackupPolicy():
            kept = f"{step.retention.operational_days} days of snapshots"
            copies = f", {step.retention.vault_days} days in the vault" if step.retention.vault_days else ""
            said = f"Create the backup policy {_name(step.arm_id)} (every {step.schedule.interval}, {kept}{copies})"
        case CreateContainer():
            said = f"Create the blob container {_name(step.arm_id)}"
        case InstallExtension():
            said = f"Install the backup extension (storage account {_name(step.account_id)})"
        case UpdateExtension():
            changes = ", ".join(f"{name} = {value}" for name, value in step.settings.items())
            said = f"Change the backup extension: {changes}"
        case DeleteExtension():
            said = "Delete the backup extension, to install it again"
        case CreateTrustedAccessBinding():
            said = f"Let the vault {_name(step.vault_id)} reach the cluster (trusted access)"
        case GrantRole():
            who = identities.get(step.grant.principal_id.lower(), step.grant.principal_id)
            said = f"Give {_role(step.grant.role)} at {_name(step.grant.scope)} to {who}"
        case RevokeRole():
            said = f"Take {_role(step.grant.role)} at {_name(step.grant.scope)} away, to give it anew"
        case ValidateForBackup():
            said = "Let Azure validate that the cluster can be backed up"
        case CreateBackupInstance():
            said = (
                f"Protect the cluster: backup instance {_name(step.body.arm_id)}, policy {_name(step.body.policy_id)}"
            )
        case StartBackup():
            said = "Take the first backup"
        case _:
            said = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind_of(step)).capitalize()
            said += f" ({_name(target_of(step))})" if target_of(step) else ""
    return clean(said)


def _raised(step: UpdateVault) -> list[str]:
    days = step.soft_delete_days
    return [
        *([f"soft delete {step.soft_delete}, {days:g} days"] if days is not None else []),
        *([f"immutability {step.immutability}"] if step.immutability else []),
        *(["restores into other subscriptions"] if step.cross_subscription_restore else []),
        *(["restores in the paired region"] if step.cross_region_restore else []),
        *(["an identity of its own"] if step.identity else []),
    ]


def _name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]


def _role(guid: str) -> str:
    return f"the role {roles.NAMES.get(guid.lower(), guid)}"
