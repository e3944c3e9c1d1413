"""The disks of clusters' volumes: in ARM and in Resource Graph, with the disk driver's tags."""

from typing import Any

import pytest

from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller

GRAPH = "/providers/Microsoft.ResourceGraph/resources"
DISKS = "resources | where type =~ 'microsoft.compute/disks' | order by name asc"
VERSION = "2024-03-02"


@pytest.fixture
async def arm() -> ArmCaller:
    """A cluster with two disks, one of them attached, and volumes of other kinds."""
    arm = ArmCaller()
    volumes = [
        {"name": "pvc-1", "namespace": "shop", "claim": "data", "size_gib": 256},
        {"name": "pvc-2", "namespace": "web", "attached": False},
        {"name": "files", "namespace": "web", "kind": "azure-file-smb"},
        {"name": "waiting", "namespace": "web", "kind": "unbound"},
    ]
    overrides = {"name": "shop", "resource_group": "apps", "contents": {"volumes": volumes}, "settled": True}
    order = {"count": 1, "location": "westeurope", "overrides": overrides}
    assert (await arm.control("POST", "clusters", order)).status == 200
    await arm.clock.advance(arm.cloud.timings.resource_graph_lag)
    return arm


async def rows(arm: ArmCaller) -> list[dict[str, Any]]:
    answer = await arm.call("POST", GRAPH, {"query": DISKS}, version="2021-03-01")
    found: list[dict[str, Any]] = answer.body["data"]
    return found


async def test_volumes_on_azure_disks_are_disks_of_the_node_resource_group(arm: ArmCaller) -> None:
    first, second = await rows(arm)
    assert first["tags"] == {
        "k8s-azure-created-by": "kubernetes-azure-dd",
        "kubernetes.io-created-for-pv-name": "pvc-1",
        "kubernetes.io-created-for-pvc-name": "data",
        "kubernetes.io-created-for-pvc-namespace": "shop",
    }
    assert (first["resourceGroup"], first["properties"]["diskSizeGB"]) == ("mc_apps_shop_westeurope", 256)
    assert (second["tags"]["kubernetes.io-created-for-pvc-name"], second["properties"]["diskSizeGB"]) == ("pvc-2", 8)
    assert "/virtualMachineScaleSets/aks-nodepool1-" in first["managedBy"]
    assert second["managedBy"] == ""
    assert [row["properties"]["diskState"] for row in (first, second)] == ["Attached", "Unattached"]


async def test_the_graph_shows_what_arm_answers(arm: ArmCaller) -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/MC_apps_shop_westeurope/providers/Microsoft.Compute/disks"
    listed = (await arm.call("GET", group, version=VERSION)).body["value"]
    whole = await arm.call("GET", f"{SUBSCRIPTION}/providers/Microsoft.Compute/disks", version=VERSION)
    assert listed == whole.body["value"]
    assert [disk["id"] for disk in listed] == [f"{group}/pvc-1", f"{group}/pvc-2"]
    for disk, row in zip(listed, await rows(arm), strict=True):
        assert (await arm.call("GET", disk["id"], version=VERSION)).body == disk
        assert row["properties"] == disk["properties"]
        assert row["sku"] == disk["sku"]
    assert (await arm.call("GET", f"{group}/nothing", version=VERSION)).status == 404
    assert (await arm.call("PUT", f"{group}/mine", {}, version=VERSION)).status == 405


async def test_they_come_and_go_with_the_volumes_and_leave_a_stopped_cluster(arm: ArmCaller) -> None:
    cluster = f"{SUBSCRIPTION}/resourceGroups/apps/providers/Microsoft.ContainerService/managedClusters/shop"
    assert len(await rows(arm)) == 2
    volumes = [{"name": "pvc-1", "namespace": "shop", "claim": "data", "size_gib": 512}]
    await arm.control("POST", "clusters/contents", {"cluster": cluster, "volumes": volumes})
    assert (await arm.call("POST", f"{cluster}/stop", version="2026-08-01")).status == 202
    await arm.clock.advance(arm.cloud.timings.cluster_power + 2 * arm.cloud.timings.resource_graph_lag)
    await rows(arm)
    await arm.clock.advance(2 * arm.cloud.timings.resource_graph_lag)
    (left,) = await rows(arm)
    assert (left["properties"]["diskSizeGB"], left["properties"]["diskState"]) == (512, "Unattached")


@pytest.mark.parametrize("volume", [{"size_gib": 0}, {"size_gib": "large"}, {"attached": "yes"}])
async def test_bad_sizes_are_refused(arm: ArmCaller, volume: dict[str, Any]) -> None:
    overrides = {"contents": {"volumes": [{"name": "v", "namespace": "shop", **volume}]}}
    order = {"count": 1, "location": "westeurope", "overrides": overrides}
    assert (await arm.control("POST", "clusters", order)).status == 400
