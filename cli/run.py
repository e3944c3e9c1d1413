"""Running a command's coroutine: what the Guard cannot do is said in words, with exit code 2."""

import gc
from collections.abc import Coroutine
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from shared.domain.errors import GuardError

FINDINGS, COULD_NOT_TELL = 1, 2
"""Exit codes beside 0, which is clean."""
_INTERRUPTED = 130
_FEW_COLLECTIONS = 200_000
"""Objects until Python looks for cycles, which costs a tenth of everything else."""

_REMEDIES = {
    "NoToken": "Sign in: `az login`, in another tenant `az login --tenant TENANT`. Azure PowerShell, the Azure "
    "Developer CLI, a managed identity and AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET do too.",
    "InvalidAuthenticationTokenTenant": "Sign in to the tenant of the subscription: `az login --tenant TENANT`; or "
    "leave it out with --subscription.",
    "AuthorizationFailed": "You need the role Reader on the subscriptions or management groups you look at.",
    "InvalidAuthenticationToken": "Sign in again: `az login`.",
    "ExpiredAuthenticationToken": "Sign in again: `az login`.",
    "StorageUnavailable": "This command asks the deployed Guard's storage: AzureWebJobsStorage must name the "
    "account, and it must be reachable from here. `status`, `sweep`, `plan` and `cost` need none.",
    "NoAnswer": "See that this machine reaches Azure Resource Manager (proxy: HTTPS_PROXY; another cloud: "
    "AKS_BACKUP_GUARD_ARM_ENDPOINT).",
}
"""What the person at the terminal does, by code; the errors' own advice is for the deployed app."""


def collect_rarely() -> None:
    """For a process that makes many objects which stay, and ends soon: the modules it imports, and a fleet."""
    gc.set_threshold(_FEW_COLLECTIONS)


def run[T](command: Coroutine[object, object, T]) -> T:
    """Its answer. Raises typer.Exit with words on stderr for what is wrong with the sign-in, with Azure, the settings
    or guard.yaml; what nobody expected is raised as it is."""
    import asyncio

    from shared.domain.errors import GuardError, RecordConflict
    from shared.settings import InvalidSettingsError

    try:
        return asyncio.run(command)
    except GuardError as error:
        could_not_tell(in_words(error), error)
    except (InvalidSettingsError, RecordConflict) as error:
        could_not_tell(str(error), error)
    except KeyboardInterrupt:
        remark("Interrupted.")
        raise typer.Exit(_INTERRUPTED) from None


def remark(text: str) -> None:
    """Say it beside the data."""
    typer.echo(text, err=True)


def could_not_tell(text: str, cause: BaseException | None = None) -> NoReturn:
    """Say why, and end with exit code 2."""
    remark(text)
    raise typer.Exit(COULD_NOT_TELL) from cause


def in_words(error: "GuardError") -> str:
    """What went wrong, in at most a few lines, and what to do."""
    from shared.notify.foreign import clean

    what = clean(f"{error.code}: {error.message}", 600)
    remedy = _REMEDIES.get(error.code) or clean(error.recommended_action)
    asked = f"\n(Azure's request id: {clean(error.request_id)})" if error.request_id else ""
    if error.code == "NoToken":
        what = "You are not signed in to Azure, or not in a way that is known here."
    return "\n".join(filter(None, (what, remedy))) + asked
