"""Resource Graph as the app's client meets it: pages, quota, refusals, and answers that are not whole."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.arm.resource_graph import query
from shared.domain.errors import BlockedError, GuardError, TransientError
from shared.domain.ids import ClusterId
from shared.observe.ended_jobs_graph import ResourceGraphJobs
from shared.observe.queries import ended_jobs_in_graph, running_jobs_in_graph
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.http import ConnectionLost, Request, Response
from tests.contract.azure_under_test import SUBSCRIPTION, VAULT, AzureUnderTest

SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLUSTER = f"{SUBSCRIPTION}/resourceGroups/Shop/providers/Microsoft.ContainerService/managedClusters/Shop"
Answer = Callable[[dict[str, Any]], Response]


class Graph:
    """An Azure whose Resource Graph answers as a test says, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Response | Answer) -> None:
        self.azure = AzureUnderTest()
        self.asked: list[dict[str, Any]] = []
        self._answers = list(answers)
        monkeypatch.setattr(self.azure.cloud.front_door, "respond", self._respond)

    async def _respond(self, request: Request) -> Response:
        assert (request.method, request.query["api-version"]) == ("POST", "2021-03-01")
        assert request.path == "/providers/Microsoft.ResourceGraph/resources"
        self.asked.append(json.loads(request.body))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer if isinstance(answer, Response) else answer(self.asked[-1])

    async def rows(self, *subscriptions: str) -> list[Any]:
        return list(await query(self.azure.arm, "resources | project id", subscriptions))

    async def refusal(self, *subscriptions: str) -> GuardError:
        with pytest.raises(GuardError) as raised:
            await self.rows(*subscriptions)
        return raised.value


def page(
    *ids: str, token: str = "", total: int | None = None, left: int = 14, resets: str = "00:00:05", truncated: str = ""
) -> Response:
    body: dict[str, Any] = {
        "totalRecords": len(ids) if total is None else total,
        "count": len(ids),
        "data": [{"id": row} for row in ids],
        "facets": [],
        "resultTruncated": truncated or "false",
    }
    if token:
        body["$skipToken"] = token
    return Response(200, body, {"x-ms-user-quota-remaining": str(left), "x-ms-user-quota-resets-after": resets})


async def test_all_pages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, page("a", "b", token="2", total=3), page("c", total=3))
    assert await graph.rows(FIRST_SUBSCRIPTION) == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    first, second = graph.asked
    assert first["subscriptions"] == [FIRST_SUBSCRIPTION]
    assert first["options"] == {"$top": 1000, "resultFormat": "objectArray", "allowPartialScopes": False}
    assert second == {**first, "options": {**first["options"], "$skipToken": "2"}}


async def test_subscriptions_are_asked_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda asked: page(*asked["subscriptions"]))
    many = [f"s{number}" for number in range(601)]
    assert [row["id"] for row in await graph.rows(*many)] == many
    assert [len(asked["subscriptions"]) for asked in graph.asked] == [300, 300, 1]


async def test_without_subscriptions_all_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, page("a"))
    assert await graph.rows() == [{"id": "a"}]
    assert "subscriptions" not in graph.asked[0]


async def test_a_row_that_moved_between_pages_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, page("a", "b", token="2", total=3), page("b", "c", total=4))
    assert [row["id"] for row in await graph.rows()] == ["a", "b", "c"]


async def test_rows_that_vanish_while_they_are_read_make_no_short_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """When `a` vanishes, `c` moves onto the first page, which has been read."""
    graph = Graph(monkeypatch, page("a", "b", token="2", total=4), page("d", total=3))
    error = await graph.refusal()
    assert (error.kind, error.code) == ("transient", "IncompleteAnswer")


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (Response(500, {"error": {"code": "InternalServerError", "message": "later"}}), "transient"),
        (Response(429, {"error": {"code": "RateLimiting", "message": "slowly"}}, {"Retry-After": "7"}), "transient"),
        (Response(403, {"error": {"code": "AuthorizationFailed", "message": "no"}}), "blocked"),
        (Response(200, {"error": {"code": "x", "message": "y"}}), "transient"),
        (Response(200, b"<html>"), "transient"),
        (Response(200, {"data": {"rows": []}}), "transient"),
        (Response(200, {"data": [{"id": "c"}, "text"]}), "transient"),
        (page("c", token="2", total=3), "transient"),
        (page("c", truncated="true", total=3), "blocked"),
    ],
)
async def test_a_page_that_fails_fails_the_query(monkeypatch: pytest.MonkeyPatch, broken: Response, kind: str) -> None:
    graph = Graph(monkeypatch, page("a", "b", token="2", total=3), broken)
    assert (await graph.refusal()).kind == kind


async def test_a_connection_that_breaks_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_: dict[str, Any]) -> Response:
        raise ConnectionLost("cut")

    graph = Graph(monkeypatch, lost, page("a"))
    assert await graph.rows() == [{"id": "a"}]
    broken = Graph(monkeypatch, lost)
    assert (await broken.refusal()).kind == "transient"
    assert len(broken.asked) == 3


async def test_a_throttle_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Response(429, {"error": {"code": "RateLimiting", "message": "slowly"}}, {"Retry-After": "7"})
    graph = Graph(monkeypatch, refused)
    error = await graph.refusal()
    assert isinstance(error, TransientError)
    assert (error.code, error.retry_after, len(graph.asked)) == ("RateLimiting", 7, 1)


