"""What the reader sees of the extension's memory, of what it rests on, and of what must not be disturbed."""

import re
from typing import Any

import pytest

from shared.domain.facts import Present, Unobserved, value_of
from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster
from shared.domain.reads import ClusterReads
from shared.domain.steps import StartBackup, UpdateExtension
from shared.observe.backup_job import parse_job
from shared.observe.managed_cluster import parse_cluster
from shared.observe.running_jobs import running_jobs
from shared.observe.vm_sizes import memory_of
from simulator.arm.faults import Fault
from tests.contract.azure_under_test import AzureUnderTest

EXTENSION = "providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"


async def seen(azure: AzureUnderTest, cluster: Any, **reads: Any) -> ObservedCluster:
    """Further facts need the first ones: the cluster's nodes, the instances' vaults."""
    known = (await azure.look(cluster, cluster=True, instances=True)).observed
    reading = await azure.reader.read_cluster(cluster, ClusterReads(**reads), known)
    assert reading.errors == ()
    return reading.observed


async def test_the_limits_and_the_last_change_of_the_extension() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    before = value_of((await seen(azure, cluster, extension=True)).extension)
    settings = {
        "resources.limits.memory": "4400Mi",
        "resources.limits.cpu": "1500m",
        "resources.requests.memory": "1Gi",
    }
    await azure.done(UpdateExtension(f"{cluster}/{EXTENSION}", settings), wait=600)
    changed_at = azure.clock.now()

    after = value_of((await seen(azure, cluster, extension=True)).extension)

    assert before is not None
    assert after is not None
    assert (before.memory_limit, before.cpu_limit, before.memory_request) == ("2Gi", "", "")
    assert (after.memory_limit, after.cpu_limit, after.memory_request) == ("4400Mi", "1500m", "1Gi")
    assert before.changed_at is not None
    assert after.changed_at is not None
    assert before.changed_at < after.changed_at <= changed_at


async def test_the_memory_of_the_nodes_that_the_cluster_has_and_no_other() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    observed = await seen(azure, cluster, node_memory_in="westeurope")
    nodes = value_of(observed.cluster)
    assert nodes is not None
    sizes = {pool.vm_size.lower() for pool in nodes.node_pools}
    assert sizes
    assert set(value_of(observed.node_memory) or {}) == sizes
    assert all(memory >= 4096 for memory in (value_of(observed.node_memory) or {}).values())


async def test_whoever_may_not_read_vm_sizes_knows_none_and_goes_on() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    azure.cloud.front_door.faults.add(Fault("no", "GET", None, 1, 1, status=403, code="AuthorizationFailed"))
    reading = await azure.look(cluster, node_memory_in="westeurope")
    assert reading.observed.node_memory == Present({}, azure.clock.now())
    assert reading.errors == ()


async def test_busy_is_not_unknown() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    azure.cloud.front_door.faults.add(Fault("busy", "GET", None, 1, 9, status=503, code="ServerTimeout"))
    reading = await azure.look(cluster, node_memory_in="westeurope")
    assert isinstance(reading.observed.node_memory, Unobserved)
    assert [error.kind for error in reading.errors] == ["transient"]


async def test_a_backup_is_seen_at_once_although_resource_graph_lags_and_no_more_when_it_has_ended() -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    assert value_of((await seen(azure, cluster, running_jobs=True)).running_jobs) == ()
    await azure.done(StartBackup(body.arm_id, "BackupDaily", "AlwaysOn"), wait=2)

    (job,) = value_of((await seen(azure, cluster, running_jobs=True)).running_jobs) or ()

    assert job.operation == "Backup"
    assert job.started_at <= azure.clock.now()
    await azure.clock.advance(1200)
    assert value_of((await seen(azure, cluster, running_jobs=True)).running_jobs) == ()


@pytest.mark.parametrize("path", ["microsoft.resourcegraph/resources", "/backupjobs"])
async def test_only_who_has_seen_both_sources_knows_that_nothing_runs(path: str) -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    known = (await azure.look(cluster, cluster=True, instances=True)).observed
    pattern = re.compile(path, re.IGNORECASE)
    azure.cloud.front_door.faults.add(Fault("down", None, pattern, 1, 9, status=503, code="ServiceUnavailable"))
    reading = await azure.reader.read_cluster(cluster, ClusterReads(running_jobs=True), known)
    assert isinstance(reading.observed.running_jobs, Unobserved)
    assert reading.errors


