"""Long-running operations as AKS shows them: a guid under the region, read as `operations` (a status) and as
`operationresults` (202 while it runs, then 204). Shapes, statuses and api-version are recorded."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.headers import retry_after
from simulator.arm.operations import Operation
from simulator.arm.route import Call, Route
from simulator.arm.signed_links import signature
from simulator.http import Response
from simulator.providers.container_service.api_versions import CLUSTERS
from simulator.providers.container_service.refusals import refused
from simulator.providers.container_service.throttles import OPERATION_STATUS, Throttles

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_API_VERSION = "2016-03-30"  # recorded: whatever version the write had
_LOCATION = "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}"
_STATUS = {"Inprogress": "InProgress"}


class AksOperations:
    """The operations of every cluster, by the guid in their URL."""

    def __init__(self, cloud: "Cloud", throttles: Throttles) -> None:
        self._cloud, self._throttles = cloud, throttles
        self._operations: dict[str, Operation] = {}

    def start(
        self, resource_id: str, location: str, seconds: float, finish: Callable[[], dict[str, Any] | None]
    ) -> str:
        """Begin an operation that ends after `seconds` of Azure's; answers its guid."""
        name = str(self._cloud.new_uuid())
        self._operations[name] = self._cloud.operations.start(resource_id, location, seconds, finish)
        return name

    def headers(self, base_url: str, name: str, poll_seconds: float, *, location: bool) -> dict[str, str]:
        """Where to ask. A PUT's answer has only Azure-AsyncOperation; DELETE and POST have Location too (recorded).
        `poll_seconds` is assumed: the recordings have Retry-After taken out."""
        operation = self._operations[name]
        subscription = operation.resource_id.split("/")[2]
        root = base_url + _LOCATION.format(subscription=subscription, location=operation.location)
        query = f"api-version={_API_VERSION}{signature(operation)}"
        headers = {
            "Azure-AsyncOperation": f"{root}/operations/{name}?{query}",
            "Retry-After": retry_after(self._cloud.clock, poll_seconds),
        }
        if location:
            headers["Location"] = f"{root}/operationresults/{name}?{query}"
        return headers

    def routes(self) -> list[Route]:
        versions = CLUSTERS | {_API_VERSION}
        asked = {"operations": self._status, "operationresults": self._result}
        return [
            Route("GET", f"{_LOCATION}/{kind}/{{operation}}", versions, self._throttles.under(OPERATION_STATUS, answer))
            for kind, answer in asked.items()
        ]

    def _status(self, call: Call) -> Response:
        operation = self._find(call)
        body: dict[str, Any] = {
            "name": call.params["operation"],
            "status": _STATUS.get(operation.status, operation.status),
            "startTime": timestamp(operation.started),
        }
        if operation.ended is not None:
            body["endTime"] = timestamp(operation.ended)
        if operation.error is not None:
            body["error"] = operation.error
        return Response(200, body)

    def _result(self, call: Call) -> Response:
        operation = self._find(call)
        if operation.status == "Inprogress":
            headers = self.headers(call.request.base_url, call.params["operation"], 15, location=True)
            return Response(202, None, {name: headers[name] for name in ("Location", "Retry-After")})
        if operation.error is not None:  # assumed: the failure's own code, as a bad request
            raise refused(400, str(operation.error.get("code")), str(operation.error.get("message")))
        return Response(204)

    def _find(self, call: Call) -> Operation:
        operation = self._operations.get(call.params["operation"].lower())
        if operation is None or operation.resource_id.split("/")[2].lower() != call.params["subscription"].lower():
            raise ArmError(404, "NotFound", "The operation was not found.")  # assumed
        return operation


def timestamp(moment: datetime) -> str:
    """A moment as AKS writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