async def test_a_quota_that_is_used_up_is_waited_for_before_the_next_page(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, page("a", token="2", left=0, resets="00:00:03"), page("b", total=2, left=0))
    assert [row["id"] for row in await graph.rows()] == ["a", "b"]
    assert graph.azure.pauses == [3]  # and none after the last page


async def test_a_quota_is_waited_for_between_groups_too(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda asked: page(asked["subscriptions"][0], left=0, resets="00:00:05.5000000"))
    await graph.rows(*(f"s{number}" for number in range(301)))
    assert graph.azure.pauses == [5]


async def test_a_quota_that_comes_back_late_ends_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, page("a", token="2", left=0, resets="00:05:00"))
    error = await graph.refusal()
    assert isinstance(error, TransientError)
    assert (error.retry_after, len(graph.asked), graph.azure.pauses) == (300, 1, [])


@pytest.mark.parametrize("headers", [{}, {"x-ms-user-quota-remaining": "0"}, {"x-ms-user-quota-remaining": "none"}])
async def test_quota_headers_that_say_nothing_hold_nothing_back(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    first = page("a", token="2", total=2)
    graph = Graph(monkeypatch, Response(200, first.body, headers), page("b", total=2))
    assert len(await graph.rows()) == 2
    assert graph.azure.pauses == []


async def test_a_query_that_is_refused_says_what_is_wrong_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer as recorded: its message has a correlation id only, what is wrong stands in the details."""
    details = [
        {"code": "InvalidQuery", "message": "Query is invalid."},
        {
            "code": "ParserFailure",
            "message": "ParserFailure",
            "line": 1,
            "characterPositionInLine": 11,
            "token": "<EOF>",
        },
    ]
    body = {"error": {"code": "BadRequest", "message": "Please provide below info.", "details": details}}
    error = await Graph(monkeypatch, Response(400, body)).refusal()
    assert isinstance(error, BlockedError)
    assert error.code == "InvalidQuery"
    assert "Query is invalid." in error.message
    assert "ParserFailure: line 1, characterPositionInLine 11, token <EOF>" in error.message
    assert error.recommended_action


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"{VAULT}/backupJobs/{number}",
        "ended": "2026-03-01T12:00:00Z",
        "status": "Completed",
        "dataSourceId": CLUSTER,
        "backupInstanceId": "",
        "operationCategory": "Backup",
        "operation": "Backup",
        "isUserTriggered": False,
        "startTime": "2026-03-01T11:57:00.1234567Z",
        "endTime": f"2026-03-01T12:00:{number:02}.1234567Z",
        "duration": "PT3M",
        "errorDetails": None,
        "extendedInfo": None,
        **changed,
    }


async def test_odd_rows_are_counted_and_stop_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        row(3),
        row(2, status="COMPLETED"),
        row(4, endTime="0001-01-01T00:00:00.0000000Z", duration="00:03:01"),
        row(5, status="InProgress", endTime=None),
        row(6, status="Evaporated"),
        row(7, dataSourceId="/subscriptions/x"),
        row(8, endTime="soon"),
        row(9, id=f"{VAULT}/backupJobs/9' or true"),
        row(1, status="Failed", errorDetails=[{"code": "UserErrorX", "message": "m"}], isUserTriggered="true"),
    ]
    body = {"totalRecords": len(rows), "data": rows, "resultTruncated": "false"}
    source = ResourceGraphJobs(Graph(monkeypatch, Response(200, body)).azure.arm, [FIRST_SUBSCRIPTION])
    jobs = [job async for job in source.ended_since(SINCE)]
    assert [job.arm_id.rsplit("/", 1)[-1] for job in jobs] == ["1", "4", "2", "3"]
    assert source.rows.unreadable == 4
    assert (jobs[0].status, jobs[0].user_triggered, jobs[0].needs_details) == ("failed", True, False)
    assert jobs[1].ended_at == datetime(2026, 3, 1, 12, 0, 1, 123456, tzinfo=UTC)
    assert {job.detailed for job in jobs} == {False}


async def test_a_source_that_fails_yields_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"totalRecords": 2, "data": [row(1)], "$skipToken": "2", "resultTruncated": "false"}
    refused = Response(429, {"error": {"code": "RateLimiting", "message": "slowly"}}, {"Retry-After": "7"})
    source = ResourceGraphJobs(Graph(monkeypatch, Response(200, body), refused).azure.arm)
    with pytest.raises(TransientError):
        await anext(source.ended_since(SINCE))


def test_no_name_ends_a_literal() -> None:
    hostile = ClusterId("s", "g", "x\" or true // '\\\n\u2028")
    text = running_jobs_in_graph(hostile)
    assert 'x\\" or true // \'\\\\\\n\\u2028"' in text
    assert text.count("\n") == running_jobs_in_graph(ClusterId("s", "g", "x")).count("\n")
    assert text.isascii()


def test_a_time_without_a_zone_is_no_time() -> None:
    with pytest.raises(ValueError, match="zone"):
        ended_jobs_in_graph(datetime(2026, 3, 1))  # noqa: DTZ001
