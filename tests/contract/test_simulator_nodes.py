"""The nodes of a cluster and the sizes that they can have."""

from typing import Any

import pytest

from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller

AKS = "2026-08-01"
SIZES = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/vmSizes"


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller()


async def made(arm: ArmCaller, **overrides: Any) -> str:
    wanted = {"count": 1, "location": "westeurope", "overrides": {"settled": True, **overrides}}
    answer = await arm.control("POST", "clusters", wanted)
    assert answer.status == 200, answer.body
    return str(answer.body["ids"][0])


async def pools(arm: ArmCaller, cluster: str) -> list[dict[str, Any]]:
    """As the cluster's GET has them; each pool's own GET says the same."""
    properties = (await arm.call("GET", cluster, version=AKS)).body["properties"]
    found: list[dict[str, Any]] = properties["agentPoolProfiles"]
    for pool in found:
        alone = (await arm.call("GET", f"{cluster}/agentPools/{pool['name']}", version=AKS)).body
        assert {"name": alone["name"], **alone["properties"]} == pool
    return found


async def test_a_cluster_says_what_its_nodes_are(arm: ArmCaller) -> None:
    (pool,) = await pools(arm, await made(arm))
    assert (pool["name"], pool["count"], pool["vmSize"]) == ("nodepool1", 3, "Standard_D4s_v5")
    assert (pool["osType"], pool["mode"], pool["enableAutoScaling"]) == ("Linux", "System", False)
    assert pool["nodeImageVersion"].startswith("AKSUbuntu-")
    assert pool["orchestratorVersion"].count(".") == 2


async def test_nodes_are_made_to_order(arm: ArmCaller) -> None:
    (pool,) = await pools(arm, await made(arm, node_size="Standard_D8s_v5", node_count=7))
    assert (pool["count"], pool["vmSize"]) == (7, "Standard_D8s_v5")
    user = {
        "name": "apps",
        "count": 2,
        "mode": "User",
        "vmSize": "Standard_E8s_v5",
        "nodeTaints": ["team=red:NoSchedule"],
        "nodeLabels": {"team": "red"},
        "enableAutoScaling": True,
        "minCount": 1,
        "maxCount": 9,
        "nodeImageVersion": "AKSUbuntu-old",
        "orchestratorVersion": "1.32.7",
    }
    cluster = await made(arm, node_pools=[{"name": "system"}, user], node_size="Standard_B2ms", node_count=1)
    system, apps = await pools(arm, cluster)
    assert (system["vmSize"], system["count"]) == ("Standard_B2ms", 1)
    assert user.items() <= apps.items()
    assert "nodeTaints" not in system


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"node_count": -1}, "overrides.node_count"),
        ({"node_count": 10_000}, "overrides.node_count"),
        ({"node_pools": []}, "overrides.node_pools"),
        ({"node_pools": ["system"]}, "overrides.node_pools"),
        ({"node_pools": [{"name": "a"}, {"name": "A"}]}, "overrides.node_pools"),
        ({"node_pools": [{"count": 1}]}, "overrides.node_pools[0].name"),
        ({"node_pools": [{"name": "a", "size": "big"}]}, "overrides.node_pools[0].size"),
        ({"node_pools": [{"name": "a", "count": "3"}]}, "overrides.node_pools[0].count"),
    ],
)
async def test_nodes_that_cannot_be_are_refused(arm: ArmCaller, overrides: dict[str, Any], field: str) -> None:
    refused = await arm.control("POST", "clusters", {"count": 1, "location": "westeurope", "overrides": overrides})
    assert (refused.status, refused.body["error"]["target"]) == (400, field)
    assert arm.cloud.container_service.clusters() == []


async def test_nodes_change(arm: ArmCaller) -> None:
    cluster = await made(arm, node_pools=[{"name": "one", "count": 1}, {"name": "two", "count": 1}])
    before = await arm.call("GET", cluster, version=AKS)
    answer = await arm.control("POST", "clusters/nodes", {"cluster": cluster, "pool": "Two", "count": 5})
    assert answer.body["pools"] == await pools(arm, cluster)
    assert [pool["count"] for pool in await pools(arm, cluster)] == [1, 5]
    await arm.control("POST", "clusters/nodes", {"cluster": cluster, "node_image": "AKSUbuntu-next"})
    assert {pool["nodeImageVersion"] for pool in await pools(arm, cluster)} == {"AKSUbuntu-next"}
    assert (await arm.call("GET", cluster, version=AKS)).body["eTag"] != before.body["eTag"]


