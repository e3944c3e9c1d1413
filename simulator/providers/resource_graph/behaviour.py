"""Microsoft.ResourceGraph: the one call it answers."""

from collections import Counter
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.kql.errors import NotAnswerable, QueryError, QuerySemanticError
from simulator.kql.tables import Result, View
from simulator.providers.resource_graph.index import Difference, Index, News, Told
from simulator.providers.resource_graph.job_index import JobIndex
from simulator.providers.resource_graph.kept import Kept
from simulator.providers.resource_graph.quota import Quota
from simulator.providers.resource_graph.responses import (
    answer,
    bad_request,
    invalid_query,
    refusal,
    start_of,
    token,
)
from simulator.providers.resource_graph.scope import BadScope, Scope, scope_of
from simulator.providers.resource_graph.sources import sources
from simulator.providers.resource_graph.tables import NAMES, TABLES, UNMODELLED
from simulator.providers.resource_graph.visibility import readable

if TYPE_CHECKING:
    from simulator.cloud import Cloud
    from simulator.providers.resource_graph.limits import Understood

_API_VERSIONS = frozenset({"2021-03-01", "2022-10-01", "2024-04-01"})
_WITH_JOBS = "recoveryservicesresources"
_MOST_ROWS, _ROWS = 1000, 100  # documented: $top, and what it is unless said
_TABLE_NAMES = frozenset({*NAMES, *UNMODELLED})


class ResourceGraph:
    """Keeps what it has heard of, late, and answers queries of it."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._quota = Quota(cloud)
        self._told: dict[str, Told] = {}
        self._changes = self._seeds = 0
        self._jobs = JobIndex(cloud)
        self._indexes: dict[str, Index] = {}
        self._states: Counter[str] = Counter()
        self._kept = Kept()
        cloud.operations.on_ended.append(self.told)
        cloud.data_protection.on_job_ended.append(lambda _, job: self.told(job.instance.id))

    def routes(self) -> list[Route]:
        return [Route("POST", "/providers/Microsoft.ResourceGraph/resources", _API_VERSIONS, self.query)]

    def told(self, resource_id: str) -> None:
        """ARM changed a resource just now."""
        now, key = self._cloud.clock.now(), resource_id.lower()
        known = self._told.get(key)
        self._told[key] = Told(known.first if known else now, now)
        self._changes += 1

    def seeded(self) -> None:
        """Resources were put there as if they had been there for long: what is new at the next look is not late."""
        self._seeds += 1

    def query(self, call: Call) -> Response:
        """200 with a page of rows. Raises ArmError 400, 429 in Resource Graph's words, 501 for what is not modelled."""
        headers = self._quota.spend(call.principal.object_id)
        try:
            return Response(200, self._answer(call), headers)
        except ArmError as error:
            error.headers = {**headers, **error.headers}
            raise

    def _answer(self, call: Call) -> dict[str, Any]:
        from simulator.providers.resource_graph.limits import Refused, understood

        now, correlation = self._cloud.clock.now(), self._cloud.new_uuid()
        body = call.body()
        text, options = body.get("query"), body.get("options") or {}
        if not isinstance(text, str) or not text.strip():
            raise bad_request(now, correlation, {"code": "InvalidQuery", "message": "The query is missing."})
        if not isinstance(options, dict):
            raise bad_request(now, correlation, {"code": "BadRequest", "message": "options must be an object."})
        top = _whole(options.get("$top"), _ROWS, 1, _MOST_ROWS, "$top", now, correlation)
        skip = _whole(options.get("$skip"), 0, 0, 10**9, "$skip", now, correlation)
        try:
            scope = scope_of(self._cloud, body, options)
            found = understood(text, _TABLE_NAMES)
            result = self._result(call, scope, found, now, following=bool(options.get("$skipToken")))
        except BadScope as bad:
            raise bad_request(now, correlation, {"code": bad.code, "message": bad.message}) from bad
        except Refused as refused:
            raise invalid_query(now, correlation, refused.code, refused.message) from refused
        except QueryError as error:
            raise refusal(now, correlation, error) from error
        return _page(result, found, options, top, skip, now, correlation, text)

    def _result(self, call: Call, scope: Scope, found: "Understood", now: datetime, *, following: bool) -> Result:
        missing = sorted(found.tables & UNMODELLED)
        if missing:
            raise NotAnswerable(f"the table {missing[0]} is not modelled")
        if not found.tables:
            raise QuerySemanticError("The query names no table of Resource Graph.")
        lag = timedelta(seconds=self._cloud.clock.shorten(self._cloud.timings.resource_graph_lag))
        views = [self._view(call, name, scope, now, lag) for name in sorted(found.tables)]
        state = tuple((view.where, self._states[view.store]) for view in views)

        def ask() -> Result:
            result = self._cloud.kql.query(found.text, views, now.replace(tzinfo=None))
            # pages follow each other by id unless the query says an order
            return result if found.ordered or not _paged(result, found) else result.by("id")

        return self._kept.result((call.principal.object_id, found.text, scope), state, following, ask)

    def _view(self, call: Call, name: str, scope: Scope, now: datetime, lag: timedelta) -> View:
        """The table as the caller may see it now, its rows brought up to date."""
        store = f"resource_graph_{name}"
        index = self._indexes.get(name)
        if index is None:
            index = self._indexes[name] = Index(lambda: sources(self._cloud, name))
        self._cloud.kql.create(store, TABLES[name])
        self._update(store, index.look(now, lag, News(self._told, self._changes, self._seeds)))
        if name == _WITH_JOBS:
            self._update(store, self._jobs.look(now, lag))
        return View(TABLES[name], store, readable(self._cloud, call.principal, store, scope))

    def _update(self, store: str, difference: Difference) -> None:
        if not difference:
            return
        self._states[store] += 1
        if difference.gone:
            self._cloud.kql.remove(store, difference.gone)
        self._cloud.kql.put(store, difference.put, fresh=True)


def _paged(result: Result, found: "Understood") -> bool:
    """Whether the result comes in pages: rows have an id and the query does not limit itself (documented)."""
    return any(name == "id" for name, _ in result.columns) and not found.limits_itself


def _page(
    result: Result,
    found: "Understood",
    options: dict[str, Any],
    top: int,
    skip: int,
    now: datetime,
    correlation: Any,
    text: str,
) -> dict[str, Any]:
    """A page of the result. Where there are no pages, what does not fit is truncated."""
    digest, paged = sha256(text.encode()).hexdigest()[:16], _paged(result, found)
    start = skip
    if options.get("$skipToken"):
        following = start_of(str(options["$skipToken"]), digest)
        if following is None:
            raise bad_request(now, correlation, {"code": "InvalidSkipToken", "message": "The $skipToken is invalid."})
        start = following
    stop = start + top
    more = stop < len(result.found)
    return answer(
        result,
        start,
        stop,
        skip_token=token(stop, digest) if more and paged else None,
        as_table=str(options.get("resultFormat") or "objectArray").lower() == "table",
        truncated=more and not paged,
    )


def _whole(value: Any, default: int, least: int, most: int, name: str, now: datetime, correlation: Any) -> int:
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        message = f"The {name} must be a whole number from {least} to {most}."
        raise bad_request(now, correlation, {"code": "InvalidOptions", "message": message})
    return value
