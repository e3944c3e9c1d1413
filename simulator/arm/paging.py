"""Lists in pages, as ARM gives them: `value`, and `nextLink` with a `$skiptoken` while there is more."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from simulator.arm.errors import ArmError
from simulator.arm.route import Call
from simulator.http import Response


def page[T](call: Call, items: Sequence[T], size: int, shown: Callable[[T], Any] = lambda item: item) -> Response:
    """The page the caller asks for, of at most `size` items, each as `shown` has it. `nextLink` is left out of the last
    page."""
    start = _offset(call)
    body: dict[str, Any] = {"value": [shown(item) for item in items[start : start + size]]}
    if start + size < len(items):
        token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
        query = {**call.request.query, "$skiptoken": token}
        body["nextLink"] = f"{call.request.base_url}{quote(call.request.path)}?{urlencode(query, safe='$')}"
    return Response(200, body)


def _offset(call: Call) -> int:
    token = call.request.query.get("$skiptoken")
    if not token:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(token.encode())))
    except (ValueError, binascii.Error) as error:
        message = f"The provided $skiptoken '{token}' is invalid."
        raise ArmError(400, "InvalidSkipToken", message) from error
