"""Long-running operations: started by a call, finished by the clock, read at a URL each provider shapes itself."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from simulator.clock import Clock


class OperationFailed(Exception):  # noqa: N818 - an outcome the operation reports, not a fault of the simulator
    """Raised by `finish`: the operation ends Failed with this error body ({"code", "message", ...})."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.error = error


@dataclass(slots=True)
class Operation:
    """`status` is Inprogress, Succeeded or Failed; providers spell it their own way in the answer."""

    id: str
    resource_id: str
    location: str
    started: datetime
    status: str = "Inprogress"
    ended: datetime | None = None
    error: dict[str, Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)


class Operations:
    """Every operation of the cloud, by id."""

    def __init__(self, clock: Clock, new_uuid: Callable[[], UUID]) -> None:
        self._clock, self._new_uuid = clock, new_uuid
        self._operations: dict[str, Operation] = {}
        self.on_ended: list[Callable[[str], None]] = []  # told the resource's id when one has changed it

    def start(
        self,
        resource_id: str,
        location: str,
        seconds: float,
        finish: Callable[[], dict[str, Any] | None] = lambda: None,
    ) -> Operation:
        """Begin an operation. After `seconds` (Azure's) `finish` changes the world and may return properties for the
        status answer; when it raises OperationFailed the operation ends Failed."""
        operation_id = base64.b64encode(f"{self._new_uuid()};{self._new_uuid()}".encode()).decode()
        operation = Operation(operation_id, resource_id, location, self._clock.now())
        self._operations[operation_id] = operation

        def end() -> None:
            try:
                operation.properties = finish() or {}
                operation.status = "Succeeded"
            except OperationFailed as failure:
                operation.status, operation.error = "Failed", failure.error
            operation.ended = self._clock.now()
            for tell in self.on_ended:
                tell(resource_id)

        if seconds <= 0:
            end()
        else:
            self._clock.call_later(seconds, end)
        return operation

    def get(self, operation_id: str) -> Operation | None:
        return self._operations.get(operation_id)
