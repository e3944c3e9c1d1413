"""Resource Graph over the simulated Azure: its tables, who sees what, pages, quota and refusals."""

from dataclasses import replace
from typing import Any

import pytest
from azure.core.rest import HttpRequest
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from simulator.arm.route import Principal
from simulator.http import Response
from simulator.transport import BASE_URL, AllowHttp, SimulatedCredential, SimulatedTransport
from tests.contract.data_protection_world import (
    ACCOUNT,
    BACKUP_GROUP,
    CLUSTER,
    INSTANCE,
    POLICY,
    READER,
    SUBSCRIPTION,
    VAULT,
    World,
)

PATH = "/providers/Microsoft.ResourceGraph/resources"
COLUMNS = {
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku"),
    *("plan", "properties", "tags", "identity", "zones", "extendedLocation"),
}
JOB_TYPE = "microsoft.dataprotection/backupvaults/backupjobs"
SOMEBODY = Principal("c0000000-0000-0000-0000-000000000001", "c0000000-0000-0000-0000-000000000002", "tenant")


@pytest.fixture
async def world() -> World:
    """A protected cluster without volumes, long enough ago that the graph knows all of it."""
    world = World()
    await world.ready()
    cluster = world.cloud.container_service.cluster(CLUSTER)
    assert cluster is not None
    cluster.contents = replace(cluster.contents, volumes=())
    await world.protect()
    await world.clock.advance(600)
    return world


async def asked(
    world: World, query: str, *, principal: Any = None, subscriptions: Any = (SUBSCRIPTION,), **options: Any
) -> Response:
    body: dict[str, Any] = {"query": query, "options": {f"${name}": value for name, value in options.items()}}
    if subscriptions:
        body["subscriptions"] = list(subscriptions)
    return await world.call("POST", PATH, body, "2022-10-01", principal)


async def data(world: World, query: str, **said: Any) -> list[dict[str, Any]]:
    answer = await asked(world, query, **said)
    assert answer.status == 200, answer.body
    rows: list[dict[str, Any]] = answer.body["data"]
    return rows


def details(answer: Response) -> list[str]:
    return [each["code"] for each in answer.body["error"]["details"]]


async def test_resources_are_the_arm_bodies(world: World) -> None:
    (row,) = await data(world, "Resources | where type =~ 'Microsoft.ContainerService/managedClusters'")
    assert row.keys() == COLUMNS
    body = await world.read(f"{CLUSTER}?api-version=2026-08-01")
    assert row["properties"] == body["properties"]
    assert (row["id"], row["type"], row["location"]) == (
        CLUSTER,
        "microsoft.containerservice/managedclusters",
        "westeurope",
    )
    assert (row["resourceGroup"], row["subscriptionId"], row["identity"]) == ("apps", SUBSCRIPTION, body["identity"])
    types = await data(world, "resources | summarize n = count() by type")
    assert {each["type"]: each["n"] for each in types} == {
        "microsoft.containerservice/managedclusters": 1,
        "microsoft.dataprotection/backupvaults": 1,
        "microsoft.storage/storageaccounts": 1,
    }


async def test_containers_have_their_tags(world: World) -> None:
    tags = {"owner": "shop"}
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/apps"
    assert (await world.call("PATCH", group, {"tags": tags}, "2022-09-01")).status == 200
    await world.clock.advance(120)
    rows = await data(world, "resourcecontainers | where tags.owner =~ 'Shop' | project id, type, tags")
    assert rows == [{"id": group, "type": "microsoft.resources/subscriptions/resourcegroups", "tags": tags}]
    (row,) = await data(world, "resourcecontainers | where type == 'microsoft.resources/subscriptions'")
    assert (row["id"], row["subscriptionId"]) == (f"/subscriptions/{SUBSCRIPTION}", SUBSCRIPTION)


async def test_backup_instances_carry_what_only_the_graph_knows(world: World) -> None:
    world.cloud.data_protection.add_job(CLUSTER)
    await world.clock.advance(600)
    (row,) = await data(world, "recoveryservicesresources | where type endswith '/backupinstances'")
    body = await world.read(INSTANCE)
    assert {
        name: row["properties"][name] for name in body["properties"].keys() - {"policyInfo", "protectionStatus"}
    } | {
        "dataSourceInfo": body["properties"]["dataSourceInfo"],
        "dataSourceSetInfo": body["properties"]["dataSourceSetInfo"],
    } == {name: value for name, value in body["properties"].items() if name not in ("policyInfo", "protectionStatus")}
    more = row["properties"]["backupInstanceExtendedProperties"]
    assert more["vaultId"] == VAULT
    assert more["allowedOperations"] == ["BackupNow", "Restore", "ChangePolicy", "StopBackup", "Delete"]
    assert more["policyExtendedInfo"]["configuredRPGenerationFrequency"] == "04:00:00"
    assert more["policyExtendedInfo"]["rpoWarningThresholdInPrimaryRegion"] == "06:00:00"
    assert more["policyExtendedInfo"]["configuredMaximumRetention"] == "7.00:00:00"
    (point,) = world.cloud.data_protection.recovery_points(INSTANCE)
    assert more["recoveryPointInfo"]["latestRecoveryPointInPrimaryRegion"] == f"{point.time:%Y-%m-%dT%H:%M:%S.%f}0Z"


