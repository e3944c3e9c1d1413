"""Who queries, whether they may, and how often."""

import math
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from simulator.arm.route import Principal
from simulator.http import Request
from simulator.identity.tokens import claims_of
from simulator.loganalytics.responses import failure

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_HOSTS = ("api.loganalytics.io", "api.loganalytics.azure.com")
QUERIES, WINDOW = 200, 30.0  # documented: requests a user, seconds


def caller(cloud: "Cloud", request: Request, correlation: UUID) -> Principal:
    """The principal of the token. Raises ArmError 401 without one, 403 for a wrong one (documented codes)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        message = "Authentication failed. The 'Authorization' header is missing."
        raise failure(401, "AuthenticationFailed", message, correlation)
    try:
        claims = claims_of(token.strip())
        audience, object_id, expires = str(claims["aud"]), str(claims["oid"]), float(claims["exp"])
    except (ValueError, KeyError, TypeError) as error:
        raise failure(403, "InvalidAuthenticationToken", "The access token is invalid.", correlation) from error
    if urlsplit(audience).hostname not in (*_HOSTS, urlsplit(request.base_url).hostname):
        message = f"The access token has been obtained from wrong audience or resource '{audience}'."
        raise failure(403, "InvalidAuthenticationTokenAudience", message, correlation)
    entry = cloud.identity.entry(object_id)
    if entry is None or expires <= cloud.clock.now().timestamp():
        raise failure(403, "InvalidAuthenticationToken", "The access token is invalid.", correlation)
    return entry.principal


def require(cloud: "Cloud", principal: Principal, action: str, scope: str, correlation: UUID) -> None:
    """Raises ArmError 403 InsufficientAccessError (public issues)."""
    if not cloud.authorization.allowed(principal.object_id, action, scope):
        message = "The provided credentials have insufficient access to perform the requested operation"
        raise failure(403, "InsufficientAccessError", message, correlation)


class Quota:
    """Queries of each principal in the window. Assumed: the window slides."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._asked: dict[str, deque[datetime]] = {}

    def spend(self, principal: Principal, correlation: UUID) -> None:
        """Raises ArmError 429 with Retry-After."""
        clock = self._cloud.clock
        now, window = clock.now(), timedelta(seconds=clock.shorten(WINDOW))
        asked = self._asked.setdefault(principal.object_id, deque())
        while asked and asked[0] <= now - window:
            asked.popleft()
        if len(asked) >= QUERIES:
            error = failure(429, "ThrottledError", "Too many queries: please try again later.", correlation)
            error.headers["Retry-After"] = str(max(1, math.ceil((asked[0] + window - now).total_seconds())))
            raise error
        asked.append(now)
