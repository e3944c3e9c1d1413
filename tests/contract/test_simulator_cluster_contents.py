"""What is in a cluster decides what its backups warn of."""

import json
from typing import Any

import pytest

from simulator.http import Request, Response
from tests.contract.data_protection_world import CLUSTER, INSTANCE, POLICY, World, instance

BACKUP = {"backupRuleOptions": {"ruleName": "BackupHourly", "triggerOption": {}}}
JOB_SECONDS = 184
DAY = 86400


async def control(world: World, path: str, body: Any) -> Response:
    return await world.cloud.respond(Request("POST", f"/simulator/{path}", body=json.dumps(body).encode()))


async def contents(world: World, **wanted: Any) -> dict[str, Any]:
    response = await control(world, "clusters/contents", {"cluster": CLUSTER, **wanted})
    assert response.status == 200, response.body
    body: dict[str, Any] = response.body
    return body


def scoped(**parameters: Any) -> dict[str, Any]:
    """The body of an instance with these parameters."""
    body = instance()
    body["properties"]["policyInfo"]["policyParameters"]["backupDatasourceParametersList"][0].update(parameters)
    return body


async def backed_up(world: World) -> dict[str, Any]:
    """The job of a scheduled backup, once it is over."""
    (job_id,) = (await control(world, "schedule/run", {"cluster": CLUSTER})).body["ids"]
    return await world.job_after(job_id, JOB_SECONDS)


def warned(job: dict[str, Any]) -> dict[str, str]:
    """Resource and code of the warnings, each of which says what to do."""
    found = job["extendedInfo"]["warningDetails"] or []
    assert all(one["warning"]["recommendedAction"] and one["warning"]["message"] for one in found)
    return {one["resourceName"]: one["warning"]["code"] for one in found}


async def point_states(world: World) -> list[str | None]:
    found = (await world.read(f"{INSTANCE}/recoveryPoints"))["value"]
    return [one["properties"]["recoveryPointState"] for one in found]


@pytest.fixture
async def world() -> World:
    made = World()
    await made.ready()
    return made


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"kind": "nfs"}, "KubernetesBackupGenericWarning"),
        ({"kind": "in-tree"}, "KubernetesBackupGenericWarning"),
        ({"kind": "blob"}, "KubernetesBackupGenericWarning"),
        ({"kind": "azure-file-smb"}, "KubernetesBackupGenericWarning"),
        ({"kind": "unbound"}, "UserErrorPVCNotBoundToVolume"),
        ({"kind": "no-storage-class"}, "UserErrorStorageClassMissingForPVC"),
        ({"kind": "azure-disk", "snapshots": 500}, "UserErrorPVSnapshotLimitReached"),
        ({"kind": "azure-disk", "snapshots": 499}, None),
    ],
)
async def test_a_volume_that_cannot_be_backed_up_is_warned_of(
    world: World, wanted: dict[str, Any], code: str | None
) -> None:
    volumes = [{"name": "pv-1", "namespace": "shop", "claim": "data", **wanted}, {"name": "pv-2", "namespace": "web"}]
    await contents(world, volumes=volumes)
    await world.protect()
    job = await backed_up(world)
    assert warned(job) == ({"shop/data": code} if code else {})
    assert job["status"] == ("CompletedWithWarnings" if code else "Completed")
    assert await point_states(world) == ["Partial" if code else None]
    held = {one["name"]: one["backup_snapshots"] for one in (await contents(world))["volumes"]}
    assert held == {"pv-1": 0 if code else 1, "pv-2": 1}


async def test_a_backup_on_demand_warns_as_a_scheduled_one_does(world: World) -> None:
    await contents(world, volumes=[{"name": "share", "namespace": "shop", "kind": "nfs"}])
    await world.protect()
    triggered = await world.call("POST", f"{INSTANCE}/backup", BACKUP)
    job_id = (await world.done(triggered, 1))["properties"]["jobId"]
    job = await world.job_after(job_id, JOB_SECONDS)
    assert (job["isUserTriggered"], job["status"]) == (True, "CompletedWithWarnings")
    assert warned(job) == {"shop/share": "KubernetesBackupGenericWarning"}
    assert job["extendedInfo"]["targetRecoverPoint"] is not None


