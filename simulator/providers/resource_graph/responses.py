"""Resource Graph's answers and errors (both recorded), and its page tokens."""

import base64
import binascii
from datetime import datetime
from typing import Any
from uuid import UUID

from simulator.arm.errors import ArmError
from simulator.kql.errors import NotAnswerable, QueryError, QuerySemanticError, QuerySyntaxError
from simulator.kql.tables import Result

_INVALID = (
    "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before "
    "retrying."
)
# Kusto's types as the table format names them (SDK: ColumnDataType).
_TABLE_TYPES = {"string": "string", "long": "integer", "int": "integer", "real": "number", "bool": "boolean"}


def answer(
    result: Result, start: int, stop: int, *, skip_token: str | None, as_table: bool, truncated: bool
) -> dict[str, Any]:
    """200 with the rows from `start` to `stop`."""
    names, rows = [name for name, _ in result.columns], result.part(start, stop)
    data: Any = [dict(zip(names, row, strict=True)) for row in rows]
    if as_table:
        columns = [{"name": name, "type": _TABLE_TYPES.get(kind, "object")} for name, kind in result.columns]
        data = {"columns": columns, "rows": rows}
    body: dict[str, Any] = {
        "totalRecords": len(result.found),
        "count": len(rows),
        "data": data,
        "facets": [],
        "resultTruncated": "true" if truncated else "false",
    }
    return body if skip_token is None else {**body, "$skipToken": skip_token}


def bad_request(now: datetime, correlation_id: UUID, *details: dict[str, Any]) -> ArmError:
    message = (
        "Please provide below info when asking for support: timestamp = "
        f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}0Z, correlationId = {correlation_id}."
    )
    return ArmError(400, "BadRequest", message, details=details)


def invalid_query(now: datetime, correlation_id: UUID, code: str, message: str, **more: Any) -> ArmError:
    """400: InvalidQuery and why."""
    details = {"code": "InvalidQuery", "message": _INVALID}, {"code": code, "message": message, **more}
    return bad_request(now, correlation_id, *details)


def refusal(now: datetime, correlation_id: UUID, error: QueryError) -> ArmError:
    """What a query that is not answered gives."""
    if isinstance(error, QuerySyntaxError):
        where = {"line": error.line, "characterPositionInLine": error.column, "token": error.token}
        return invalid_query(now, correlation_id, "ParserFailure", "ParserFailure", **where, expectedToken="Ǐ")
    if isinstance(error, QuerySemanticError):
        return invalid_query(now, correlation_id, "SemanticError", error.message)  # the code is assumed
    assert isinstance(error, NotAnswerable)  # noqa: S101 - the only other kind
    return ArmError(501, "NotModelled", str(error))


def token(start: int, digest: str) -> str:
    """Where the next page begins, of which query."""
    return base64.b64encode(f"{digest}:{start}".encode()).decode()


def start_of(skip_token: str, digest: str) -> int | None:
    """Where a page begins; None when the token is not one of this query's."""
    try:
        whose, _, start = base64.b64decode(skip_token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return int(start) if whose == digest and start.isdecimal() else None
