"""Answers and errors of the query API ("Azure Monitor Log Analytics API", response format and errors)."""

import json
from typing import Any
from uuid import UUID

from simulator.arm.errors import ArmError
from simulator.kql.errors import NotAnswerable, QueryError, QuerySemanticError, QuerySyntaxError
from simulator.kql.tables import Result

MOST_ROWS = 500_000  # documented


def answer(result: Result, correlation_id: UUID, *, statistics: bool, render: bool) -> dict[str, Any]:
    """200. More rows than the limit are cut, and the answer says so as a PartialError."""
    kinds = [kind for _, kind in result.columns]
    rows = [[_value(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in result.part(0, MOST_ROWS)]
    columns = [{"name": name, "type": kind} for name, kind in result.columns]
    body: dict[str, Any] = {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}
    if statistics:
        body["statistics"] = {"query": {"executionTime": 0.0, "datasetStatistics": [{"table_row_count": len(rows)}]}}
    if render:
        body["render"] = {}
    if len(result.found) > MOST_ROWS:
        message = f"The results of this query exceed the set limit of {MOST_ROWS} records, so not all were returned."
        details = [{"code": "EngineError", "message": message}]
        body["error"] = {
            "code": "PartialError",
            "message": "There were some errors when processing your query.",
            "details": details,
            "correlationId": str(correlation_id),
        }
    return body


def _value(kind: str, value: Any) -> Any:
    """Dynamic values come as text (documented of the SDK), moments without idle decimals."""
    if value is None:
        return None
    if kind == "dynamic":
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    if kind == "datetime":
        return f"{str(value)[:-1].rstrip('0').rstrip('.')}Z"
    return value


def failure(status: int, code: str, message: str, correlation_id: UUID, **more: Any) -> ArmError:
    """An error in this service's envelope."""
    body = {"error": {"message": message, "code": code, "correlationId": str(correlation_id), **more}}
    return ArmError(status, code, message, body=body)


def refusal(error: QueryError, correlation_id: UUID) -> ArmError:
    """What a query that is not answered gives."""
    if isinstance(error, NotAnswerable):
        return failure(501, "NotModelled", str(error), correlation_id)
    inner: dict[str, Any]
    if isinstance(error, QuerySyntaxError):
        detail = {
            "code": "SYN0002",
            "message": f"Query could not be parsed at '{error.token}' on line [{error.line},{error.column}]",
            "line": error.line,
            "pos": error.column,
            "token": error.token,
        }
        inner = {"code": "SyntaxError", "message": "A syntax error occurred.", "innererror": detail}
    else:
        assert isinstance(error, QuerySemanticError)  # noqa: S101 - the only other kind
        # public issues show SEM0100 and these words for a table that does not exist
        detail = {"code": "SEM0100", "message": error.message}
        inner = {"code": "SemanticError", "message": "A semantic error occurred.", "innererror": detail}
    message = "The request had some invalid properties"
    return failure(400, "BadArgumentError", message, correlation_id, innererror=inner)