@pytest.mark.parametrize(
    "parameters",
    [
        {"excludedNamespaces": ["shop"]},
        {"includedNamespaces": ["web"]},
        {"snapshotVolumes": False},
    ],
)
async def test_what_is_out_of_scope_is_not_warned_of(world: World, parameters: dict[str, Any]) -> None:
    kinds = ("nfs", "unbound", "no-storage-class")
    await contents(world, volumes=[{"name": kind, "namespace": "shop", "kind": kind} for kind in kinds])
    await world.protect(body=scoped(**parameters))
    assert (await backed_up(world))["status"] == "Completed"


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["AzureDisk"], {"shop/export": "KubernetesBackupGenericWarning"}),
        (["AzureDisk", "AzureFileShareSMB"], {"shop/export": "KubernetesBackupGenericWarning"}),
        (None, {"shop/export": "KubernetesBackupGenericWarning", "shop/share": "KubernetesBackupGenericWarning"}),
    ],
)
async def test_the_types_of_volumes_select_among_those_that_have_one(
    world: World, types: list[str] | None, expected: dict[str, str]
) -> None:
    volumes = [
        {"name": "share", "namespace": "shop", "kind": "azure-file-smb"},
        {"name": "export", "namespace": "shop", "kind": "nfs"},
    ]
    await contents(world, volumes=volumes)
    await world.protect(body=scoped(includedVolumeTypes=types))
    assert warned(await backed_up(world)) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        {"includedNamespaces": "shop"},
        {"excludedNamespaces": [1]},
        {"includedVolumeTypes": {"AzureDisk": True}},
        {"backupHookReferences": ["freeze"]},
        {"backupHookReferences": [{"name": "freeze"}]},
    ],
)
async def test_a_scope_that_makes_no_sense_is_refused(world: World, parameters: dict[str, Any]) -> None:
    refused = await world.call("PUT", INSTANCE, scoped(**parameters))
    assert (refused.status, refused.body["error"]["code"]) == (400, "BMSUserErrorInvalidInput")
    assert (await world.call("GET", INSTANCE)).status == 404


async def test_system_namespaces_are_never_backed_up(world: World) -> None:
    volume = {"name": "logs", "namespace": "kube-system", "kind": "nfs"}
    await contents(world, namespaces=["kube-system", "shop"], volumes=[volume])
    await world.protect()
    assert (await backed_up(world))["status"] == "Completed"


async def test_an_included_namespace_that_is_not_there_is_warned_of_until_it_is(world: World) -> None:
    await world.protect(body=scoped(includedNamespaces=["shop", "gone"]))
    assert warned(await backed_up(world)) == {"gone": "UserErrorNamespaceNotFound"}
    await contents(world, namespaces=["shop", "gone"])
    assert (await backed_up(world))["status"] == "Completed"


async def test_hooks_that_fail_are_warned_of_where_they_are_referenced(world: World) -> None:
    hooks = [{"name": "freeze", "namespace": "shop", "fails": True}, {"name": "flush", "namespace": "shop"}]
    await contents(world, hooks=[*hooks, {"name": "unused", "namespace": "web", "fails": True}])
    named = [{"name": name, "namespace": "shop"} for name in ("freeze", "flush", "missing")]
    await world.protect(body=scoped(backupHookReferences=named))
    expected = {"shop/freeze": "UserErrorHookExecutionFailed", "shop/missing": "UserErrorHookExecutionFailed"}
    assert warned(await backed_up(world)) == expected


async def test_a_policy_against_snapshots_lasts_until_it_is_gone(world: World) -> None:
    await contents(world, snapshots_disallowed_by_policy=True)
    await world.protect()
    assert warned(await backed_up(world)) == {"shop/data": "UserErrorPVSnapshotDisallowedByPolicy"}
    await contents(world, snapshots_disallowed_by_policy=False)
    assert (await backed_up(world))["status"] == "Completed"


async def test_a_slow_csi_driver_is_met_as_often_as_it_was_said(world: World) -> None:
    volumes = [{"name": name, "namespace": "shop"} for name in ("one", "two")]
    await contents(world, volumes=volumes, slow_csi_snapshots=2)
    await world.protect()
    met = [warned(await backed_up(world)) for _ in range(3)]
    assert met == [{"shop/one": "CSISnapshottingTimedOut"}] * 2 + [{}]


async def test_snapshots_of_recovery_points_count_and_go_with_them(world: World) -> None:
    await contents(world, volumes=[{"name": "data", "namespace": "shop", "snapshots": 498}])
    await world.protect()
    jobs = []
    for _ in range(3):
        jobs.append(await backed_up(world))
        await world.clock.advance(DAY)
    assert [job["status"] for job in jobs] == ["Completed", "Completed", "CompletedWithWarnings"]
    assert warned(jobs[2]) == {"shop/data": "UserErrorPVSnapshotLimitReached"}
    await world.clock.advance(8 * DAY)  # the policy keeps for a week, and the last point for ever
    assert (await contents(world))["volumes"][0]["backup_snapshots"] == 0
    assert (await backed_up(world))["status"] == "Completed"