@pytest.mark.parametrize(
    ("wanted", "status"), [({"pool": "three"}, 404), ({"count": -1}, 400), ({"image": "x"}, 400), ({"pool": 1}, 400)]
)
async def test_nodes_that_are_not_there_do_not_change(arm: ArmCaller, wanted: dict[str, Any], status: int) -> None:
    cluster = await made(arm)
    before = await pools(arm, cluster)
    assert (await arm.control("POST", "clusters/nodes", {"cluster": cluster, **wanted})).status == status
    assert await pools(arm, cluster) == before


@pytest.mark.parametrize(
    ("node_pools", "memory"),
    [
        ([{"name": "a", "vmSize": "Standard_D4s_v5"}, {"name": "b", "vmSize": "Standard_E8s_v5"}], 65536),
        ([{"name": "a"}, {"name": "b", "vmSize": "Standard_E8s_v5", "nodeTaints": ["gpu=yes:NoSchedule"]}], 16384),
        ([{"name": "a"}, {"name": "b", "vmSize": "Standard_E8s_v5", "nodeTaints": ["x:PreferNoSchedule"]}], 65536),
        ([{"name": "a"}, {"name": "b", "vmSize": "Standard_E8s_v5", "osType": "Windows"}], 16384),
        ([{"name": "a"}, {"name": "b", "vmSize": "Standard_D4ps_v6"}], 16384),
        ([{"name": "a"}, {"name": "b", "vmSize": "Standard_E8s_v5", "count": 0}], 16384),
        (
            [{"name": "a"}, {"name": "b", "vmSize": "Standard_E8s_v5", "count": 0, "enableAutoScaling": True,
              "maxCount": 2}],
            65536,
        ),
        ([{"name": "a", "vmSize": "Standard_X1_v9"}], float("inf")),
        ([{"name": "a", "count": 0}], 0),
    ],
)  # fmt: skip
async def test_the_largest_node_that_takes_the_extensions_pod(
    arm: ArmCaller, node_pools: list[dict[str, Any]], memory: float
) -> None:
    cluster = arm.cloud.container_service.cluster(await made(arm, node_pools=node_pools))
    assert cluster is not None
    assert arm.cloud.container_service.largest_node_mi(cluster) == memory


async def test_container_insights_shows_where_it_sends_to(arm: ArmCaller) -> None:
    workspace = f"{SUBSCRIPTION}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/main"
    cluster_id = await made(arm, container_insights=workspace)
    addon = (await arm.call("GET", cluster_id, version=AKS)).body["properties"]["addonProfiles"]["omsagent"]
    assert (addon["enabled"], addon["config"]["logAnalyticsWorkspaceResourceID"]) == (True, workspace)
    for wanted, expected in ((cluster_id, workspace), (await made(arm), None)):
        cluster = arm.cloud.container_service.cluster(wanted)
        assert cluster is not None
        assert cluster.container_insights_workspace == expected


@pytest.mark.parametrize(
    "addons",
    [
        {"omsagent": {"enabled": False, "config": {"logAnalyticsWorkspaceResourceID": "/w"}}},
        {"omsagent": {"enabled": True, "config": None}},
        {"omsagent": {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": 1}}},
        {"omsagent": "on"},
        [],
    ],
)
async def test_an_addon_that_is_off_or_odd_sends_nothing(arm: ArmCaller, addons: Any) -> None:
    cluster_id = await made(arm, container_insights="/w")
    body = (await arm.call("GET", cluster_id, version=AKS)).body
    body["properties"]["addonProfiles"] = addons
    assert (await arm.call("PUT", cluster_id, body, version=AKS)).status == 200
    cluster = arm.cloud.container_service.cluster(cluster_id)
    assert cluster is not None
    assert cluster.container_insights_workspace is None


async def test_sizes_of_nodes_are_listed(arm: ArmCaller) -> None:
    answer = await arm.call("GET", SIZES, version="2024-07-01")
    assert answer.status == 200
    sizes = {size["name"]: size for size in answer.body["value"]}
    assert sizes["Standard_D4s_v5"] == {
        "name": "Standard_D4s_v5",
        "numberOfCores": 4,
        "osDiskSizeInMB": 1047552,
        "resourceDiskSizeInMB": 0,
        "memoryInMB": 16384,
        "maxDataDiskCount": 8,
    }
    assert len(sizes) >= 25
    assert (await pools(arm, await made(arm)))[0]["vmSize"] in sizes


@pytest.mark.parametrize(
    ("path", "version"), [(SIZES.replace("westeurope", "atlantis"), "2024-07-01"), (SIZES, "1999")]
)
async def test_sizes_of_nowhere_are_refused(arm: ArmCaller, path: str, version: str) -> None:
    assert (await arm.call("GET", path, version=version)).status == 400


async def test_sizes_need_the_right_to_read(arm: ArmCaller) -> None:
    stranger = arm.cloud.identity.new_principal("stranger")
    assert (await arm.call("GET", SIZES, version="2024-07-01", principal=stranger)).status == 403
