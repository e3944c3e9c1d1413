"""Faults that were asked for: which call they meet, and what happens to it then."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from simulator.http import Request


@dataclass(slots=True)
class Fault:
    """What matches counts up from 1; the fault strikes from the `nth` match on, `times` times (None: until deleted).
    `lose_answer` lets the call happen and drops the answer; `reset` drops the connection before anything happens."""

    id: str
    method: str | None = None
    path: re.Pattern[str] | None = None
    nth: int = 1
    times: int | None = None
    status: int | None = None
    code: str | None = None
    retry_after: int | None = None
    latency_seconds: float = 0
    reset: bool = False
    lose_answer: bool = False
    seen: int = 0

    def strikes(self, request: Request) -> bool:
        """Whether this call is hit; counts the call when it matches."""
        if self.method is not None and self.method != request.method:
            return False
        if self.path is not None and not self.path.search(request.path):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)

    def error_body(self) -> dict[str, object]:
        """ARM's envelope for the status that was asked for; without a code, the status's own name is the code."""
        named = {each.value: each.phrase.title().replace(" ", "") for each in HTTPStatus}
        code = self.code or named.get(self.status or 0, "InjectedFault")
        return {"error": {"code": code, "message": "This answer was asked for by a fault."}}


class Faults:
    """The faults that are set. One call meets at most one of them, the oldest; all that match count it."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def add(self, fault: Fault) -> None:
        self._faults[fault.id] = fault

    def remove(self, fault_id: str) -> bool:
        return self._faults.pop(fault_id, None) is not None

    def striking(self, request: Request) -> Fault | None:
        struck = [fault for fault in self._faults.values() if fault.strikes(request)]
        return struck[0] if struck else None
