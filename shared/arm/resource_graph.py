"""Azure Resource Graph: one query, all of its rows (Resource Graph REST, Resources)."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.arm import api_versions
from shared.arm.answer import ArmAnswer, JsonObject
from shared.arm.client import UNREADABLE, ArmClient
from shared.domain.errors import BlockedError, TransientError

INCOMPLETE = "IncompleteAnswer"
_PATH = "/providers/Microsoft.ResourceGraph/resources"
_WITH_SCOPE_FILTER = "2024-04-01"
"""The SDK's own api-version does not know authorizationScopeFilter."""
_PAGE = 1000  # the most a page may have
_SUBSCRIPTIONS = 300  # in one query, as the throttling guidance recommends
_MOST_PAGES = 1000
_TRIES = 3
_LONGEST_PAUSE = 10.0
"""Seconds on the wall. The quota is 15 queries in 5 s for each user (throttling guidance page)."""
_RESETS_AFTER = re.compile(r"(\d+):(\d{2}):(\d{2})(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of all pages: objects, or lists of values when columns were named. `at` is when the first page came,
    `request_ids` are Azure's, one for each page."""

    rows: list[Any]
    request_ids: tuple[str, ...]
    at: datetime


class ResourceGraph:
    """Questions one after another under one identity's quota: the pause that an answer asks for is kept before the next
    question, whatever it is about. `patience` is how long a throttle is waited for at a time, in seconds of the wall:
    other programs may ask under the same identity."""

    def __init__(self, arm: ArmClient, patience: float = 0.0) -> None:
        self._arm, self._patience = arm, patience
        self._pause = 0.0

    async def ask(
        self,
        text: str,
        subscriptions: Sequence[str] = (),
        management_groups: Sequence[str] = (),
        *,
        columns: Sequence[str] = (),
        inherited: bool = False,
        unique: bool = True,
    ) -> Answer:
        """Every row, in the query's order for each 300 subscriptions; without any scope, of all the identity may read.
        The query has an `id` column and sorts by it last: pages hold together by that, and a row that moved from one
        page to the next while they were read is there once, as it was read last.

        `columns` are the query's, `id` first: rows then are lists of their values, which is less to read. `inherited`
        asks for role assignments above the scope too. Without `unique` several rows may have one id, and all come back.
        What the identity may not read is left out without a word.
        Raises GuardError: all rows or an error."""
        scopes: list[dict[str, object]] = [
            {"subscriptions": list(group)} for group in itertools.batched(subscriptions, _SUBSCRIPTIONS, strict=False)
        ]
        if management_groups:
            scopes.append({"managementGroups": list(management_groups)})
        shape = _Shape(tuple(columns), inherited, unique)
        read = [await self._read({**scope, "query": text}, shape) for scope in scopes or [{}]]
        rows = {
            (key if unique else (n, key)): row for n, reading in enumerate(read) for key, row in reading.rows.items()
        }
        request_ids = tuple(request_id for reading in read for request_id in reading.request_ids)
        return Answer(list(rows.values()), request_ids, read[0].at)

    async def _read(self, question: JsonObject, shape: "_Shape") -> "_Reading":
        """All pages within one scope."""
        options: dict[str, object] = {"$top": _PAGE, "allowPartialScopes": False}
        options["resultFormat"] = "table" if shape.columns else "objectArray"
        if shape.inherited:
            options["authorizationScopeFilter"] = "AtScopeAboveAndBelow"
        version = _WITH_SCOPE_FILTER if shape.inherited else api_versions.RESOURCE_GRAPH
        reading, least, most = _Reading(shape, self._arm.now()), 0, 0
        for _ in range(_MOST_PAGES):
            if self._pause:
                pause, self._pause = self._pause, 0.0
                await self._arm.pause(pause, _LONGEST_PAUSE)
            answer = await self._page({**question, "options": options}, version)
            self._pause = _pause(answer.headers)
            body = answer.json_object() or {}
            if not reading.request_ids:
                reading.at = self._arm.now()
            reading.add(body, answer.request_id)
            total = body.get("totalRecords")
            if isinstance(total, int):
                least = least or total
                if total < most:  # a row that vanished from a page that was read moved one that was not
                    raise TransientError(INCOMPLETE, "Resource Graph's rows became fewer while they were read.")
                most = total
            following = body.get("$skipToken")
            if not following:
                if str(body.get("resultTruncated")).lower() == "true":
                    raise BlockedError(INCOMPLETE, "Resource Graph cut the answer off and named no next page.")
                if len(reading.rows) < least:  # a page came twice, and another not at all
                    raise TransientError(INCOMPLETE, "Resource Graph answered with fewer rows than it counted.")
                return reading
            if following == options.get("$skipToken"):
                raise TransientError(UNREADABLE, "Resource Graph names the same page as the next one.")
            options = {**options, "$skipToken": following}
        raise BlockedError(UNREADABLE, f"Resource Graph's answer has more than {_MOST_PAGES} pages.")

    async def _page(self, body: JsonObject, version: str) -> ArmAnswer:
        """A throttle in the midst of a list does not begin it anew."""
        for _ in range(_TRIES if self._patience else 0):
            try:
                return await _ask(self._arm, body, version)
            except TransientError as error:
                await self._arm.wait_as_told(error, self._patience)
        return await _ask(self._arm, body, version)


@dataclass(frozen=True, slots=True)
class _Shape:
    columns: tuple[str, ...]
    inherited: bool
    unique: bool


@dataclass(slots=True)
class _Reading:
    """What has come of an answer so far."""

    shape: _Shape
    at: datetime
    rows: dict[object, Any] = field(default_factory=dict)
    request_ids: list[str] = field(default_factory=list)

    def add(self, body: JsonObject, request_id: str) -> None:
        if self.shape.columns:
            for values in _table(body, self.shape.columns):
                self.rows[values[0]] = values
        else:
            for row in _rows(body):
                key = row.get("id") if self.shape.unique else None
                self.rows[len(self.rows) if key is None else key] = row
        self.request_ids.append(request_id)


async def query(arm: ArmClient, text: str, subscriptions: Sequence[str]) -> list[JsonObject]:
    """One question by itself (`ResourceGraph.ask`)."""
    return (await ResourceGraph(arm).ask(text, subscriptions)).rows


async def _ask(arm: ArmClient, body: JsonObject, version: str) -> ArmAnswer:
    """Raises BlockedError that says what is wrong with the query when Resource Graph refuses it: its message names only
    a correlation id (recorded)."""
    try:
        return await arm.post(_PATH, version, body, once=False)
    except BlockedError as error:
        if not any(detail.startswith("InvalidQuery") for detail in error.details):
            raise
        message = f"{' '.join(error.details)} ({error.message})"
        refused = BlockedError("InvalidQuery", message, recommended_action="Report this as a defect of the Guard.")
        refused.request_id, refused.details = error.request_id, error.details
        raise refused from error


def _rows(body: JsonObject) -> Iterator[JsonObject]:
    found = body.get("data")
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise TransientError(UNREADABLE, "Resource Graph answered without rows.")
    yield from found


def _table(body: JsonObject, columns: tuple[str, ...]) -> list[list[Any]]:
    """The rows of an answer in the table format, if they have these columns."""
    data = body.get("data")
    rows = data.get("rows") if isinstance(data, dict) else None
    named = data.get("columns") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not isinstance(named, list):
        raise TransientError(UNREADABLE, "Resource Graph answered without rows.")
    if tuple(each.get("name") for each in named if isinstance(each, dict)) != columns:
        raise TransientError(UNREADABLE, "Resource Graph answered with other columns than it was asked for.")
    whole = {*map(type, rows)} <= {list} and {*map(len, rows)} <= {len(columns)}
    if not whole or not {type(row[0]) for row in rows} <= {str}:
        raise TransientError(UNREADABLE, "Resource Graph answered with a row that is none.")
    return rows


def _pause(headers: Mapping[str, str]) -> float:
    """How long to wait before the next query, in seconds of the wall: 0 while the quota holds."""
    left, resets = headers.get("x-ms-user-quota-remaining", "").strip(), headers.get("x-ms-user-quota-resets-after", "")
    found = _RESETS_AFTER.fullmatch(resets.strip())
    if not left.isdigit() or int(left) > 0 or not found:
        return 0.0
    hours, minutes, seconds = map(int, found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
