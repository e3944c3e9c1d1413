"""Sends one step to Azure and says what came of it, with a line in the audit trail before and after."""

import re
from typing import assert_never

from shared.act.backup_extension import delete_extension, install_extension, update_extension
from shared.act.backup_instance import (
    create_instance,
    resume_backups,
    resume_protection,
    start_backup,
    undelete_instance,
    validate_for_backup,
)
from shared.act.backup_policy import create_policy
from shared.act.backup_vault import create_vault, update_vault
from shared.act.call import ArmCall
from shared.act.diagnostic_setting import create_diagnostic_setting
from shared.act.provider import register_provider
from shared.act.resource_group import create_resource_group
from shared.act.role_assignment import grant_role, revoke_role
from shared.act.storage_account import create_container, create_storage_account
from shared.act.trusted_access import create_binding
from shared.arm import api_versions
from shared.arm.answer import ArmAnswer
from shared.arm.client import ArmClient
from shared.arm.errors import ALREADY_THERE
from shared.domain.errors import AmbiguousEffectError, BlockedError, GuardError, InvalidProfileError, TransientError
from shared.domain.ids import Subject, subscription_of
from shared.domain.record import Action
from shared.domain.steps import (
    Accepted,
    CreateBackupInstance,
    CreateBackupPolicy,
    CreateContainer,
    CreateDiagnosticSetting,
    CreateResourceGroup,
    CreateStorageAccount,
    CreateTrustedAccessBinding,
    CreateVault,
    DeleteExtension,
    Done,
    Failed,
    GrantRole,
    InstallExtension,
    RegisterProvider,
    ResumeBackups,
    ResumeProtection,
    RevokeRole,
    StartBackup,
    Step,
    StepOutcome,
    UndeleteBackupInstance,
    UpdateExtension,
    UpdateVault,
    ValidateForBackup,
)
from shared.ports import AuditTrail, Clock

_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


class ArmActor:
    """`ports.AzureActor` over ARM. Without `tenant_id` the tenant is that of the cluster's subscription."""

    def __init__(self, arm: ArmClient, trail: AuditTrail, clock: Clock, *, tenant_id: str = "") -> None:
        self._arm, self._trail, self._clock = arm, trail, clock
        self._tenant_id = tenant_id
        self._tenants: dict[str, str] = {}

    async def apply(self, subject: Subject, step: Step) -> StepOutcome:
        """A trail that cannot be written before the call stops the step; one that cannot be written after it raises,
        as a crash at that line would: the intent is there, and the next pass finds out."""
        try:
            call = await self._call(step)
            await self._note(subject, step, call, "Started")
        except GuardError as error:
            return Failed(error.as_step_error())
        try:
            answer = await self._send(call)
            outcome = _outcome(call, answer)
        except GuardError as error:
            if isinstance(step, GrantRole) and error.code.lower() == ALREADY_THERE:
                await self._note(subject, step, call, "Done", error.request_id, error.message)
                return Done()
            known = _as_fault_of(step, error)
            await self._note(subject, step, call, known.code, error.request_id, known.message)
            return Failed(known.as_step_error())
        await self._note(subject, step, call, type(outcome).__name__, answer.request_id)
        return outcome

    async def _call(self, step: Step) -> ArmCall:
        match step:
            case RegisterProvider():
                return register_provider(step)
            case CreateResourceGroup():
                return create_resource_group(step)
            case CreateStorageAccount():
                return create_storage_account(step, await self._tenant_of(subscription_of(step.arm_id)))
            case CreateVault():
                return create_vault(step)
            case UpdateVault():
                return update_vault(step)
            case CreateDiagnosticSetting():
                return create_diagnostic_setting(step)
            case CreateBackupPolicy():
                return create_policy(step)
            case GrantRole():
                return grant_role(step)
            case CreateContainer():
                return create_container(step)
            case InstallExtension():
                return install_extension(step, await self._tenant_of(subscription_of(step.cluster_id)))
            case UpdateExtension():
                return update_extension(step)
            case DeleteExtension():
                return delete_extension(step)
            case RevokeRole():
                return revoke_role(step)
            case CreateTrustedAccessBinding():
                return create_binding(step)
            case ValidateForBackup():
                return validate_for_backup(step)
            case CreateBackupInstance():
                return create_instance(step)
            case UndeleteBackupInstance():
                return undelete_instance(step)
            case ResumeBackups():
                return resume_backups(step)
            case ResumeProtection():
                return resume_protection(step)
            case StartBackup():
                return start_backup(step)
            case _:
                assert_never(step)

    async def _send(self, call: ArmCall) -> ArmAnswer:
        match call.method:
            case "PUT":
                return await self._arm.put(call.path, call.api_version, call.body or {})
            case "PATCH":
                return await self._arm.patch(call.path, call.api_version, call.body or {})
            case "DELETE":
                return await self._arm.delete(call.path, call.api_version)
            case "POST":
                return await self._arm.post(call.path, call.api_version, call.body, once=call.once)
            case _:
                assert_never(call.method)

    async def _tenant_of(self, subscription_id: str) -> str:
        if self._tenant_id:
            return self._tenant_id
        if subscription_id not in self._tenants:
            found = await self._arm.get(f"/subscriptions/{subscription_id}", api_versions.SUBSCRIPTIONS)
            tenant_id = (found or {}).get("tenantId")
            if not isinstance(tenant_id, str) or not tenant_id:
                raise TransientError(
                    "NoTenant", f"Azure does not say which tenant owns subscription {subscription_id}."
                )
            self._tenants[subscription_id] = tenant_id
        return self._tenants[subscription_id]

    async def _note(
        self, subject: Subject, step: Step, call: ArmCall, outcome: str, request_id: str = "", detail: str = ""
    ) -> None:
        line = Action(
            at=self._clock.now(),
            subject=subject.key,
            step=step.key,
            target=call.path,
            outcome=outcome[:100],
            request_id=_NOT_ASCII.sub("?", request_id)[:100],
            detail=_NOT_ASCII.sub("?", detail)[:1000],
        )
        await self._trail.append([line])


def _outcome(call: ArmCall, answer: ArmAnswer) -> StepOutcome:
    """What a success means. Raises GuardError when an operation was begun and Azure does not say where it stands."""
    if call.effect == "done":
        return Done()
    if call.effect == "accepted":
        return Accepted()
    if answer.operation_url:
        return Accepted(answer.operation_url)
    if answer.status == 200:
        return Done()
    said = f"Azure answered {answer.status} without saying where the operation stands."
    raise AmbiguousEffectError("NoStatusUrl", said) if call.once else TransientError("NoStatusUrl", said)


def _as_fault_of(step: Step, error: GuardError) -> GuardError:
    """Azure's catch-all for bad input, at the start of a backup, is about the rule's name and not about the profile."""
    if isinstance(step, StartBackup) and isinstance(error, InvalidProfileError):
        return BlockedError(
            error.code,
            error.message,
            recommended_action=f"See that the instance's policy still has a backup rule named {step.rule_name}.",
        )
    return error
