"""JSON shapes this provider's resources share: errors, long-running operations, pages, moments."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from simulator.arm.errors import ArmError
from simulator.arm.headers import retry_after
from simulator.arm.operations import Operation
from simulator.arm.paging import page as arm_page
from simulator.arm.route import Call
from simulator.arm.signed_links import signature
from simulator.http import Response
from simulator.providers.data_protection.models import UserError

NEVER = "0001-01-01T00:00:00Z"  # recorded: what stands where a moment is not known yet
PAGE_SIZE = 100  # assumed


def moment(when: datetime) -> str:
    """A moment with the seven decimals of recorded answers."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def iso_duration(span: timedelta) -> str:
    """A duration as recorded: `PT3M4.5029547S`; nothing is `PT0S`."""
    if not span:
        return "PT0S"
    minutes, seconds = divmod(span.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{seconds:.6f}0"
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + f"{text}S"


def user_facing(error: UserError, activity_id: str) -> dict[str, Any]:
    """The UserFacingError object, as recorded inside `additionalInfo`. The two flags were false even for plain
    user errors."""
    return {
        "message": error.message,
        "recommendedAction": list(error.recommended_action),
        "details": None,
        "code": error.code,
        "target": "",
        "innerError": None,
        "isRetryable": False,
        "isUserError": False,
        "properties": {"ActivityId": activity_id},
    }


def error_object(error: UserError, activity_id: str) -> dict[str, Any]:
    """The value of `error` in the recorded envelope; also what a failed operation carries."""
    return {
        "code": error.code,
        "message": error.message,
        "target": None,
        "details": None,
        "additionalInfo": [{"type": "UserFacingError", "info": user_facing(error, activity_id)}],
    }


def refusal(call: Call, status: int, error: UserError) -> ArmError:
    """An error answer in this provider's envelope."""
    body = {"error": error_object(error, str(call.cloud.new_uuid()))}
    return ArmError(status, error.code, error.message, body=body)


def invalid_input(call: Call, why: str) -> ArmError:
    """The catch-all of this provider (400 BMSUserErrorInvalidInput). The real text says only that the input is
    incorrect; `why` follows it here, for whoever debugs against the simulator."""
    return refusal(
        call,
        400,
        UserError(
            "BMSUserErrorInvalidInput",
            f"The user's input for the operation is incorrect. {why}",
            ("Check the input and try again.",),
        ),
    )


def not_found(call: Call, what: str) -> ArmError:
    """404 UserErrorGenericResourceNotFound: the recorded code for anything missing below or at a vault."""
    return refusal(call, 404, UserError("UserErrorGenericResourceNotFound", f"The resource {what} was not found."))


def page(call: Call, items: Sequence[Any], body: Callable[[Any], dict[str, Any]]) -> Response:
    """One page of a list; `nextLink` only when there is more (recorded: absent otherwise)."""
    return arm_page(call, items, PAGE_SIZE, body)


def accepted(
    call: Call, operation: Operation, *, location: bool = True, in_vault: bool = True, seconds: int = 10
) -> dict[str, str]:
    """The headers that say where to follow an operation. A vault's deletion is followed at the location below its
    resource group, all else below the vault; the Location header is absent on PUT (all recorded). Retry-After is
    `seconds`: 60 and 10 stand in the published examples, the live value was cut from the recordings."""
    group = "/".join(operation.resource_id.split("/")[:5])
    below_group = f"{group}/providers/Microsoft.DataProtection/locations/{operation.location}"
    parent = vault_path(operation.resource_id) if in_vault else below_group
    headers = {
        "Azure-AsyncOperation": signed(call, f"{parent}/operationStatus/{operation.id}", operation),
        "Retry-After": retry_after(call.cloud.clock, seconds),
    }
    if location:
        headers["Location"] = signed(
            call, f"{_location_path(call, operation)}/operationResults/{operation.id}", operation
        )
    return headers


def vault_path(resource_id: str) -> str:
    return "/".join(resource_id.split("/")[:9])


def _location_path(call: Call, operation: Operation) -> str:
    subscription = operation.resource_id.split("/")[2]
    return f"/subscriptions/{subscription}/providers/Microsoft.DataProtection/locations/{operation.location}"


def signed(call: Call, path: str, operation: Operation) -> str:
    """A link to an operation, as ARM signs it."""
    return f"{call.request.base_url}{path}?api-version={call.api_version}{signature(operation)}"


def operation_status(operation: Operation, path: str) -> dict[str, Any]:
    """The status of an operation as recorded: `Inprogress` spelled so, year 1 while it runs, whole seconds at the end;
    `properties` only where the operation made a job."""
    body: dict[str, Any] = {
        "id": path,
        "name": operation.id,
        "status": operation.status,
        "startTime": moment(operation.started),
        "endTime": NEVER if operation.ended is None else operation.ended.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if operation.error is not None:
        body["error"] = operation.error
    if operation.properties:
        body["properties"] = operation.properties
    return body


def operation_result(call: Call, operation: Operation) -> Response:
    """What the Location header leads to: 202 while it runs (assumed), then the recorded result with a link to the
    status; an operation that failed answers its error (assumed: with 400)."""
    status = f"{_location_path(call, operation)}/operationStatus/{operation.id}"
    headers = {"Azure-AsyncOperation": signed(call, status, operation)}
    if operation.ended is None:
        return Response(202, None, accepted(call, operation))
    if operation.error is not None:
        return Response(400, {"error": operation.error}, headers)
    return Response(200, operation.properties or {"objectType": "OperationJobExtendedInfo"}, headers)