async def test_at_most_three_pages_of_a_vaults_jobs_are_read() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    for _ in range(330):
        azure.cloud.data_protection.add_job(cluster.arm_id, "Backup", "completed")
    before = len(azure.cloud.front_door.calls.all())
    await seen(azure, cluster, running_jobs=True)
    pages = [c for c in azure.cloud.front_door.calls.all()[before:] if c.path.lower().endswith("/backupjobs")]
    assert len(pages) == 3, "of the four that there are"


async def test_the_evidence_is_the_jobs_own_word() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    job_id = azure.cloud.data_protection.add_job(cluster.arm_id, "Backup", "oom")
    await azure.clock.advance(1200)
    job = value_of((await seen(azure, cluster, evidence_id=job_id)).evidence)
    assert job is not None
    assert job.status == "Failed"
    assert "UserErrorBackupPluginPodRestartedDuringBackup" in job.error_codes


async def test_tags_of_the_resource_group() -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    body = b'{"location": "westeurope", "tags": {"owner": "checkout"}}'
    group = f"/subscriptions/{cluster.subscription_id}/resourceGroups/{cluster.resource_group}"
    await azure.call("PUT", group, "2025-04-01", body)
    assert value_of((await azure.look(cluster, group_tags=True)).observed.group_tags) == {"owner": "checkout"}


def job(**changes: Any) -> dict[str, Any]:
    properties = {
        "dataSourceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/shop",
        "status": "InProgress",
        "operationCategory": "Backup",
        "startTime": "2026-03-01T02:00:00.1234567Z",
        **changes,
    }
    return {"id": "/v/backupJobs/j", "properties": properties}


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        ({}, True),
        ({"status": "inprogress"}, True),
        ({"status": "Cancelling"}, True),
        ({"status": "NeverHeardOf"}, True),
        ({"status": "completedWithWarnings"}, False),
        ({"status": "Failed"}, False),
        ({"operationCategory": "Management"}, False),
        ({"operationCategory": "Tiering"}, False),
        ({"dataSourceId": "/subscriptions/s/other"}, False),
        ({"dataSourceId": "/subscriptions/s/other", "operationCategory": "Restore"}, True),
        (
            {
                "dataSourceId": "/subscriptions/s/other",
                "operationCategory": "Restore",
                "extendedInfo": {"recoveryDestination": "/subscriptions/s/third"},
            },
            False,
        ),
    ],
)
async def test_what_counts_as_running(changes: dict[str, Any], runs: bool) -> None:
    cluster = ClusterId("s", "g", "shop")
    assert bool(running_jobs([job(**changes)], cluster)) == runs


def test_codes_of_a_job_are_all_of_them() -> None:
    errors = [
        {"code": "Outer", "message": "m", "innerError": {"code": "Inner", "embeddedInnerError": None}},
        {"code": "Second", "message": "m", "details": [{"code": "Detail"}]},
    ]
    parsed = parse_job(job(status="Failed", errorDetails=errors))
    assert set(parsed.error_codes) == {"Outer", "Inner", "Second", "Detail"}


def test_sizes_without_a_memory_are_unknown() -> None:
    bodies: list[dict[str, Any]] = [
        {"name": "Standard_D4s_v5", "memoryInMB": 16384},
        {"name": "Standard_Odd", "memoryInMB": "much"},
        {"name": "Standard_Other", "memoryInMB": 8192},
    ]
    assert memory_of(bodies, {"STANDARD_D4S_V5", "standard_odd"}) == {"standard_d4s_v5": 16384}


def test_which_node_pools_take_pods() -> None:
    pools = [
        {"name": "system", "vmSize": "Standard_D4s_v5", "count": 3, "osType": "Linux", "nodeImageVersion": "one"},
        {"name": "tainted", "vmSize": "Standard_D2s_v5", "nodeTaints": ["sku=gpu:NoSchedule"]},
        {"name": "prefer", "vmSize": "Standard_D8s_v5", "nodeTaints": ["a=b:PreferNoSchedule"]},
        {"name": "windows", "vmSize": "Standard_D2s_v5", "osType": "Windows"},
        {"name": "arm", "vmSize": "Standard_D4ps_v5", "osType": "Linux"},
    ]
    body = {
        "id": "/c",
        "name": "c",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", "agentPoolProfiles": pools},
    }
    found = parse_cluster(body).node_pools
    assert [(pool.name, pool.takes_pods) for pool in found] == [
        ("system", True),
        ("tainted", False),
        ("prefer", True),
        ("windows", False),
        ("arm", False),
    ]
    assert (found[0].count, found[0].image) == (3, "one")
