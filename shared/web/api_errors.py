"""What a call that failed is answered: one shape, with what was wrong, where, and what to do. Never a stack trace."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.domain.errors import GuardError, RecordConflict
from shared.profiles import InvalidConfigurationError
from shared.report.view import InvalidViewError
from shared.settings import InvalidSettingsError
from shared.telemetry import count
from shared.telemetry.catalogue import HTTP_FAULTS
from shared.web.models import ErrorBody, ErrorDetail, ErrorResponse

log = logging.getLogger(__name__)

_HTTP = {
    400: ("InvalidRequest", "The body cannot be read: send JSON as /api/v1/openapi.json describes it."),
    404: ("NotFound", "There is nothing at this address; /api/v1/openapi.json lists what there is."),
    405: ("MethodNotAllowed", "This address does not take that method; /api/v1/openapi.json lists what it takes."),
}
_WHY = {
    400: "The request is not as it must be: `InvalidRequest`, `MalformedAlert`.",
    401: "Nobody is signed in: `NotSignedIn`, `MalformedPrincipal`.",
    403: "The caller lacks the app role (`RoleMissing`), or another site sent the call (`OtherOrigin`).",
    404: "There is no such thing: `NoSweepYet`, `NoSuchCluster`, `NoSuchAlert`.",
    409: "Somebody else wrote at the same moment: `Conflict`.",
    415: "The body is not JSON: `JsonRequired`.",
    500: "A fault of the Guard: `InternalError`.",
    503: "Storage or configuration fails: `StorageUnavailable`, `NotConfigured`, `AuthenticationNotConfigured`.",
}
_EVERYWHERE = (401, 403, 500, 503)
_PLACES = {"query": "query parameter", "path": "path parameter", "body": "body", "header": "header"}


class ApiError(Exception):
    """An answer other than the one that was asked for. `details` are pairs of where and what."""

    def __init__(self, status: int, code: str, message: str, details: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation may answer beside what is asked for, in OpenAPI's words."""
    return {status: {"model": ErrorResponse, "description": _WHY[status]} for status in (*statuses, *_EVERYWHERE)}


def answer(error: ApiError) -> JSONResponse:
    details = tuple(ErrorDetail(where=where, message=message) for where, message in error.details)
    body = ErrorResponse(error=ErrorBody(code=error.code, message=error.message, details=details))
    return JSONResponse(body.model_dump(), error.status)


def unexpected(error: Exception, path: str) -> JSONResponse:
    """For a fault of the Guard: it is logged, and the caller learns no more than that."""
    log.error("a call of %s failed", path, exc_info=error)
    count(HTTP_FAULTS)
    return answer(ApiError(500, "InternalError", "The Guard failed at this; its log says why. Try again later."))


def answer_errors_of(app: FastAPI) -> None:
    """Every error that is known gets its answer; the rest is `unexpected`."""

    @app.exception_handler(ApiError)
    async def refused(_: Request, error: ApiError) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        message = "The request is not as it must be; `details` says where."
        return answer(ApiError(400, "InvalidRequest", message, [_detail(one) for one in error.errors()]))

    @app.exception_handler(InvalidViewError)
    async def no_such_view(_: Request, error: InvalidViewError) -> JSONResponse:
        where = f"query parameter {error.field}"
        message = "The request is not as it must be; `details` says where."
        return answer(ApiError(400, "InvalidRequest", message, [(where, str(error))]))

    @app.exception_handler(HTTPException)
    async def not_served(_: Request, error: HTTPException) -> JSONResponse:
        code, message = _HTTP.get(error.status_code, ("HttpError", str(error.detail)))
        return answer(ApiError(error.status_code, code, message))

    @app.exception_handler(RecordConflict)
    async def raced(_: Request, error: RecordConflict) -> JSONResponse:
        log.warning("a call lost a race: %s", error)
        return answer(ApiError(409, "Conflict", "Somebody else wrote at the same moment; send it again."))

    @app.exception_handler(GuardError)
    async def unavailable(_: Request, error: GuardError) -> JSONResponse:
        log.warning("a call could not be answered: %s", error)
        message = "What the Guard knows could not be read or written just now; try again in a minute."
        return answer(ApiError(503, "StorageUnavailable", message, [("storage", error.code)]))

    @app.exception_handler(InvalidSettingsError)
    @app.exception_handler(InvalidConfigurationError)
    async def not_configured(_: Request, error: Exception) -> JSONResponse:
        log.error("not configured: %s", error)
        message = "The app settings or guard.yaml are wrong; /api/v1/health says what is to be corrected."
        return answer(ApiError(503, "NotConfigured", message))


def _detail(error: dict[str, Any]) -> tuple[str, str]:
    """Of one of FastAPI's validation errors. What was given is not repeated: it may be long, or hostile."""
    first, *rest = [str(part) for part in error["loc"]]
    where = _PLACES.get(first, first)
    if error["type"] == "json_invalid":
        return where, "it is not JSON"
    return " ".join([where, ".".join(rest)]).strip(), str(error["msg"])
