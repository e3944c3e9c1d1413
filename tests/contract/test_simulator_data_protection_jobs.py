"""Backup jobs and recovery points in the simulator."""

from datetime import timedelta
from typing import Any

import pytest

from simulator.arm.errors import ArmError
from tests.contract.data_protection_world import CLUSTER, INSTANCE, SNAPSHOT_GROUP, VAULT, World

BACKUP = {"backupRuleOptions": {"ruleName": "BackupHourly", "triggerOption": {}}}
JOB_SECONDS = 184
DAY = 86400


@pytest.fixture
def world() -> World:
    return World()


async def back_up(world: World, body: Any = None) -> str:
    """Trigger an on-demand backup; the id of its job."""
    response = await world.call("POST", f"{INSTANCE}/backup", body or BACKUP)
    assert response.status == 202, response.body
    return str((await world.done(response, 1))["properties"]["jobId"])


async def points(world: World, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.read(f"{INSTANCE}/recoveryPoints{query}"))["value"]
    return found


async def test_a_backup_on_demand_leads_to_a_recovery_point(world: World) -> None:
    await world.ready()
    await world.protect()
    job_id = await back_up(world)
    running = (await world.read(job_id))["properties"]
    assert (running["status"], running["endTime"], running["duration"]) == ("InProgress", None, "PT0S")
    assert await points(world) == []

    done = await world.job_after(job_id, JOB_SECONDS)

    assert (done["status"], done["isUserTriggered"], done["duration"]) == ("Completed", True, "PT3M4.0000000S")
    (point,) = await points(world)
    assert done["extendedInfo"]["targetRecoverPoint"]["recoveryPointID"] == point["name"]
    assert (await world.read(point["id"])) == point
    (listed,) = (await world.read(f"{VAULT}/backupJobs"))["value"]
    assert (listed["id"], listed["properties"]["extendedInfo"]) == (job_id, None)


@pytest.mark.parametrize(
    "options",
    [
        {"ruleName": "Default", "triggerOption": {}},
        {"triggerOption": {}},
        {"ruleName": "BackupHourly", "triggerOption": {"retentionTagOverride": "Yearly"}},
    ],
)
async def test_a_backup_needs_the_backup_rules_name_and_a_known_tag(world: World, options: dict[str, Any]) -> None:
    await world.ready()
    await world.protect()
    refused = await world.call("POST", f"{INSTANCE}/backup", {"backupRuleOptions": options})
    assert (refused.status, refused.body["error"]["code"]) == (400, "BMSUserErrorInvalidInput")
    assert (await world.read(f"{VAULT}/backupJobs"))["value"] == []


async def test_ten_backups_a_day_are_all(world: World) -> None:
    await world.ready()
    await world.protect()
    for _ in range(10):
        await back_up(world)
    assert (await world.call("POST", f"{INSTANCE}/backup", BACKUP)).status == 400
    assert len((await world.read(f"{VAULT}/backupJobs"))["value"]) == 10
    await world.clock.advance(DAY)
    await back_up(world)


async def test_only_what_is_protected_is_backed_up(world: World) -> None:
    await world.ready()
    await world.protect()
    stopped = await world.call("POST", f"{INSTANCE}/stopProtection", {})
    assert (await world.call("POST", f"{INSTANCE}/backup", BACKUP)).status == 409
    await world.done(stopped, 50)
    assert (await world.call("POST", f"{INSTANCE}/backup", BACKUP)).status == 400
    assert world.cloud.data_protection.run_schedule() == []


async def test_a_backup_of_a_stopped_cluster_fails(world: World) -> None:
    await world.ready()
    await world.protect()
    assert (await world.call("POST", f"{CLUSTER}/stop", version="2026-08-01")).status == 202
    await world.clock.advance(world.cloud.timings.cluster_power)
    (job_id,) = world.cloud.data_protection.run_schedule(CLUSTER)
    failed = await world.job_after(job_id, JOB_SECONDS)
    assert (failed["status"], failed["isUserTriggered"]) == ("Failed", False)
    assert failed["errorDetails"][0]["code"] == "UserErrorKubernetesBackupClusterIsStopped"
    assert await points(world) == []


async def test_what_goes_missing_while_a_job_runs_fails_it(world: World) -> None:
    await world.ready()
    await world.protect()
    job_id = await back_up(world)
    lock = f"{SNAPSHOT_GROUP}/providers/Microsoft.Authorization/locks/keep"
    await world.call("PUT", lock, {"properties": {"level": "CanNotDelete"}}, "2020-05-01")
    failed = await world.job_after(job_id, JOB_SECONDS)
    assert failed["errorDetails"][0]["code"] == "UserErrorSnapshotResourceGroupHasLocks"


async def test_a_new_extension_loses_the_backup_that_runs(world: World) -> None:
    await world.ready()
    await world.protect()
    job_id = await back_up(world)
    await world.clock.advance(10)
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    settings = {"properties": {"configurationSettings": {"resources.limits.memory": "2Gi"}}}
    assert (await world.call("PATCH", extension.id, settings, "2025-03-01")).status in (200, 202)
    failed = await world.job_after(job_id, JOB_SECONDS)
    assert failed["errorDetails"][0]["code"] == "UserErrorBackupPluginPodRestartedDuringBackup"


