"""The query API beside ARM (`/loganalytics/v1/…`), and the workspaces behind it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import UUID

from simulator.arm.errors import ArmError
from simulator.arm.route import Principal, Route
from simulator.http import Request, Response
from simulator.kql.errors import QueryError
from simulator.kql.tables import View
from simulator.loganalytics.callers import Quota, caller, require
from simulator.loganalytics.ingestion import Ingestion, store_of
from simulator.loganalytics.responses import answer, failure, refusal
from simulator.loganalytics.tables import TABLES
from simulator.loganalytics.timespans import window
from simulator.loganalytics.workspaces import Workspace, Workspaces

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_ROOT = "/loganalytics/v1/"
_QUERY = "Microsoft.OperationalInsights/workspaces/query/read"
_LOGS = "Microsoft.Insights/logs/read"


class LogAnalytics:
    """Microsoft.OperationalInsights and the query API."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.workspaces = Workspaces(cloud)
        self._ingestion = Ingestion(cloud)
        self._quota = Quota(cloud)

    def routes(self) -> list[Route]:
        return self.workspaces.routes()

    def workspace(self, resource_id: str) -> Workspace | None:
        return self.workspaces.by_id(resource_id)

    def drop_group(self, subscription_id: str, group: str) -> None:
        """The workspaces of a deleted resource group go, with what is in them."""
        self.workspaces.drop_group(subscription_id, group)

    def respond(self, request: Request) -> Response | None:
        """Answer a request under `/loganalytics/`; None for any other path."""
        path = request.path.rstrip("/")
        if not path.lower().startswith("/loganalytics"):
            return None
        correlation = self._cloud.new_uuid()
        try:
            principal = caller(self._cloud, request, correlation)
            asked = path[len(_ROOT) :] if path.lower().startswith(_ROOT) else ""
            if asked.lower() == "$batch" and request.method == "POST":
                return Response(200, self._batch(principal, _object(request.body, correlation), correlation))
            if not asked.lower().endswith("/query") or request.method not in ("GET", "POST"):
                raise failure(404, "PathNotFoundError", "The requested path does not exist", correlation)
            body = _object(request.body, correlation) if request.method == "POST" else request.query
            about = unquote(asked[: -len("/query")])
            return Response(200, self._query(principal, about, body, request.headers.get("prefer", ""), correlation))
        except ArmError as error:
            return error.response()

    def _batch(self, principal: Principal, body: Mapping[str, Any], correlation: UUID) -> dict[str, Any]:
        """Every query answered by itself, refusals too."""
        responses, requests = [], body.get("requests")
        if not isinstance(requests, list) or not all(map(_is_batched, requests)):
            raise _bad_request("requests must be a list of {id, workspace, body}", correlation)
        for each in requests:
            prefer = str((each.get("headers") or {}).get("Prefer") or "")
            try:
                found = self._query(principal, f"workspaces/{each['workspace']}", each["body"], prefer, correlation)
                responses.append({"id": each["id"], "status": 200, "headers": {}, "body": found})
            except ArmError as error:
                responses.append({"id": each["id"], "status": error.status, "headers": {}, "body": error.body})
        return {"responses": responses}

    def _query(
        self, principal: Principal, about: str, body: Mapping[str, Any], prefer: str, correlation: UUID
    ) -> dict[str, Any]:
        """`about` is `workspaces/{id}` or an ARM id. Raises ArmError."""
        self._quota.spend(principal, correlation)
        text, timespan = body.get("query"), body.get("timespan")
        if not isinstance(text, str) or not text.strip():
            raise _bad_request("The query is missing", correlation)
        now = self._cloud.clock.now()
        try:
            limits = window(str(timespan), now) if timespan else None
        except ValueError as error:
            raise _bad_request(f"The timespan is not valid: {error}", correlation) from error
        views = self._views(principal, about, body, correlation, limits, now)
        try:
            result = self._cloud.kql.query(text, views, now.replace(tzinfo=None))
        except QueryError as error:
            raise refusal(error, correlation) from error
        return answer(
            result,
            correlation,
            statistics="include-statistics=true" in prefer,
            render="include-render=true" in prefer,
        )

    def _views(
        self,
        principal: Principal,
        about: str,
        body: Mapping[str, Any],
        correlation: UUID,
        limits: tuple[datetime, datetime] | None,
        now: datetime,
    ) -> list[View]:
        """The tables that exist where the query looks."""
        self._ingestion.arrive(TABLES)
        kind, _, name = about.partition("/")
        if kind.lower() == "workspaces":
            names = [name, *_listed(body.get("workspaces"))]
            places = {self._readable(principal, each, correlation).customer_id for each in names}
            scope = None
        else:
            scope = f"/{about.strip('/')}".lower()
            require(self._cloud, principal, _LOGS, scope, correlation)
            places = {each.customer_id for each in self.workspaces.all()}
        where = [] if limits is None else [f"TimeGenerated BETWEEN {_sql(limits[0])} AND {_sql(limits[1])}"]
        kept = {each.customer_id: now - timedelta(days=each.retention_days) for each in self.workspaces.all()}
        if scope is not None:
            where.append(f"(_ResourceId = {_quoted(scope)} OR starts_with(_ResourceId, {_quoted(scope + '/')}))")
        return [
            View(table, store_of(table.name), " AND ".join([*where, _among({each: kept[each] for each in present})]))
            for table in TABLES.values()
            if (present := places & kept.keys() & self._ingestion.workspaces_with(table.name))
        ]

    def _readable(self, principal: Principal, name: str, correlation: UUID) -> Workspace:
        found = self.workspaces.named(name)
        if found is None:  # assumed
            raise failure(404, "WorkspaceNotFoundError", f"The workspace '{name}' could not be found", correlation)
        require(self._cloud, principal, _QUERY, found.id, correlation)
        return found


def _is_batched(request: Any) -> bool:
    return (
        isinstance(request, dict)
        and {"id", "workspace", "body"} <= request.keys()
        and isinstance(request["body"], dict)
        and isinstance(request.get("headers") or {}, dict)
    )


def _object(content: bytes, correlation: UUID) -> Mapping[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise _bad_request("The request body is not JSON", correlation) from error
    if not isinstance(value, dict):
        raise _bad_request("The request body is not an object", correlation)
    return value


def _bad_request(message: str, correlation: UUID) -> ArmError:
    inner = {"code": "QueryValidationError", "message": message}  # assumed
    return failure(400, "BadArgumentError", "The request had some invalid properties", correlation, innererror=inner)


def _listed(value: Any) -> list[str]:
    """`workspaces`: a list in a POST, separated by commas in a GET."""
    if isinstance(value, str):
        return [each.strip() for each in value.split(",") if each.strip()]
    return [str(each) for each in value or ()]


def _among(workspaces: Mapping[str, datetime]) -> str:
    """The rows of these workspaces, each within its retention."""
    parts = [
        f"starts_with(_key, {_quoted(workspace + '|')}) AND TimeGenerated >= {_sql(since)}"
        for workspace, since in sorted(workspaces.items())
    ]
    return "(" + " OR ".join(parts) + ")"


def _sql(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
