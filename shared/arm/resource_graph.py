"""Azure Resource Graph: one query, all of its rows (Resource Graph REST, Resources)."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from shared.arm import api_versions
from shared.arm.answer import ArmAnswer, JsonObject
from shared.arm.client import UNREADABLE, ArmClient
from shared.domain.errors import BlockedError, TransientError

INCOMPLETE = "IncompleteAnswer"
_PATH = "/providers/Microsoft.ResourceGraph/resources"
_PAGE = 1000  # the most a page may have
_SUBSCRIPTIONS = 300  # in one query, as the throttling guidance recommends
_MOST_PAGES = 1000
_LONGEST_PAUSE = 10.0
"""Seconds on the wall. The quota is 15 queries in 5 s for each user (throttling guidance page)."""
_RESETS_AFTER = re.compile(r"(\d+):(\d{2}):(\d{2})(?:\.\d+)?")


async def query(arm: ArmClient, text: str, subscriptions: Sequence[str]) -> list[JsonObject]:
    """Every row, in the query's order for each 300 subscriptions; without any, of all the app's identity may read. The
    query has an `id` column and sorts by it last: pages hold together by that, and a row that moved from one page to
    the next while they were read is there once, as it was read last.

    What the identity may not read is left out without a word. Raises GuardError: all rows or an error."""
    rows: dict[object, JsonObject] = {}
    groups = [tuple(group) for group in itertools.batched(subscriptions, _SUBSCRIPTIONS, strict=False)] or [()]
    pause = 0.0
    for group in groups:
        pause = await _read(arm, text, group, rows, pause)
    return list(rows.values())


async def _read(
    arm: ArmClient, text: str, subscriptions: Sequence[str], rows: dict[object, JsonObject], pause: float
) -> float:
    """Add the rows of all pages; answers how long (s, wall) the quota asks to wait before the next question."""
    options: dict[str, object] = {"$top": _PAGE, "resultFormat": "objectArray", "allowPartialScopes": False}
    scope = {"subscriptions": list(subscriptions)} if subscriptions else {}
    most = 0
    for _ in range(_MOST_PAGES):
        if pause:
            await arm.pause(pause, _LONGEST_PAUSE)
        answer = await _ask(arm, {**scope, "query": text, "options": options})
        pause = _pause(answer.headers)
        body = answer.json_object() or {}
        for row in _rows(body):
            rows[row.get("id", len(rows))] = row
        total = body.get("totalRecords")
        if isinstance(total, int):
            if total < most:  # a row that vanished from a page that was read moved one that was not
                raise TransientError(INCOMPLETE, "Resource Graph's rows became fewer while they were read.")
            most = total
        following = body.get("$skipToken")
        if not following:
            if str(body.get("resultTruncated")).lower() == "true":
                raise BlockedError(INCOMPLETE, "Resource Graph cut the answer off and named no next page.")
            return pause
        if following == options.get("$skipToken"):
            raise TransientError(UNREADABLE, "Resource Graph names the same page as the next one.")
        options["$skipToken"] = following
    raise BlockedError(UNREADABLE, f"Resource Graph's answer has more than {_MOST_PAGES} pages.")


async def _ask(arm: ArmClient, body: JsonObject) -> ArmAnswer:
    """Raises BlockedError that says what is wrong with the query when Resource Graph refuses it: its message names only
    a correlation id (recorded)."""
    try:
        return await arm.post(_PATH, api_versions.RESOURCE_GRAPH, body, once=False)
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


def _pause(headers: Mapping[str, str]) -> float:
    """How long to wait before the next query, in seconds of the wall: 0 while the quota holds."""
    left, resets = headers.get("x-ms-user-quota-remaining", "").strip(), headers.get("x-ms-user-quota-resets-after", "")
    found = _RESETS_AFTER.fullmatch(resets.strip())
    if not left.isdigit() or int(left) > 0 or not found:
        return 0.0
    hours, minutes, seconds = map(int, found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
