"""Clusters that the control endpoint makes protected at once: as whole as those that were protected call by call."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from simulator.cloud import FIRST_SUBSCRIPTION
from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller

GRAPH = "/providers/Microsoft.ResourceGraph/resources"
INSTANCES = "recoveryservicesresources | where type endswith '/backupinstances'"
JOBS = "recoveryservicesresources | where type endswith '/backupjobs'"


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller()


async def seeded(arm: ArmCaller, count: int = 1, protected: Any = True, **order: Any) -> list[str]:
    wanted = {"count": count, "location": "westeurope", "protected": protected, **order}
    answer = await arm.control("POST", "clusters", wanted)
    assert answer.status == 200, answer.body
    ids: list[str] = answer.body["ids"]
    return ids


async def rows(arm: ArmCaller, query: str) -> list[dict[str, Any]]:
    answer = await arm.call("POST", GRAPH, {"query": query, "options": {"$top": 1000}}, version="2021-03-01")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["data"]
    return found


async def test_nothing_is_missing_for_a_backup(arm: ArmCaller) -> None:
    (cluster_id,) = await seeded(arm)
    (job_id,) = (await arm.control("POST", "schedule/run", {"cluster": cluster_id})).body["ids"]
    await arm.clock.advance(arm.cloud.timings.backup_job)
    job = (await arm.call("GET", job_id, version="2025-07-01")).body["properties"]
    assert (job["status"], job["errorDetails"]) == ("Completed", None)


async def test_everything_can_be_read_and_names_are_those_of_microsofts_command(arm: ArmCaller) -> None:
    (cluster_id,) = await seeded(arm)
    (instance,) = arm.cloud.data_protection.instances_of(cluster_id)
    group = f"{SUBSCRIPTION}/resourceGroups/AKSAzureBackup_westeurope"
    vault = f"{group}/providers/Microsoft.DataProtection/backupVaults/AKSAzureBackup-westeurope"
    assert instance.vault_id == vault
    read = (await arm.call("GET", instance.id, version="2025-07-01")).body["properties"]
    assert read["currentProtectionState"] == "ProtectionConfigured"
    assert (await arm.call("GET", vault, version="2025-07-01")).body["tags"] == {"AKSAzureBackup": "westeurope"}
    assert (await arm.call("GET", read["policyInfo"]["policyId"], version="2025-07-01")).status == 200
    extension = f"{cluster_id}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"
    properties = (await arm.call("GET", extension, version="2025-03-01")).body["properties"]
    assert properties["provisioningState"] == "Succeeded"
    account = properties["configurationSettings"]["configuration.backupStorageLocation.config.storageAccount"]
    assert arm.cloud.storage.account_named(account) is not None
    bindings = (await arm.call("GET", f"{cluster_id}/trustedAccessRoleBindings", version="2025-10-01")).body["value"]
    assert [binding["properties"]["sourceResourceId"] for binding in bindings] == [vault]


async def test_the_graph_shows_them_at_once_with_a_point_of_the_last_scheduled_time(arm: ArmCaller) -> None:
    await rows(arm, "resources | count")  # the graph has looked before they were there
    ids = await seeded(arm, 3, {"backups": 2})
    assert {row["id"].lower() for row in await rows(arm, "resources | where type endswith 'managedclusters'")} == {
        each.lower() for each in ids
    }
    found = await rows(arm, INSTANCES)
    latest = {
        row["properties"]["backupInstanceExtendedProperties"]["recoveryPointInfo"]["latestRecoveryPointInPrimaryRegion"]
        for row in found
    }
    assert len(found) == 3
    last = arm.clock.now().replace(hour=2) - timedelta(days=1) + timedelta(seconds=arm.cloud.timings.backup_job)
    assert latest == {f"{last:%Y-%m-%dT%H:%M:%S}.0000000Z"}
    jobs = await rows(arm, f"{JOBS} | summarize n = count() by s = tostring(properties.status)")
    assert jobs == [{"s": "Completed", "n": 6}]


async def test_chance_gives_each_trouble_its_share(arm: ArmCaller) -> None:
    shares = {"share": 0.8, "warnings": 0.2, "failed": 0.2, "stale": 0.2, "suspended": 0.2, "stale_days": 12}
    ids = await seeded(arm, 300, shares)
    found: Counter[str] = Counter()
    now = arm.clock.now()
    jobs = {job.instance.datasource_id: job for job in arm.cloud.data_protection.all_jobs()}
    for each in ids:
        instances = arm.cloud.data_protection.instances_of(each)
        if not instances:
            found["plain"] += 1
        elif instances[0].state == "BackupsSuspended":
            found["suspended"] += 1
        elif instances[0].recovery_points and now - instances[0].recovery_points[-1].time > timedelta(days=12):
            found["stale"] += 1
        else:
            found[jobs[each].status] += 1
    assert found["plain"] == pytest.approx(60, abs=25)
    for trouble in ("suspended", "stale", "Failed", "CompletedWithWarnings", "Completed"):
        assert found[trouble] == pytest.approx(48, abs=24), found
    again = ArmCaller()
    assert await seeded(again, 300, shares) == ids


async def test_a_policy_settings_and_names_of_ones_own(arm: ArmCaller) -> None:
    (plain,) = await seeded(arm)
    (instance,) = arm.cloud.data_protection.instances_of(plain)
    vault = arm.cloud.data_protection.vault(instance.vault_id)
    assert vault is not None
    policy = vault.policies["aksbackuppolicy-week"].properties
    order = {
        "policy": policy,
        "policy_name": "mine",
        "vault_name": "vault-mine",
        "snapshot_group": "snapshots",
        "vault": {"securitySettings": {"softDeleteSettings": {"state": "AlwaysOn"}}},
        "extension": {"resources.limits.memory": "2Gi"},
    }
    (cluster_id,) = await seeded(arm, 1, order)
    (instance,) = arm.cloud.data_protection.instances_of(cluster_id)
    assert instance.policy_id.endswith("/backupVaults/vault-mine/backupPolicies/mine")
    read = (await arm.call("GET", instance.vault_id, version="2025-07-01")).body["properties"]
    assert read["securitySettings"]["softDeleteSettings"] == {"state": "AlwaysOn", "retentionDurationInDays": 14.0}
    extension = arm.cloud.kubernetes_configuration.backup_extension(cluster_id)
    assert extension is not None
    assert extension.settings["resources.limits.memory"] == "2Gi"
    (job_id,) = (await arm.control("POST", "schedule/run", {"cluster": cluster_id})).body["ids"]
    await arm.clock.advance(arm.cloud.timings.backup_job)
    assert (await arm.call("GET", job_id, version="2025-07-01")).body["properties"]["status"] == "Completed"


async def test_a_full_vault_is_followed_by_another(arm: ArmCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.control.protected_clusters.INSTANCES_PER_VAULT", 2)
    await seeded(arm, 5)
    vaults = arm.cloud.data_protection.vaults.all()
    assert [(vault.name.rpartition("-")[2], len(vault.instances)) for vault in vaults] == [
        ("westeurope", 2),
        ("2", 2),
        ("3", 1),
    ]
    await seeded(arm, 1)
    assert [len(vault.instances) for vault in arm.cloud.data_protection.vaults.all()] == [2, 2, 2]


async def test_their_schedules_run_where_schedules_do() -> None:
    arm = ArmCaller(schedules=True)
    (cluster_id,) = await seeded(arm)
    (instance,) = arm.cloud.data_protection.instances_of(cluster_id)
    await arm.clock.advance(26 * 3600 + arm.cloud.timings.backup_job)
    assert len(instance.recovery_points) == 3  # the seeded one, and those of two nights
    assert instance.recovery_points[-1].time.date() == arm.clock.now().date()


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ({"protected": 5}, "protected"),
        ({"protected": {"share": 2}}, "protected.share"),
        ({"protected": {"stale": 0.6, "failed": 0.6}}, "protected"),
        ({"protected": {"unknown": 1}}, "protected.unknown"),
        ({"protected": {"policy": {"objectType": "BackupPolicy"}}}, "protected.policy"),
        ({"protected": True, "overrides": {"identity": "ServicePrincipal"}}, "overrides.identity"),
        ({"protected": True, "count": 100_001}, "count"),
    ],
)
async def test_bad_orders_name_the_field(arm: ArmCaller, wanted: dict[str, Any], target: str) -> None:
    answer = await arm.control("POST", "clusters", {"count": 1, "location": "westeurope", **wanted})
    assert (answer.status, answer.body["error"]["target"]) == (400, target)


async def test_false_leaves_them_plain(arm: ArmCaller) -> None:
    (cluster_id,) = await seeded(arm, protected=False)
    assert arm.cloud.data_protection.instances_of(cluster_id) == []
    cluster = arm.cloud.container_service.cluster(cluster_id)
    assert cluster is not None
    assert (cluster.provisioning_state, cluster.subscription_id) == ("Creating", FIRST_SUBSCRIPTION)
