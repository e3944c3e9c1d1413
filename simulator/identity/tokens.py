"""Access tokens: JSON Web Tokens of the right form and claims, but unsigned (`alg` none). Nothing here is a secret."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from simulator.arm.errors import ArmError
from simulator.arm.route import Principal

MANAGEMENT = "https://management.azure.com/"
LIFETIME_SECONDS = 86_400
"""A managed identity's token lives up to 24 hours (documented)."""


def issue(principal: Principal, audience: str, now: datetime, lifetime_seconds: int = LIFETIME_SECONDS) -> str:
    """A token for `audience` (a resource URI, as the caller spelled it)."""
    begins = int(now.timestamp())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{principal.tenant_id}/",
        "iat": begins,
        "nbf": begins,
        "exp": begins + lifetime_seconds,
        "appid": principal.application_id,
        "idtyp": "app",
        "oid": principal.object_id,
        "sub": principal.object_id,
        "tid": principal.tenant_id,
        "ver": "1.0",
    }
    return f"{_encode({'alg': 'none', 'typ': 'JWT'})}.{_encode(claims)}.unsigned"


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token. Raises ValueError when it has not the form of one."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("a token has three parts")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("the claims are not base64url") from error
    if not isinstance(claims, dict):
        raise ValueError("the claims are not an object")
    return claims


def object_id_for_management(authorization: str | None, base_url: str, now: datetime) -> str:
    """The object id of the caller of ARM. Raises ArmError 401 in ARM's words."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _refused("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    try:
        claims = claims_of(token.strip())
        expires, audience, object_id = int(claims["exp"]), str(claims["aud"]), str(claims["oid"])
    except (ValueError, KeyError, TypeError) as error:
        raise _refused("InvalidAuthenticationToken", "The access token is invalid.") from error
    if not _is_management(audience, base_url):
        raise _refused(
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for wrong audience or resource "
            f"'{audience}'. It should exactly match with one of the allowed audiences '{MANAGEMENT}'.",
        )
    if expires <= now.timestamp():
        raise _refused("ExpiredAuthenticationToken", f"The access token expiry UTC time is earlier than '{now}'.")
    return object_id


def _is_management(audience: str, base_url: str) -> bool:
    host = urlsplit(audience).hostname
    known = {"management.azure.com", "management.core.windows.net", urlsplit(base_url).hostname}
    return host is not None and host in known


def _refused(code: str, message: str) -> ArmError:
    challenge = (
        'Bearer authorization_uri="https://login.windows.net/common", '
        f'error="invalid_token", error_description="{message}"'
    )
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def _encode(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")
