"""The headers every answer of ARM carries."""

import math
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from simulator.clock import Clock
from simulator.http import Request, Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud

CORRELATION = "x-ms-correlation-request-id"


def correlation_id(cloud: "Cloud", request: Request) -> str:
    """The caller's own correlation id, or a new one."""
    return request.headers.get(CORRELATION) or str(cloud.new_uuid())


def retry_after(clock: Clock, seconds: float) -> str:
    """The value of Retry-After for a wait of Azure's seconds: whole seconds on the wall, at least one."""
    return str(max(1, math.ceil(clock.shorten(seconds))))


def with_standard_headers(cloud: "Cloud", request: Request, response: Response, correlation: str) -> Response:
    """The answer with ARM's headers; what the handler set stays as it is."""
    now = cloud.clock.now()
    headers = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "Date": format_datetime(now, usegmt=True),
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "x-ms-request-id": str(cloud.new_uuid()),
        CORRELATION: correlation,
        "x-ms-routing-request-id": f"WESTEUROPE:{_compact(now)}:{correlation}",
    }
    if response.body is not None:
        headers["Content-Type"] = "application/json; charset=utf-8"
    client_id = request.headers.get("x-ms-client-request-id")
    if client_id and request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        headers["x-ms-client-request-id"] = client_id
    given = {name.lower() for name in response.headers}
    kept = {name: value for name, value in headers.items() if name.lower() not in given}
    return Response(response.status, response.body, {**kept, **response.headers})


def _compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"
