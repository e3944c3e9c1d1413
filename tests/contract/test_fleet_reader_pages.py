"""A page of Resource Graph fails, comes late, comes twice, changes between pages: no cluster is lost or doubled, or the
answer is an error. Never a short list."""

import asyncio
import itertools
from typing import Any

import pytest

from shared.arm import resource_graph
from shared.domain.errors import GuardError, TransientError
from shared.domain.facts import Absent, Present, Unobserved, value_of
from shared.domain.fleet import FleetBatch, Scope
from simulator.arm.faults import Fault
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.http import Response
from tests.contract.fleet_under_test import FleetUnderTest, about, ids, rows_of

QUESTIONS = {
    "clusters": "mv-expand",
    "extensions": "kubernetesconfigurationresources",
    "instances": "backupinstances'",
    "jobs": "backupjobs'",
    "grants": "make_list(held)",
}
FACTS = {"extensions": "extension", "instances": "instances", "jobs": "jobs"}


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> FleetUnderTest:
    """Pages of two rows."""
    monkeypatch.setattr(resource_graph, "_PAGE", 2)
    return FleetUnderTest()


def whole(found: FleetBatch, known: list[str]) -> None:
    """Every cluster once, with all that is its own."""
    assert ids(found) == known
    for seen in found.clusters:
        mine = seen.cluster_id.arm_id
        extension, instances = value_of(seen.extension), value_of(seen.instances)
        assert extension is not None
        assert extension.arm_id.lower().startswith(f"{mine}/")
        assert [each.cluster_id for each in instances or ()] == [mine]
        assert isinstance(seen.jobs, Present)
        assert seen.jobs.value.last is not None
    assert isinstance(found.grants, Present)
    assert not [each for each in found.sources if each.error]


async def test_all_pages_are_read(azure: FleetUnderTest) -> None:
    known = await azure.seed(7)
    found = await azure.batch()
    whole(found, known)
    pages = {name: [each for each in azure.asked if about(each, words)] for name, words in QUESTIONS.items()}
    assert {name: len(asked) for name, asked in pages.items() if name != "grants"} == {
        "clusters": 4, "extensions": 4, "instances": 4, "jobs": 4,
    }  # fmt: skip
    read = {each.name: each for each in found.sources}
    assert {name: len(read[name].request_ids) for name in FACTS} == dict.fromkeys(FACTS, 4)


@pytest.mark.parametrize(("name", "nth"), [*itertools.product(QUESTIONS, (1, 2))])
async def test_a_page_that_fails(azure: FleetUnderTest, name: str, nth: int) -> None:
    """Only without the clusters there is no answer; of every other question the others know nothing."""
    known = await azure.seed(5)
    count = itertools.count(1)
    failed = Response(403, {"error": {"code": "AuthorizationFailed", "message": "no more"}})

    def fails(question: dict[str, Any], body: Any) -> Any:
        return failed if about(question, QUESTIONS[name]) and next(count) >= nth else body

    azure.change = fails
    if name == "clusters":
        with pytest.raises(GuardError):
            await azure.batch()
        return
    found = await azure.batch()
    assert ids(found) == known
    broken = [each for each in found.sources if each.error]
    assert {each.name for each in broken} == {name}
    assert "AuthorizationFailed" in broken[0].error
    if name == "grants":
        assert isinstance(found.grants, Unobserved)
        return
    facts = [getattr(seen, FACTS[name]) for seen in found.clusters]
    assert all(isinstance(fact, Unobserved) and "AuthorizationFailed" in fact.reason for fact in facts)
    assert all(isinstance(getattr(seen, other), Present) for seen in found.clusters for other in FACTS.values()
               if other != FACTS[name])  # fmt: skip


async def test_pages_that_come_late(azure: FleetUnderTest) -> None:
    known = await azure.seed(5)
    azure.cloud.front_door.faults.add(Fault("late", "POST", latency_seconds=30))
    began = azure.clock.now()
    reading = asyncio.ensure_future(azure.batch())
    while not reading.done():
        for _ in range(50):
            await asyncio.sleep(0)
        await azure.clock.advance(10)
    whole(await reading, known)
    assert (azure.clock.now() - began).total_seconds() > 300


