"""The log of what was asked: what tests count."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.http import Request


@dataclass(slots=True)
class LoggedCall:
    """`status` is None while the call runs and when the caller was cut off before anything happened; for a lost
    answer it is the status that was lost. `principal` is the caller's object id, None when it is not known."""

    time: datetime
    method: str
    path: str
    api_version: str | None
    status: int | None = None
    principal: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "time": self.time.isoformat(),
            "method": self.method,
            "path": self.path,
            "api_version": self.api_version,
            "status": self.status,
            "principal": self.principal,
        }


class Calls:
    """Every call in the order it came, until it is emptied. Control calls are not among them."""

    def __init__(self) -> None:
        self._calls: list[LoggedCall] = []

    def log(self, request: Request, time: datetime) -> LoggedCall:
        call = LoggedCall(time, request.method, request.path, request.query.get("api-version"))
        self._calls.append(call)
        return call

    def all(self) -> list[LoggedCall]:
        return list(self._calls)

    def clear(self) -> None:
        self._calls.clear()
