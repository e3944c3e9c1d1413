"""Who calls, and what they may. App Service authentication signs people and programs in with Microsoft Entra ID and
puts what it knows of them into a header, which nobody else can set
(https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities)."""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request

from shared.notify.foreign import clean
from shared.settings import Hosting
from shared.web.api_errors import ApiError

READER = "AksBackupGuard.Reader"
OPERATOR = "AksBackupGuard.Operator"
"""App roles of the app registration; whoever may operate may read."""
AZURE_MONITOR = "ActionGroupsSecureWebhook"
"""The app role of Azure Monitor's own application, by which its action groups sign in: the name is Azure's
(https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#secure-webhook)."""

PRINCIPAL = "x-ms-client-principal"
_ENTRA = "aad"
_ROLE_CLAIMS = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_NAME_CLAIMS = (
    "preferred_username",
    "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "name",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "azp",
    "appid",
)
_LONGEST_PRINCIPAL = 65_536
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is for people and the audit trail; what counts are the roles."""

    name: str
    roles: frozenset[str]

    @property
    def may_read(self) -> bool:
        return bool(self.roles & {READER, OPERATOR})

    @property
    def may_operate(self) -> bool:
        return OPERATOR in self.roles

    @property
    def is_azure_monitor(self) -> bool:
        return AZURE_MONITOR in self.roles


ON_THIS_MACHINE = Caller("somebody on this machine", frozenset({OPERATOR, AZURE_MONITOR}))


def caller_of(header: str | None, hosting: Hosting) -> Caller:
    """Who the header says it is; on a developer's machine nobody needs one. Raises ApiError."""
    if hosting.deployed and not hosting.authenticated:
        raise ApiError(
            503,
            "AuthenticationNotConfigured",
            "App Service authentication is off, so nobody can be told from anybody else and every call is refused. "
            "Turn it on with Microsoft Entra ID as its provider (docs/http-api.md).",
        )
    if header is None:
        if not hosting.deployed:
            return ON_THIS_MACHINE
        raise ApiError(401, "NotSignedIn", "Nobody is signed in. Sign in with Microsoft Entra ID, or send a token.")
    return _read_principal(header)


async def reader(request: Request) -> Caller:
    """A dependency: the caller, who may read. Raises ApiError."""
    caller = _caller(request)
    if not caller.may_read:
        raise _lacks(caller, READER)
    return caller


async def operator(request: Request) -> Caller:
    """A dependency: the caller, who may operate, and who was not sent here by another site. Raises ApiError."""
    caller = _caller(request)
    if not caller.may_operate:
        raise _lacks(caller, OPERATOR)
    _refuse_other_sites(request)
    return caller


async def azure_monitor(request: Request) -> Caller:
    """A dependency: Azure Monitor, whose role a person's does not stand for. Raises ApiError."""
    caller = _caller(request)
    if not caller.is_azure_monitor:
        raise _lacks(caller, AZURE_MONITOR)
    _refuse_other_sites(request)
    return caller


Reader = Annotated[Caller, Depends(reader)]
Operator = Annotated[Caller, Depends(operator)]
AzureMonitor = Annotated[Caller, Depends(azure_monitor)]


def _caller(request: Request) -> Caller:
    return caller_of(request.headers.get(PRINCIPAL), request.app.state.hosting)


def _lacks(caller: Caller, role: str) -> ApiError:
    given = f"has the roles {', '.join(sorted(caller.roles))}" if caller.roles else "has no app role"
    message = (
        f"{caller.name} {clean(given)}, and this needs {role}. Assign it in Microsoft Entra ID: Enterprise "
        "applications > the Guard's application > Users and groups."
    )
    return ApiError(403, "RoleMissing", message, [("role", role)])


def _read_principal(header: str) -> Caller:
    if len(header) > _LONGEST_PRINCIPAL:
        raise _malformed("it is too long")
    try:
        principal = json.loads(base64.b64decode(header, validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _malformed("it is not JSON in base64") from error
    claims = principal.get("claims") if isinstance(principal, dict) else None
    if not isinstance(claims, list) or not all(_is_claim(claim) for claim in claims):
        raise _malformed("it has no list of claims with `typ` and `val`")
    if principal.get("auth_typ") != _ENTRA:
        return Caller("Somebody who did not sign in with Microsoft Entra ID", frozenset())
    roles = _values(claims, (*_ROLE_CLAIMS, principal.get("role_typ")))
    names = _values(claims, (*_NAME_CLAIMS, principal.get("name_typ")))
    return Caller(clean(next(names, ""), 100) or "Somebody without a name", frozenset(roles))


def _is_claim(claim: Any) -> bool:
    return isinstance(claim, dict) and isinstance(claim.get("typ"), str) and isinstance(claim.get("val"), str)


def _values(claims: list[dict[str, str]], kinds: Iterable[str | None]) -> Any:
    """In the order of the kinds."""
    return (claim["val"] for kind in kinds for claim in claims if claim["typ"] == kind)


def _malformed(why: str) -> ApiError:
    return ApiError(
        401,
        "MalformedPrincipal",
        f"The header {PRINCIPAL} cannot be read: {why}. App Service sets it; a program that calls the Guard sends a "
        "bearer token instead.",
        [(f"header {PRINCIPAL}", why)],
    )


def _refuse_other_sites(request: Request) -> None:
    """A browser sends a signed-in person's cookie whoever makes it call; but another site can neither send JSON without
    being asked about it first, nor hide its origin."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(
            415,
            "JsonRequired",
            "Send the header Content-Type: application/json.",
            [("header content-type", "it is another" if kind else "missing")],
        )
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if origin is not None and _place(origin) not in (
        host.lower(),
        request.headers.get("x-forwarded-host", host).lower(),
    ):
        raise ApiError(403, "OtherOrigin", "Calls that change something are taken from the Guard's own pages only.")
    hosting: Hosting = request.app.state.hosting
    if not hosting.deployed and _name(host) not in _LOOPBACK:
        # A name of somebody's own that points at 127.0.0.1 makes his page one of the same origin.
        raise ApiError(403, "NotLoopback", "On this machine, call the Guard as localhost or 127.0.0.1.")


def _place(origin: str) -> str | None:
    """Host and port; None when it is no origin."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _name(host: str) -> str | None:
    """Without its port; None when it is no host."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
