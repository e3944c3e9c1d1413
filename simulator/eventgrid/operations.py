"""Event Grid's long-running operations: they end when a handshake ends, not after a fixed time.

The shape is recorded: a 201 (or 202 for a delete) with Azure-AsyncOperation, upper-case ids in the URL, no Retry-After.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.route import Call
from simulator.http import Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud


@dataclass(slots=True)
class Operation:
    id: str
    status: str = "InProgress"
    error: dict[str, str] | None = None


class Operations:
    """Operations by id."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._operations: dict[str, Operation] = {}

    def start(self) -> Operation:
        operation = Operation(str(self._cloud.new_uuid()))
        self._operations[operation.id] = operation
        return operation

    def headers(self, call: Call, operation: Operation, location: str, *, deleting: bool = False) -> dict[str, str]:
        """Where to ask. Operations on global resources have no location in their URL (recorded)."""
        subscription_id = call.request.path.split("/")[2]
        root = f"{call.request.base_url}/subscriptions/{subscription_id}/providers/Microsoft.EventGrid"
        if location.lower() != "global":
            root += f"/locations/{location}"
        tail = f"{operation.id.upper()}?api-version={call.api_version}"
        headers = {"Azure-AsyncOperation": f"{root}/operationsStatus/{tail}"}
        if deleting:
            headers["Location"] = f"{root}/operationResults/{tail}"
        return headers

    def status(self, call: Call) -> Response:
        operation = self._found(call)
        url = f"{call.request.base_url}{call.request.path}?api-version={call.api_version}"
        body: dict[str, Any] = {"id": url, "name": operation.id, "status": operation.status}
        if operation.error is not None:
            body["error"] = operation.error
        return Response(200, body)

    def result(self, call: Call) -> Response:
        return Response(202 if self._found(call).status == "InProgress" else 200)

    def _found(self, call: Call) -> Operation:
        operation = self._operations.get(call.params["operation_id"].lower())
        if operation is None:
            raise ArmError(404, "NotFound", f"The operation '{call.params['operation_id']}' was not found.")
        return operation