@pytest.mark.parametrize(
    ("operation", "outcome", "status", "code"),
    [
        ("Backup", "completed", "Completed", None),
        ("Backup", "warnings", "CompletedWithWarnings", None),
        ("Backup", "failed", "Failed", "SomeCode"),
        ("Backup", "oom", "Failed", "UserErrorBackupPluginPodRestartedDuringBackup"),
        ("Restore", "oom", "Failed", "UserErrorBackupPluginPodRestartedDuringRestore"),
        ("Restore", "completed", "Completed", None),
    ],
)
async def test_a_job_ends_as_it_was_asked_to(
    world: World, operation: str, outcome: str, status: str, code: str | None
) -> None:
    await world.ready()
    await world.protect()
    job_id = world.cloud.data_protection.add_job(CLUSTER, operation, outcome, None, "SomeCode")
    job = await world.job_after(job_id, 300)
    assert (job["operation"], job["status"]) == (operation, status)
    assert [one["code"] for one in job["errorDetails"] or ()] == ([code] if code else [])


async def test_warnings_name_their_resources_and_leave_a_partial_point(world: World) -> None:
    await world.ready()
    await world.protect()
    warnings: list[Any] = [{"resourceName": "shop/data", "code": "UserErrorPVCHasNoVolume"}, "shop/other"]
    job_id = world.cloud.data_protection.add_job(CLUSTER, "Backup", "warnings", warnings, None)
    job = await world.job_after(job_id, JOB_SECONDS)
    found = [(one["resourceName"], one["warning"]["code"]) for one in job["extendedInfo"]["warningDetails"]]
    assert found == [("shop/data", "UserErrorPVCHasNoVolume"), ("shop/other", "KubernetesBackupGenericWarning")]
    assert [one["properties"]["recoveryPointState"] for one in await points(world)] == ["Partial"]


async def test_a_wanted_outcome_does_not_hide_what_is_missing(world: World) -> None:
    await world.ready()
    await world.protect()
    await world.call("POST", f"{CLUSTER}/stop", version="2026-08-01")
    await world.clock.advance(world.cloud.timings.cluster_power)
    job_id = world.cloud.data_protection.add_job(CLUSTER, "Backup", "completed")
    job = await world.job_after(job_id, JOB_SECONDS)
    assert job["errorDetails"][0]["code"] == "UserErrorKubernetesBackupClusterIsStopped"


async def test_no_job_without_a_protected_instance(world: World) -> None:
    await world.ready()
    with pytest.raises(ArmError) as missing:
        world.cloud.data_protection.add_job(CLUSTER)
    assert missing.value.status == 404


async def test_points_expire_but_the_last_one_stays(world: World) -> None:
    await world.ready()
    await world.protect()
    for _ in range(3):
        world.cloud.data_protection.run_schedule()
        await world.clock.advance(DAY)
    assert len(await points(world)) == 3
    await world.clock.advance(5 * DAY)
    assert len(await points(world)) == 2
    await world.clock.advance(30 * DAY)
    assert len(await points(world)) == 1
    assert len(world.cloud.data_protection.recovery_points(INSTANCE)) == 1


async def test_points_of_stopped_protection_are_kept_for_ever(world: World) -> None:
    await world.ready()
    await world.protect()
    for _ in range(2):
        world.cloud.data_protection.run_schedule()
        await world.clock.advance(DAY)
    await world.call("POST", f"{INSTANCE}/stopProtection", {})
    await world.clock.advance(400 * DAY)
    assert len(await points(world)) == 2


async def test_the_first_point_of_a_day_goes_to_the_vault_store(world: World) -> None:
    await world.ready(vault_tier=True)
    await world.protect()
    for _ in range(2):
        world.cloud.data_protection.run_schedule()
        await world.clock.advance(4 * 3600)
    await world.clock.advance(4 * 3600)
    second, first = await points(world)
    assert [copy["type"] for copy in first["properties"]["recoveryPointDataStoresDetails"]] == [
        "OperationalStore", "VaultStore"
    ]  # fmt: skip
    assert first["properties"]["retentionTagName"] == "daily"
    assert [copy["type"] for copy in second["properties"]["recoveryPointDataStoresDetails"]] == ["OperationalStore"]


async def test_a_copy_in_the_vault_store_outlives_the_operational_one(world: World) -> None:
    await world.ready(vault_tier=True)
    await world.protect()
    for _ in range(4):
        world.cloud.data_protection.run_schedule()
        await world.clock.advance(DAY)
    await world.clock.advance(20 * DAY)
    kinds = [
        [copy["type"] for copy in one["properties"]["recoveryPointDataStoresDetails"]] for one in await points(world)
    ]
    assert kinds == [["OperationalStore", "VaultStore"]] * 2 + [["VaultStore"]] * 2


