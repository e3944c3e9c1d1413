"""Before anything is made: is the person signed in where azd is, and is there an app registration for the HTTP side?"""

import subprocess
from collections.abc import Callable, Mapping

from infra.hooks.app_registration import allow_azure_monitor, complete_app, register_app
from infra.hooks.azure_cli import CommandError, StepError, az


def run(environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Raises StepError when nothing could be provisioned. A person who may not make app registrations goes on: the
    app's HTTP side then refuses everybody."""
    tenant = _signed_in(environment.get("AZURE_SUBSCRIPTION_ID", ""), say)
    name = f"AKS Backup Guard ({environment.get('AZURE_ENV_NAME', 'aks-backup-guard')})"
    client_id = environment.get("AUTH_CLIENT_ID", "")
    if client_id:
        say(f"the HTTP side is guarded by the app registration {client_id}")
    else:
        client_id = _registered(name, tenant, say)
    if client_id:
        _complete(client_id, name, say)


def set_value(name: str, value: str) -> None:
    """Keeps a value in the azd environment. Raises StepError."""
    try:
        ran = subprocess.run(["azd", "env", "set", name, value], capture_output=True, text=True, check=False)
    except OSError as failed:
        raise StepError(f"azd cannot be run: {failed}", f"azd env set {name} {value}") from failed
    if ran.returncode:
        raise StepError(f"azd env set {name}: {ran.stderr.strip()[:300]}", f"azd env set {name} {value}")


def _registered(name: str, tenant: str, say: Callable[[str], None]) -> str:
    try:
        registration = register_app(name, say)
    except StepError as failed:
        say(f"no app registration: {failed}")
        for line in failed.remedy.splitlines():
            say(f"  {line}")
        say(f"the HTTP side stays closed. Somebody who may register applications in tenant {tenant} can run:")
        say(f"  azd hooks run preprovision   (role Application Developer or higher; makes {name!r})")
        say("or names one that has the roles of infra/hooks/app-roles.json:")
        say("  azd env set AUTH_CLIENT_ID <client id>; azd env set AUTH_APP_OBJECT_ID <object id>; azd provision")
        return ""
    set_value("AUTH_CLIENT_ID", registration.client_id)
    set_value("AUTH_APP_OBJECT_ID", registration.object_id)
    return registration.client_id


def _complete(client_id: str, name: str, say: Callable[[str], None]) -> None:
    try:
        complete_app(client_id, name, say)
    except StepError as failed:
        say(f"the app registration is not complete yet: {failed}")
        say("  azd hooks run preprovision   (by one of its owners)")
    try:
        allow_azure_monitor(client_id, say)
    except StepError as failed:
        say(f"Azure Monitor may not call the app yet, so that it does not hear of Azure Backup's own alerts: {failed}")
        say("  azd hooks run preprovision   (by somebody with the role Cloud Application Administrator or higher)")


def _signed_in(subscription: str, say: Callable[[str], None]) -> str:
    try:
        account = az("account", "show", *(("--subscription", subscription) if subscription else ()))
    except CommandError as failed:
        raise StepError(
            f"the Azure CLI cannot see subscription {subscription or '(default)'}: {failed}", "az login"
        ) from failed
    default = az("account", "show")
    if default["tenantId"] != account["tenantId"]:  # whose Microsoft Graph and Resource Graph would be asked
        raise StepError(
            f"the Azure CLI is in tenant {default['tenantId']}, the subscription in {account['tenantId']}",
            f"az account set --subscription {subscription}",
        )
    say(f"signed in as {account['user']['name']} in subscription {account['name']} ({account['id']})")
    return str(account["tenantId"])
