"""`/api/v1/clusters` and `/api/v1/cluster`: filtered, sorted, paged, with evidence, whatever the names."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from shared.domain.observed import ObservedCluster
from shared.domain.record import Record
from shared.report.view import SORTS
from shared.web.models import SortBy
from tests.contract.http_api_answers import UNSEEN, get, seeded
from tests.contract.http_api_world import (
    CLUSTERS,
    HOSTILE,
    NOW,
    Api,
    arm_id,
    hostile_clusters,
    judged,
    keep,
    snapshot_of,
)


@pytest.fixture
async def api() -> Api:
    return await seeded()


async def test_clusters_are_filtered_sorted_and_paged_with_links(api: Api) -> None:
    everyone = await get(api, "/clusters")
    assert [row["name"] for row in everyone["value"]] == ["gamma", "alpha", "beta"], "the lowest score first"
    assert everyone["value"][1]["worst"]["reason"] == "NotProtected"
    assert everyone["value"][2]["worst"] is None
    assert (everyone["total"], everyone["pages"], everyone["links"]["next"]) == (3, 1, None)

    seen, address = [], "/api/v1/clusters?size=1&sort=name&descending=true&profile=standard"
    while address:
        answer = await api.call("GET", address)
        page = answer.json()
        seen += [row["name"] for row in page["value"]]
        address = page["links"]["next"]
    assert seen == ["gamma", "beta", "alpha"]
    assert page["links"]["prev"].endswith("page=2&size=1")
    assert [row["name"] for row in (await get(api, "/clusters", subscription="sandbox"))["value"]] == ["gamma"]
    assert [row["name"] for row in (await get(api, "/clusters", text="ALPHA", status="Unknown"))["value"]] == ["alpha"]


async def test_links_hold_hostile_text() -> None:
    api = Api()
    await keep(api.world, snapshot_of(tuple(judged(f"a{n}", team="a&page=9 <b>\u202e#") for n in range(3))))
    page = await get(api, "/clusters", team="a&page=9 <b>\u202e#", size=2)
    answer = await api.call("GET", page["links"]["next"])
    assert [row["name"] for row in answer.json()["value"]] == ["a2"]


@pytest.mark.parametrize(
    ("query", "where", "says"),
    [
        ({"sort": "colour"}, "query parameter sort", "'name'"),
        ({"size": 501}, "query parameter size", "500"),
        ({"page": 0}, "query parameter page", "1"),
        ({"page": "x"}, "query parameter page", "integer"),
        ({"restorable": "perhaps"}, "query parameter restorable", "'Yes'"),
        ({"colour": "red"}, "query parameter colour", "not permitted"),
        ({"text": "x" * 301}, "query parameter text", "300"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_with_the_reason(
    api: Api, query: dict[str, Any], where: str, says: str
) -> None:
    error = (await get(api, "/clusters", 400, **query))["error"]
    assert error["code"] == "InvalidRequest"
    assert any(where in detail["where"] and says in detail["message"] for detail in error["details"]), error


def test_the_api_sorts_by_all_that_the_view_can() -> None:
    assert get_args(SortBy) == SORTS


@pytest.mark.parametrize("spelling", [str, str.lower, str.upper])
async def test_a_cluster_is_told_with_evidence_and_record(api: Api, spelling: Any) -> None:
    told = await get(api, "/cluster", id=spelling(arm_id("alpha")))
    assert told["clusterId"] == arm_id("alpha")
    verdicts = {verdict["control"]: verdict for verdict in told["judged"]["verdicts"]}
    failing = verdicts["protected-by-an-instance"]
    assert failing["title"] == "A backup instance protects the cluster"
    assert failing["facts"] == {"instances": [], "instance": None, "protection_state": None}
    assert failing["sources"] == ["instances"]
    assert failing["since"] == "2026-02-26T12:00:00Z"
    assert verdicts["extension-healthy"]["sources"] == ["extensions"]
    sources = {source["name"]: source for source in told["judged"]["sources"]}
    assert sources["instances"]["requestIds"] == ["id-1", "id-2"]
    assert sources["extensions"]["error"] == "429 TooManyRequests"
    assert set(sources) == {"instances", "extensions"}, "nothing that it does not rest on"
    record = told["record"]
    assert record["conditions"][0]["reason"] == "NotProtected"
    assert record["memory"][0]["after"] == "3Gi"
    assert (record["remaining"], record["nextLookAt"]) == (["GrantRole"], "2026-03-01T13:00:00Z")


async def test_a_cluster_may_be_known_to_the_sweep_or_to_the_record_alone(api: Api) -> None:
    assert (await get(api, "/cluster", id=arm_id("beta")))["record"] is None
    api.virtual.records.put(Record(UNSEEN, NOW, ObservedCluster()))
    told = await get(api, "/cluster", id=UNSEEN.arm_id)
    assert (told["judged"], told["record"]["conditions"]) == (None, [])


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (arm_id("nobody"), 404, "NoSuchCluster"),
        ("/subscriptions/x", 400, "InvalidRequest"),
        ("../../etc/passwd", 400, "InvalidRequest"),
        ("x" * 401, 400, "InvalidRequest"),
    ],
)
async def test_no_such_cluster(api: Api, given: str, status: int, code: str) -> None:
    assert (await get(api, "/cluster", status, id=given))["error"]["code"] == code


async def test_a_verdict_of_a_control_that_is_gone_is_still_told() -> None:
    api = Api()
    gone = replace(CLUSTERS[1].verdicts[0], control="gone")
    await keep(api.world, snapshot_of((judged("a", verdicts=(gone,)),)))
    [verdict] = (await get(api, "/cluster", id=arm_id("a")))["judged"]["verdicts"]
    assert (verdict["title"], verdict["facts"], verdict["sources"]) == ("gone", {}, [])


async def test_hostile_names_come_through_whole_and_harmless() -> None:
    api = Api()
    await keep(api.world, snapshot_of(hostile_clusters()))
    rows = (await get(api, "/clusters", size=100))["value"]
    assert {row["name"] for row in rows} == set(HOSTILE)
    for number, text in enumerate(HOSTILE):
        told = await get(api, "/cluster", id=arm_id(f"hostile-{number}"))
        assert told["judged"]["team"] == text
        found = await get(api, "/clusters", text=text.replace("\x00", " ").strip()[:200])
        assert text in {row["name"] for row in found["value"]} or "\x00" in text
    answer = await api.get("/clusters")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
