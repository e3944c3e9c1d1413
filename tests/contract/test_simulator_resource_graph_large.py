"""Results of many pages: kept between pages, and never older than the rows."""

from typing import Any

import pytest

from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller

GRAPH = "/providers/Microsoft.ResourceGraph/resources"
GROUPS = 2_500
NAMES = "resourcecontainers | where type endswith '/resourcegroups' | project id, name, tags"


@pytest.fixture
async def arm() -> ArmCaller:
    """More resource groups than a result has that is not kept."""
    arm = ArmCaller()
    for number in range(GROUPS):
        arm.cloud.resources.add_group(SUBSCRIPTION.rpartition("/")[2], f"group-{number:05}", "westeurope")
    return arm


async def page(arm: ArmCaller, query: str, token: str | None = None) -> dict[str, Any]:
    options = {"$top": 1000, **({"$skipToken": token} if token else {})}
    answer = await arm.call("POST", GRAPH, {"query": query, "options": options}, version="2021-03-01")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


async def test_the_pages_hold_every_row_once(arm: ArmCaller) -> None:
    token, names = None, []
    while True:
        body = await page(arm, NAMES, token)
        names += [row["name"] for row in body["data"]]
        token = body.get("$skipToken")
        if token is None:
            break
    assert names == [f"group-{number:05}" for number in range(GROUPS)]


async def test_a_page_shows_what_changed_since_the_page_before(arm: ArmCaller) -> None:
    first = await page(arm, NAMES)
    path = f"{SUBSCRIPTION}/resourceGroups/group-01500"
    assert (await arm.call("PUT", path, {"location": "westeurope", "tags": {"v": "2"}})).status == 200
    before = await page(arm, NAMES, first["$skipToken"])
    assert {row["name"]: row["tags"] for row in before["data"]}["group-01500"] is None
    await arm.clock.advance(arm.cloud.timings.resource_graph_lag)
    after = await page(arm, NAMES, first["$skipToken"])
    assert {row["name"]: row["tags"] for row in after["data"]}["group-01500"] == {"v": "2"}
    assert (await arm.call("DELETE", f"{SUBSCRIPTION}/resourceGroups/group-00000")).status == 202
    await arm.clock.advance(arm.cloud.timings.resource_group_delete + arm.cloud.timings.resource_graph_lag)
    moved = await page(arm, NAMES, first["$skipToken"])
    assert moved["totalRecords"] == GROUPS - 1
    assert moved["data"][0]["name"] == "group-01001"  # the row that stood before it is on a page that was read


async def test_rights_that_go_take_the_rows_with_them(arm: ArmCaller) -> None:
    assert (await page(arm, NAMES))["totalRecords"] == GROUPS
    for assignment in arm.cloud.authorization.assignments_of(arm.cloud.identity.operator.object_id):
        arm.cloud.authorization.remove(assignment)
    assert (await page(arm, NAMES))["totalRecords"] == 0


async def test_a_new_question_about_the_time_gets_the_time_of_now(arm: ArmCaller) -> None:
    query = f"{NAMES.replace('| project', '| extend seen = now() | project')}, seen"
    first = await page(arm, query)
    await arm.clock.advance(10)
    following = await page(arm, query, first["$skipToken"])
    again = await page(arm, query)
    seen = [body["data"][0]["seen"] for body in (first, following, again)]
    assert seen[0] == seen[1] < seen[2]


async def test_the_quota_is_a_timing(arm: ArmCaller) -> None:
    await arm.control("POST", "timings", {"resource_graph_window": 0})
    for _ in range(40):
        await page(arm, "resources | count")
    await arm.control("POST", "timings", {"resource_graph_window": 5})
    refused = 0
    for _ in range(40):
        answer = await arm.call("POST", GRAPH, {"query": "resources | count"}, version="2021-03-01")
        refused += answer.status == 429
    assert refused == 25


async def test_lists_of_clusters_come_in_pages_of_a_hundred_at_the_old_version_too(arm: ArmCaller) -> None:
    await arm.control("POST", "clusters", {"count": 250, "location": "westeurope", "protected": True})
    path = f"{SUBSCRIPTION}/providers/Microsoft.ContainerService/managedClusters"
    query: dict[str, str] = {}
    sizes, ids = [], set()
    while True:
        answer = await arm.call("GET", path, version="2021-03-01", **query)  # type: ignore[arg-type]
        sizes.append(len(answer.body["value"]))
        ids |= {cluster["id"] for cluster in answer.body["value"]}
        link = answer.body.get("nextLink")
        if link is None:
            break
        query = {"skiptoken": link.partition("$skiptoken=")[2]}
    assert (sizes, len(ids)) == ([100, 100, 50], 250)
