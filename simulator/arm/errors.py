"""How ARM says no. A provider with an envelope of its own passes `body` (see its responses.py)."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.http import Response


class ArmError(Exception):
    """An error answer: HTTP status, ARM error code and message, as the caller will read them."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})
        error: dict[str, Any] = {"code": code, "message": message}
        if target is not None:
            error["target"] = target
        if details:
            error["details"] = list(details)
        self.body = {"error": error} if body is None else body

    def response(self) -> Response:
        return Response(self.status, self.body, self.headers)