async def test_policies_extensions_and_role_assignments(world: World) -> None:
    (policy,) = await data(world, "recoveryservicesresources | where type endswith '/backuppolicies'")
    assert (policy["id"], policy["properties"]) == (POLICY, (await world.read(POLICY))["properties"])
    (extension,) = await data(world, "kubernetesconfigurationresources")
    assert extension["type"] == "microsoft.kubernetesconfiguration/extensions"
    assert extension["id"].lower().partition("/providers/microsoft.kubernetesconfiguration")[0] == CLUSTER.lower()
    assert extension["properties"]["provisioningState"] == "Succeeded"
    query = "authorizationresources | where type =~ 'Microsoft.Authorization/roleAssignments'"
    rows = await data(
        world, f"{query} | where properties.roleDefinitionId endswith '{READER}' | project properties.scope"
    )
    assert sorted(row["properties_scope"] for row in rows) == [
        CLUSTER,
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/snapshots",
    ]


async def test_jobs_have_errors_but_nothing_extended(world: World) -> None:
    job = world.cloud.data_protection.add_job(CLUSTER, outcome="failed", code="UserErrorSomething")
    await world.clock.advance(600)
    (row,) = await data(world, f"recoveryservicesresources | where type == '{JOB_TYPE}'")
    body = await world.read(job)
    assert row["id"] == job
    assert row["properties"] == body["properties"] | {"extendedInfo": None}
    assert row["properties"]["errorDetails"][0]["code"] == "UserErrorSomething"
    await world.clock.advance(14 * 86_400)
    assert await data(world, f"recoveryservicesresources | where type == '{JOB_TYPE}'") == []


async def test_tables_can_be_joined(world: World) -> None:
    query = """resources | where type =~ 'microsoft.containerservice/managedclusters' | extend cid = tolower(id)
    | join kind=leftouter (recoveryservicesresources | where type endswith '/backupinstances'
        | extend clusterId = tolower(tostring(properties.dataSourceInfo.resourceID))
        | summarize bi = count() by clusterId) on $left.cid == $right.clusterId
    | project id, bi, clusterId"""
    assert await data(world, query) == [{"id": CLUSTER, "bi": 1, "clusterId": CLUSTER.lower()}]
    bare = query.replace("endswith '/backupinstances'", "== 'none'")
    assert await data(world, bare) == [{"id": CLUSTER, "bi": None, "clusterId": ""}]


async def test_a_caller_sees_what_they_may_read(world: World) -> None:
    query = "resources | project id"
    allowed = world.cloud.identity.new_principal("reader")
    assert await data(world, query, principal=allowed) == []
    world.cloud.authorization.grant(allowed.object_id, READER, ACCOUNT)
    assert await data(world, query, principal=allowed) == [{"id": ACCOUNT}]
    world.cloud.authorization.grant(allowed.object_id, READER, BACKUP_GROUP)
    assert await data(world, query, principal=allowed) == [{"id": VAULT}, {"id": ACCOUNT}]
    world.cloud.authorization.grant(allowed.object_id, READER, f"/subscriptions/{SUBSCRIPTION}")
    assert await data(world, query, principal=allowed) == [{"id": CLUSTER}, {"id": VAULT}, {"id": ACCOUNT}]


async def test_only_the_subscriptions_that_were_named(world: World) -> None:
    other = "00000000-0000-0000-0000-00000000000f"
    world.add_subscription(other)
    world.cloud.resources.add_group(other, "elsewhere", "westeurope")
    query = "resourcecontainers | where type endswith 'resourcegroups' | project name"
    assert await data(world, query, subscriptions=[other]) == [{"name": "elsewhere"}]
    everywhere = {row["name"] for row in await data(world, query, subscriptions=())}
    assert everywhere > {"elsewhere", "apps", "backup"}