async def test_a_connection_that_breaks_now_and_then(azure: FleetUnderTest) -> None:
    known = await azure.seed(5)
    for nth in (2, 7, 11):
        azure.cloud.front_door.faults.add(Fault(f"cut-{nth}", "POST", nth=nth, times=1, lose_answer=True))
    whole(await azure.batch(), known)


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_page_that_comes_twice_in_place_of_another(azure: FleetUnderTest, name: str) -> None:
    """It is never mistaken for the end of the list."""
    known = await azure.seed(6)
    first: list[Any] = []

    def again(question: dict[str, Any], body: Any) -> Any:
        if not about(question, QUESTIONS[name]):
            return body
        if "$skipToken" not in question["options"]:
            first[:] = [body["data"]]
        return {**body, "data": first[0]}

    azure.change = again
    if name == "clusters":
        with pytest.raises(TransientError) as raised:
            await azure.batch()
        assert raised.value.code == "IncompleteAnswer"
        return
    found = await azure.batch()
    assert ids(found) == known
    assert [each.name for each in found.sources if each.error] == [name]


async def test_the_same_page_said_to_follow_itself(azure: FleetUnderTest) -> None:
    await azure.seed(6)
    azure.change = lambda question, body: {**body, "$skipToken": "x"} if about(question, "mv-expand") else body
    with pytest.raises(GuardError):
        await azure.batch()


def once(azure: FleetUnderTest, page: int, happens: Any) -> None:
    """It happens before that page of the clusters is asked for, the first time."""
    count = itertools.count(1)

    async def before(question: dict[str, Any]) -> None:
        if about(question, "mv-expand") and next(count) == page:
            azure.before = None
            await happens()

    azure.before = before


@pytest.mark.parametrize(("place", "page"), [*itertools.product(("a-first", "m-middle", "z-last"), (2, 3))])
async def test_a_cluster_is_made_between_two_pages(azure: FleetUnderTest, place: str, page: int) -> None:
    known = [each for name in "bcnop" for each in await azure.seed(1, name=name)]
    made: list[str] = []

    async def happens() -> None:
        made.extend(await azure.seed(1, name=place))

    once(azure, page, happens)
    found = ids(await azure.batch())
    assert made
    assert len(found) == len(set(found))
    assert set(known) <= set(found) <= {*known, *made}


@pytest.mark.parametrize(("place", "page"), [*itertools.product((0, 2, 4), (2, 3))])
async def test_a_cluster_is_deleted_between_two_pages(azure: FleetUnderTest, place: int, page: int) -> None:
    known = await azure.seed(5)

    async def happens() -> None:
        await azure.delete(known[place])

    once(azure, page, happens)
    found = ids(await azure.batch())
    assert len(found) == len(set(found))
    assert {*known} - {known[place]} <= set(found) <= {*known}


@pytest.mark.parametrize(("place", "page"), [*itertools.product((0, 3), (2, 3))])
async def test_one_is_deleted_and_another_made_between_two_pages(azure: FleetUnderTest, place: int, page: int) -> None:
    """Their number stays what it was: only who had been there before tells that one is missing."""
    known = [each for name in "abcdef" for each in await azure.seed(1, name=name)]
    made: list[str] = []

    async def happens() -> None:
        await azure.delete(known[place])
        made.extend(await azure.seed(1, name="z"))

    once(azure, page, happens)
    found = ids(await azure.batch())
    assert made
    assert len(found) == len(set(found))
    assert {*known} - {known[place]} <= set(found) <= {*known, *made}


async def test_what_never_stands_still_is_an_error(azure: FleetUnderTest) -> None:
    await azure.seed(5)
    totals = itertools.count(100, -1)
    azure.change = lambda question, body: (
        {**body, "totalRecords": next(totals)} if about(question, "mv-expand") else body
    )
    with pytest.raises(TransientError) as raised:
        await azure.batch()
    assert raised.value.code == "IncompleteAnswer"


async def test_the_quota_is_obeyed_from_one_question_to_the_next(azure: FleetUnderTest) -> None:
    known = await azure.seed(9)
    for _ in range(3):
        whole(await azure.batch(), known)
    statuses = {each.status for each in azure.cloud.front_door.calls.all() if each.path.endswith("/resources")}
    assert statuses == {200}, "nothing was refused"
    assert azure.pauses
    assert max(azure.pauses) <= 5


async def test_a_throttle_is_waited_for_when_it_passes_soon(azure: FleetUnderTest) -> None:
    """Other programs ask under the same identity."""
    known = await azure.seed(3)
    throttle = Fault("busy", "POST", nth=3, times=1, status=429, code="RateLimiting", retry_after=4)
    azure.cloud.front_door.faults.add(throttle)
    whole(await azure.batch(), known)
    assert 4 in azure.pauses