async def test_a_copy_in_the_vault_store_holds_no_snapshot() -> None:
    world = World()
    await world.ready(vault_tier=True)
    await world.protect()
    for _ in range(2):
        await backed_up(world)
    assert (await contents(world))["volumes"][0]["backup_snapshots"] == 2
    for _ in range(9):
        await world.clock.advance(DAY)
        await backed_up(world)
    stores = [
        {copy["type"] for copy in one["properties"]["recoveryPointDataStoresDetails"]}
        for one in (await world.read(f"{INSTANCE}/recoveryPoints"))["value"]
    ]
    held = (await contents(world))["volumes"][0]["backup_snapshots"]
    assert {"VaultStore"} in stores
    assert held == sum("OperationalStore" in found for found in stores)


async def test_a_job_whose_end_was_asked_for_does_not_look(world: World) -> None:
    await contents(world, volumes=[{"name": "share", "namespace": "shop", "kind": "nfs"}], resource_count=5_000)
    await world.protect()
    wanted = {"cluster": CLUSTER, "operation": "Backup", "outcome": "completed"}
    job_id = (await control(world, "jobs", wanted)).body["id"]
    assert (await world.job_after(job_id, JOB_SECONDS))["status"] == "Completed"


async def test_contents_are_given_when_the_cluster_is_made_and_change_in_part(world: World) -> None:
    order = {
        "namespaces": ["a", "b"],
        "resource_count": 3_000,
        "volumes": [{"name": "v", "namespace": "a"}],
        "hooks": [{"name": "h", "namespace": "b"}],
    }
    wanted = {"count": 2, "location": "westeurope", "overrides": {"contents": order}}
    _, cluster_id = (await control(world, "clusters", wanted)).body["ids"]
    made = (await control(world, "clusters/contents", {"cluster": cluster_id})).body
    assert made == {
        "namespaces": ["a", "b"],
        "resource_count": 3_000,
        "volumes": [
            {
                **{"name": "v", "namespace": "a", "claim": "v", "kind": "azure-disk"},
                **{"snapshots": 0, "backup_snapshots": 0, "size_gib": 8, "attached": True},
            }
        ],
        "hooks": [{"name": "h", "namespace": "b", "fails": False}],
        "snapshots_disallowed_by_policy": False,
        "slow_csi_snapshots": 0,
    }
    left = (await control(world, "clusters/contents", {"cluster": cluster_id, "namespaces": ["b", "c"]})).body
    assert (left["volumes"], [hook["name"] for hook in left["hooks"]], left["resource_count"]) == ([], ["h"], 3_000)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"resource_count": -1}, "resource_count"),
        ({"resource_count": 10**9}, "resource_count"),
        ({"namespaces": "shop"}, "namespaces"),
        ({"namespaces": ["a", "a"]}, "namespaces"),
        ({"namespaces": ["n"] * 10_001}, "namespaces"),
        ({"volumes": [1]}, "volumes"),
        ({"volumes": [{"namespace": "shop"}]}, "volumes[0].name"),
        ({"volumes": [{"name": "v" * 5_000, "namespace": "shop"}]}, "volumes[0].name"),
        ({"volumes": [{"name": "v", "namespace": "nowhere"}]}, "volumes[0].namespace"),
        ({"volumes": [{"name": "v", "namespace": "shop", "kind": "tape"}]}, "volumes[0].kind"),
        ({"volumes": [{"name": "v", "namespace": "shop", "snapshots": True}]}, "volumes[0].snapshots"),
        ({"volumes": [{"name": "v", "namespace": "shop", "size": 1}]}, "volumes[0].size"),
        ({"volumes": [{"name": "v", "namespace": "shop"}] * 2}, "volumes"),
        ({"hooks": [{"name": "h", "namespace": "shop", "fails": "yes"}]}, "hooks[0].fails"),
        ({"slow_csi_snapshots": "many"}, "slow_csi_snapshots"),
        ({"snapshots_disallowed_by_policy": 1}, "snapshots_disallowed_by_policy"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_contents_that_cannot_be_are_refused_and_change_nothing(
    world: World, wanted: dict[str, Any], field: str
) -> None:
    before = await contents(world)
    refused = await control(world, "clusters/contents", {"cluster": CLUSTER, **wanted})
    assert (refused.status, refused.body["error"]["target"]) == (400, field)
    assert await contents(world) == before
    order = {"count": 1, "location": "westeurope", "overrides": {"contents": wanted}}
    refused = await control(world, "clusters", order)
    assert (refused.status, refused.body["error"]["target"]) == (400, f"overrides.contents.{field}")


async def test_contents_of_no_cluster(world: World) -> None:
    refused = await control(world, "clusters/contents", {"cluster": POLICY})
    assert (refused.status, refused.body["error"]["target"]) == (400, "cluster")