async def test_pages_follow_each_other_by_id(world: World) -> None:
    query = "resources | project id, type"
    first = (await asked(world, query, top=2)).body
    assert (first["totalRecords"], first["count"], first["resultTruncated"]) == (3, 2, "false")
    second = (await asked(world, query, top=2, skipToken=first["$skipToken"])).body
    assert "$skipToken" not in second
    ids = [row["id"] for row in [*first["data"], *second["data"]]]
    assert ids == sorted([CLUSTER, VAULT, ACCOUNT])
    assert [row["id"] for row in (await asked(world, query, skip=2)).body["data"]] == ids[2:]
    foreign = await asked(world, "resources | project id", skipToken=first["$skipToken"])
    assert foreign.status == 400
    assert (await asked(world, query, skipToken="nonsense")).status == 400


@pytest.mark.parametrize("query", ["resources | project name", "resources | take 3", "resources | top 3 by name asc"])
async def test_without_an_id_or_with_a_limit_there_are_no_pages(world: World, query: str) -> None:
    answer = (await asked(world, query, top=1)).body
    assert (answer["count"], answer["resultTruncated"]) == (1, "true")
    assert "$skipToken" not in answer


async def test_an_order_is_kept(world: World) -> None:
    rows = await data(world, "resources | order by type desc | project id, type")
    assert [row["type"] for row in rows] == sorted((row["type"] for row in rows), reverse=True)


async def test_as_a_table(world: World) -> None:
    body = {"query": "resources | summarize n = count() by location", "options": {"resultFormat": "table"}}
    answer = await world.call("POST", PATH, body, "2021-03-01")
    columns = [{"name": "location", "type": "string"}, {"name": "n", "type": "integer"}]
    assert answer.body["data"] == {"columns": columns, "rows": [["westeurope", 3]]}


async def test_fifteen_queries_in_five_seconds(world: World) -> None:
    left = [(await asked(world, "resources | count")).headers["x-ms-user-quota-remaining"] for _ in range(15)]
    assert left == [str(each) for each in range(14, -1, -1)]
    refused = await asked(world, "resources | count")
    assert refused.status == 429
    assert (refused.headers["Retry-After"], refused.headers["x-ms-user-quota-resets-after"]) == ("5", "00:00:05")
    other = world.cloud.identity.app
    assert (await asked(world, "resources | count", principal=other)).status == 200  # each user has their own
    await world.clock.advance(5)
    assert (await asked(world, "resources | count")).status == 200


async def test_broken_and_forbidden_queries(world: World) -> None:
    for query, code in (
        ("where where", "ParserFailure"),
        ("resources | where nothing == 1", "SemanticError"),
        ("resources | sample 1", "UnsupportedOperator"),
        ("resources | join kind=leftsemi (resources) on id", "UnsupportedJoinFlavor"),
        ("nothing | count", "SemanticError"),
    ):
        answer = await asked(world, query)
        assert (answer.status, answer.body["error"]["code"]) == (400, "BadRequest"), query
        assert details(answer) == ["InvalidQuery", code], query


async def test_what_is_not_modelled_says_so(world: World) -> None:
    assert (await asked(world, "alertsmanagementresources | count")).status == 501
    assert (await asked(world, "resources | extend a = bag_keys(tags)")).status == 501


@pytest.mark.parametrize("options", [{"top": 0}, {"top": 1001}, {"top": "5"}, {"skip": -1}])
async def test_options_have_limits(world: World, options: dict[str, Any]) -> None:
    assert (await asked(world, "resources | count", **options)).status == 400


async def test_malformed_calls(world: World) -> None:
    body: Any
    for body in (
        {},
        {"query": " "},
        {"query": 5},
        [],
        {"query": "resources", "options": 1},
        {"query": "a", "subscriptions": 1},
    ):
        assert (await world.call("POST", PATH, body, "2021-03-01")).status == 400
    assert (await world.call("POST", PATH, {"query": "resources"}, "2019-01-01")).status == 400
    assert (await world.call("POST", PATH, {"query": "resources"}, "2021-03-01", SOMEBODY)).status == 401


async def test_over_a_management_client(world: World) -> None:
    credential = SimulatedCredential(world.cloud)
    transport = SimulatedTransport(world.cloud)
    policies = [AllowHttp()]
    async with ResourceManagementClient(
        credential, SUBSCRIPTION, base_url=BASE_URL, transport=transport, per_call_policies=policies
    ) as client:
        body = {"query": "resources | project id | order by id asc", "subscriptions": [SUBSCRIPTION]}
        request = HttpRequest("POST", f"{BASE_URL}{PATH}?api-version=2021-03-01", json=body)
        answer = await client.send_request(request)
    assert answer.status_code == 200
    assert [row["id"] for row in answer.json()["data"]] == [CLUSTER, VAULT, ACCOUNT]