async def test_a_throttle_that_lasts_is_an_error(azure: FleetUnderTest) -> None:
    await azure.seed(3)
    azure.cloud.front_door.faults.add(Fault("busy", "POST", status=429, code="RateLimiting", retry_after=600))
    with pytest.raises(TransientError) as raised:
        await azure.fleet.scope(Scope())
    assert raised.value.retry_after == 600
    assert azure.pauses == []


ODD: dict[str, list[tuple[str, Any]]] = {
    "extensions": [("state", None), ("state", 7), ("error", "{"), ("settings", "[]")],
    "instances": [("name", {}), ("latest", "soon"), ("parameters", "[1]"), ("parameters", '{"hooks": 1, "x'),
                  ("parameters", '{"snapshotVolumes": "no"}'), ("error", "nonsense")],
    "jobs": [("backup", "yesterday"), ("status", "Evaporated"), ("job", 4), ("killed", "2026-13-01")],
}  # fmt: skip


@pytest.mark.parametrize(("name", "column", "odd"), [(name, *each) for name, these in ODD.items() for each in these])
async def test_a_row_that_cannot_be_read_is_told_and_hurts_no_other(
    azure: FleetUnderTest, name: str, column: str, odd: Any
) -> None:
    known = await azure.seed(3)

    def spoilt(question: dict[str, Any], body: Any) -> Any:
        if about(question, QUESTIONS[name]) and "$skipToken" not in question["options"]:
            at, rows = rows_of(body, column)
            rows[0][at] = odd
        return body

    azure.change = spoilt
    found = await azure.batch()
    assert ids(found) == known
    facts = {seen.cluster_id.arm_id: getattr(seen, FACTS[name]) for seen in found.clusters}
    assert [isinstance(facts[cluster], Unobserved) for cluster in known] == [True, False, False]
    assert not [fact for fact in facts.values() if isinstance(fact, Absent)]
    assert azure.fleet.rows.unreadable == 1
    assert not [each for each in found.sources if each.error], "the question itself was answered"


async def test_nulls_for_empty_text_are_no_harm(azure: FleetUnderTest) -> None:
    known = await azure.seed(3)

    def nulls(question: dict[str, Any], body: Any) -> Any:
        if isinstance(body["data"], dict):
            for row in body["data"]["rows"]:
                row[:] = [None if value == "" else value for value in row]
        return body

    azure.change = nulls
    whole(await azure.batch(), known)


@pytest.mark.parametrize(("column", "odd"), [("id", "/subscriptions/x"), ("name", 5), ("tags", "text")])
async def test_a_cluster_that_cannot_be_read_is_not_left_out(azure: FleetUnderTest, column: str, odd: Any) -> None:
    await azure.seed(3)

    def spoilt(question: dict[str, Any], body: Any) -> Any:
        if about(question, "mv-expand"):
            at, rows = rows_of(body, column)
            rows[0][at] = odd
        return body

    azure.change = spoilt
    with pytest.raises(TransientError):
        await azure.batch()


@pytest.mark.parametrize("change", [
    lambda data: {**data, "columns": data["columns"][::-1]},
    lambda data: {**data, "rows": [row[1:] for row in data["rows"]]},
    lambda data: {**data, "rows": ["text"]},
    lambda data: {"columns": data["columns"]},
    lambda data: [dict.fromkeys("id", "x")],
])  # fmt: skip
async def test_an_answer_of_another_shape_is_none(azure: FleetUnderTest, change: Any) -> None:
    await azure.seed(3)
    azure.change = lambda question, body: (
        {**body, "data": change(body["data"])} if about(question, "mv-expand") else body
    )
    with pytest.raises(TransientError):
        await azure.batch()


async def test_many_assignments_are_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the real size of a page: hundreds of assignments in one."""
    azure = FleetUnderTest()
    await azure.seed(60)
    found = await azure.batch(FIRST_SUBSCRIPTION)
    asked = [each for each in azure.asked if about(each, "make_list(held)")]
    assert len(asked) == 1
    assert isinstance(found.grants, Present)
    assert len(found.grants.value) >= 60 * 3
    everything = {
        (each.principal_id, each.role_guid, each.scope.lower())
        for each in azure.cloud.authorization.assignments()
        if each.principal_id != azure.cloud.identity.app.object_id
    }
    held = {(each.principal_id, each.role, each.scope) for each in found.grants.value}
    asked_for = {role for _, role, _ in held}
    assert {each for each in everything if each[1] in asked_for} <= held
