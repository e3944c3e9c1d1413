"""The app registration at Microsoft Entra ID that guards the HTTP side (Microsoft Graph v1.0, resource application)."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.hooks.azure_cli import CommandError, StepError, rest

_GRAPH = "https://graph.microsoft.com/v1.0"
_ROLES = Path(__file__).with_name("app-roles.json")
_WEBHOOK_ROLE = "ActionGroupsSecureWebhook"
_AZURE_MONITOR = "461e8683-5575-4561-ac7f-899cc907d62a"
"""Client id of Azure Monitor's own application, "AzNS AAD Webhook", the same in every tenant (documentation: secure
webhook of an action group)."""
_NOT_KNOWN_YET = frozenset({"Request_ResourceNotFound", "NoBackingApplicationObject"})
"""Microsoft Graph says so of what was made a moment ago."""
_ATTEMPTS, _BETWEEN = 7, 10.0
"""`_BETWEEN` in seconds."""


@dataclass(frozen=True, slots=True)
class AppRegistration:
    client_id: str
    object_id: str


def register_app(name: str, say: Callable[[str], None]) -> AppRegistration:
    """Makes the registration. Whoever makes it owns it, which Azure asks of the one who makes the action group. Raises
    StepError, also where there is one of that name: names are no secret, and the owner of a registration lets in whom
    he likes, so a person says whether it is the right one."""
    there = _first("applications", f"displayName eq '{name}'")
    if there is not None:
        raise StepError(
            f"there is an app registration {name!r} already, which this azd environment did not make. If you know its "
            "owners, who decide who gets in, take it:",
            f"azd env set AUTH_CLIENT_ID {there['appId']}\nazd env set AUTH_APP_OBJECT_ID {there['id']}",
        )
    wanted = {
        "displayName": name,
        "signInAudience": "AzureADMyOrg",
        "appRoles": _roles(),
        "api": {"requestedAccessTokenVersion": 2},
        "web": {"implicitGrantSettings": {"enableIdTokenIssuance": True}},
    }
    made = rest("POST", f"{_GRAPH}/applications", wanted)
    say(f"made the app registration {name}")
    return AppRegistration(str(made["appId"]), str(made["id"]))


def complete_app(
    client_id: str, name: str, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Gives the registration of that name what it lacks: its URI, app roles, its enterprise application. One that is
    called otherwise is somebody's own and left alone. Raises StepError. `sleep` is how it waits until all of Graph
    knows what was made."""
    application = _patiently_found(client_id, sleep)
    if application is None or application.get("displayName") != name:
        return
    there, uris = application["appRoles"], application.get("identifierUris", [])
    missing = [role for role in _roles() if role["value"] not in {each["value"] for each in there}]
    uri = f"api://{client_id}"
    if missing or uri not in uris:
        body = {"identifierUris": [*{*uris, uri}], "appRoles": [*there, *missing]}
        _patiently(sleep, "PATCH", f"applications/{application['id']}", body)
        say(f"the app registration has the app roles {', '.join(sorted(role['value'] for role in body['appRoles']))}")
    _service_principal(client_id, sleep)


def allow_azure_monitor(
    client_id: str, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Azure Monitor gets the role that the app asks of its webhook's callers. Raises StepError."""
    application = _first("applications", f"appId eq '{client_id}'")
    roles = {} if application is None else {role["value"]: role["id"] for role in application["appRoles"]}
    if _WEBHOOK_ROLE not in roles:
        raise StepError(
            f"the app registration {client_id} has no app role {_WEBHOOK_ROLE} (infra/hooks/app-roles.json)"
        )
    own, azure_monitor = _service_principal(client_id, sleep), _service_principal(_AZURE_MONITOR, sleep)
    grant = {"principalId": azure_monitor, "resourceId": own, "appRoleId": roles[_WEBHOOK_ROLE]}
    given = rest("GET", f"{_GRAPH}/servicePrincipals/{own}/appRoleAssignedTo")["value"]
    if not any(grant.items() <= each.items() for each in given):
        _patiently(sleep, "POST", f"servicePrincipals/{own}/appRoleAssignedTo", grant)
        say("Azure Monitor may call the app's webhook")


def ensure_redirect(object_id: str, app_url: str, say: Callable[[str], None]) -> None:
    """People who sign in come back to the app (documentation: App Service authentication, redirect URI). Raises
    StepError."""
    callback = f"{app_url.rstrip('/')}/.auth/login/aad/callback"
    web = rest("GET", f"{_GRAPH}/applications/{object_id}")["web"]
    known = web.get("redirectUris", [])
    if callback not in known:
        body = {"redirectUris": [*known, callback], "implicitGrantSettings": web["implicitGrantSettings"]}
        rest("PATCH", f"{_GRAPH}/applications/{object_id}", {"web": body})
        say(f"people sign in at {app_url}")


def _service_principal(client_id: str, sleep: Callable[[float], None]) -> str:
    found = _first("servicePrincipals", f"appId eq '{client_id}'")
    return str((found or _patiently(sleep, "POST", "servicePrincipals", {"appId": client_id}))["id"])


def _patiently(sleep: Callable[[float], None], method: str, path: str, body: Mapping[str, Any]) -> Any:
    for _ in range(_ATTEMPTS - 1):
        try:
            return rest(method, f"{_GRAPH}/{path}", body)
        except CommandError as failed:
            if failed.code not in _NOT_KNOWN_YET:
                raise
        sleep(_BETWEEN)
    return rest(method, f"{_GRAPH}/{path}", body)


def _first(kind: str, condition: str) -> dict[str, Any] | None:
    found = rest("GET", f"{_GRAPH}/{kind}?$filter={quote(condition)}")["value"]
    return found[0] if found else None


def _patiently_found(client_id: str, sleep: Callable[[float], None]) -> dict[str, Any] | None:
    for _ in range(_ATTEMPTS - 1):
        if (found := _first("applications", f"appId eq '{client_id}'")) is not None:
            return found
        sleep(_BETWEEN)
    return _first("applications", f"appId eq '{client_id}'")


def _roles() -> list[dict[str, Any]]:
    roles: list[dict[str, Any]] = json.loads(_ROLES.read_text(encoding="utf-8"))
    return roles