async def test_points_are_listed_between_dates(world: World) -> None:
    await world.ready()
    await world.protect()
    for _ in range(3):
        world.cloud.data_protection.run_schedule()
        await world.clock.advance(DAY)
    newest, middle, oldest = await points(world)
    day = middle["properties"]["recoveryPointTime"][:10]
    bounds = f"?$filter=startDate eq '{day}T00:00:00.0000000Z' and endDate eq '{day}T23:59:59.0000000Z'"
    assert await points(world, bounds) == [middle]
    assert await points(world, "?$filter=") == [newest, middle, oldest]
    assert (await world.call("GET", f"{INSTANCE}/recoveryPoints?$filter=nonsense")).status == 400


async def test_an_operation_nobody_started_is_not_found(world: World) -> None:
    await world.vault()
    missing = await world.call("GET", f"{VAULT}/operationStatus/bm90aGluZw==")
    assert (missing.status, missing.body["error"]["code"]) == (404, "UserErrorGenericResourceNotFound")


def restore(point: str, cluster: str = CLUSTER, kind: str = "KubernetesClusterRestoreCriteria") -> dict[str, Any]:
    source = {"resourceID": cluster, "objectType": "Datasource"}
    return {
        "objectType": "AzureBackupRecoveryPointBasedRestoreRequest",
        "recoveryPointId": point,
        "sourceDataStoreType": "OperationalStore",
        "restoreTargetInfo": {
            "objectType": "ItemLevelRestoreTargetInfo",
            "datasourceInfo": source,
            "restoreCriteria": [{"objectType": kind}],
        },
    }


async def test_a_restore_needs_a_target_that_is_set_up(world: World) -> None:
    await world.ready()
    await world.protect()
    await world.clock.advance(JOB_SECONDS)
    job_id = await back_up(world)
    await world.job_after(job_id, JOB_SECONDS)
    (point,) = await points(world)
    bare = CLUSTER.replace("/shop", "/bare")
    await world.cluster(bare)
    request = restore(point["name"], bare)
    validation = await world.call("POST", f"{INSTANCE}/validateRestore", {"restoreRequestObject": request})
    failed = await world.done(validation, 41)
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "KubernetesBackupListExtensionsError")
    triggered = await world.call("POST", f"{INSTANCE}/restore", request)
    restore_id = (await world.done(triggered, 1))["properties"]["jobId"]
    assert (await world.job_after(restore_id, 214))["status"] == "Failed"


async def test_restores_that_make_no_sense_are_refused(world: World) -> None:
    await world.ready()
    await world.protect()
    await world.job_after(await back_up(world), JOB_SECONDS)
    (point,) = await points(world)
    unknown, odd = restore("0" * 32), restore(point["name"], kind="Other")
    from_vault = restore(point["name"]) | {"sourceDataStoreType": "VaultStore"}
    without_target = restore(point["name"]) | {"restoreTargetInfo": {}}
    for request in (unknown, odd, from_vault, without_target):
        assert (await world.call("POST", f"{INSTANCE}/restore", request)).status == 400
    for _ in range(10):
        assert (await world.call("POST", f"{INSTANCE}/restore", restore(point["name"]))).status == 202
    assert (await world.call("POST", f"{INSTANCE}/restore", restore(point["name"]))).status == 400


@pytest.mark.parametrize(
    ("operation", "outcome", "warnings"),
    [
        ("Delete", "completed", None),
        ("Backup", "lost", None),
        ("Backup", "warnings", "text"),
        ("Backup", "warnings", [1]),
    ],
)
async def test_jobs_that_cannot_be_are_refused(world: World, operation: str, outcome: str, warnings: Any) -> None:
    await world.ready()
    await world.protect()
    with pytest.raises(ValueError):
        world.cloud.data_protection.add_job(CLUSTER, operation, outcome, warnings)
    assert (await world.read(f"{VAULT}/backupJobs"))["value"] == []


async def test_what_was_missing_at_the_start_fails_the_job_even_if_it_comes(world: World) -> None:
    await world.ready()
    await world.protect()
    lock = f"{SNAPSHOT_GROUP}/providers/Microsoft.Authorization/locks/keep"
    await world.call("PUT", lock, {"properties": {"level": "CanNotDelete"}}, "2020-05-01")
    job_id = await back_up(world)
    await world.call("DELETE", lock, version="2020-05-01")
    assert (await world.job_after(job_id, JOB_SECONDS))["status"] == "Failed"


async def test_one_point_in_24_hours_goes_to_the_vault_store(world: World) -> None:
    await world.ready(vault_tier=True)
    await world.protect()
    start = world.clock.now().replace(hour=23, minute=0, second=0)
    for hours in (0, 2, 26):  # the first backups of three days
        await world.clock.advance_to(start + timedelta(hours=hours))
        world.cloud.data_protection.run_schedule()
    await world.clock.advance(5 * 3600)
    kinds = [len(one["properties"]["recoveryPointDataStoresDetails"]) for one in reversed(await points(world))]
    tags = {one["properties"]["retentionTagName"] for one in await points(world)}
    assert (kinds, tags) == ([2, 1, 2], {"daily"})
