"""Backup instances in the simulator: made, changed, halted, resumed, deleted and brought back."""

import copy

import pytest

from tests.contract.data_protection_world import (
    ASYNC,
    BACKUP_GROUP,
    CLUSTER,
    CONTAINER,
    CONTRIBUTOR,
    INSTANCE,
    POLICY,
    READER,
    VAULT,
    World,
    instance,
)


@pytest.fixture
def world() -> World:
    return World()


async def test_the_same_put_again_changes_nothing(world: World) -> None:
    await world.ready()
    before = await world.protect()
    again = await world.call("PUT", INSTANCE, instance())
    assert (again.status, again.body) == (200, before)
    assert ASYNC not in again.headers


async def test_another_policy_takes_effect_when_the_operation_ends(world: World) -> None:
    await world.ready()
    await world.protect()
    other = f"{VAULT}/backupPolicies/other"
    await world.policy(other)
    changed = await world.call("PUT", INSTANCE, instance(policy_id=other))
    assert changed.status == 201
    assert changed.body["properties"]["currentProtectionState"] == "UpdatingProtection"
    assert changed.body["properties"]["policyInfo"]["policyId"] == POLICY
    assert (await world.done(changed, 60))["status"] == "Succeeded"
    read = (await world.read(INSTANCE))["properties"]
    assert (read["currentProtectionState"], read["policyInfo"]["policyId"]) == ("ProtectionConfigured", other)


async def test_one_cluster_may_have_instances_of_different_policies_only(world: World) -> None:
    await world.ready()
    await world.protect()
    second = f"{VAULT}/backupInstances/shop-2"
    refused = await world.call("PUT", second, instance())
    assert refused.status == 400
    assert refused.body["error"]["code"] == "UserErrorDppDatasourceAlreadyHasBackupInstance"
    await world.policy(f"{VAULT}/backupPolicies/other")
    assert (await world.call("PUT", second, instance(policy_id=f"{VAULT}/backupPolicies/other"))).status == 201
    of_cluster = await world.read(f"{CLUSTER.upper()}/providers/Microsoft.DataProtection/backupInstances")
    assert [one["id"] for one in of_cluster["value"]] == [INSTANCE, second]


async def test_the_snapshot_group_of_an_instance_stays(world: World) -> None:
    await world.ready()
    await world.protect()
    body = copy.deepcopy(instance())
    stores = body["properties"]["policyInfo"]["policyParameters"]["dataStoreParametersList"]
    stores[0]["resourceGroupId"] = BACKUP_GROUP
    assert (await world.call("PUT", INSTANCE, body)).status == 400


async def test_who_may_not_read_the_cluster_may_not_protect_it(world: World) -> None:
    await world.ready()
    stranger = world.cloud.identity.new_principal("stranger")
    world.cloud.authorization.grant(stranger.object_id, CONTRIBUTOR, BACKUP_GROUP)
    refused = await world.call("PUT", INSTANCE, instance(), principal=stranger)
    assert (refused.status, refused.body["error"]["code"]) == (403, "LinkedAuthorizationFailed")


@pytest.mark.parametrize(
    ("action", "state"), [("suspendBackups", "BackupsSuspended"), ("stopProtection", "ProtectionStopped")]
)
async def test_protection_is_halted_and_resumed(world: World, action: str, state: str) -> None:
    await world.ready()
    await world.protect()
    assert (await world.call("POST", f"{INSTANCE}/resumeProtection")).status == 200
    halted = await world.call("POST", f"{INSTANCE}/{action}", {})
    assert halted.status == 202
    assert await world.state() == "UpdatingProtection"
    assert (await world.call("POST", f"{INSTANCE}/{action}", {})).status == 409
    assert (await world.done(halted, 50))["status"] == "Succeeded"
    read = (await world.read(INSTANCE))["properties"]
    assert (read["currentProtectionState"], read["protectionStatus"]["status"]) == (state, state)
    resumed = await world.call("POST", f"{INSTANCE}/resumeProtection")
    assert (await world.done(resumed, 100))["status"] == "Succeeded"
    assert await world.state() == "ProtectionConfigured"


async def test_a_deleted_instance_is_soft_deleted_and_can_come_back(world: World) -> None:
    await world.ready()
    await world.protect()
    deleted = await world.call("DELETE", INSTANCE)
    assert deleted.status == 202
    assert await world.state() == "SoftDeleting"
    await world.done(deleted, 50)
    assert (await world.call("GET", INSTANCE)).status == 404
    assert (await world.call("DELETE", INSTANCE)).status == 204
    listed = (await world.read(f"{VAULT}/deletedBackupInstances"))["value"]
    assert [one["properties"]["currentProtectionState"] for one in listed] == ["SoftDeleted"]
    assert set(listed[0]["properties"]["deletionInfo"]) == {
        "deletionTime", "billingEndDate", "scheduledPurgeTime", "deleteActivityID"
    }  # fmt: skip
    kept = f"{VAULT}/deletedBackupInstances/shop-1"
    assert (await world.read(kept)) == listed[0]
    assert (await world.call("POST", f"{kept}/undelete")).status == 200
    assert await world.state() == "ProtectionStopped"
    assert (await world.read(f"{VAULT}/deletedBackupInstances"))["value"] == []


async def test_soft_deleted_instances_are_purged_when_their_time_has_come(world: World) -> None:
    await world.ready()
    await world.protect()
    await world.call("DELETE", INSTANCE)
    await world.clock.advance(50 + 14 * 86400 - 1)
    assert len((await world.read(f"{VAULT}/deletedBackupInstances"))["value"]) == 1
    await world.clock.advance(1)
    assert (await world.read(f"{VAULT}/deletedBackupInstances"))["value"] == []


async def test_what_was_scheduled_for_a_deleted_group_does_nothing(world: World) -> None:
    await world.ready()
    await world.call("PUT", INSTANCE, instance())
    world.cloud.data_protection.drop_group(VAULT.split("/")[2], "backup")
    await world.clock.advance(600)
    assert world.cloud.data_protection.vault(VAULT) is None
    assert world.cloud.data_protection.instances_of(CLUSTER) == []


async def test_the_policy_an_instance_changes_to_is_in_use_already(world: World) -> None:
    await world.ready()
    await world.protect()
    other = f"{VAULT}/backupPolicies/other"
    await world.policy(other)
    changed = await world.call("PUT", INSTANCE, instance(policy_id=other))
    assert (await world.call("DELETE", other)).status == 400
    assert (await world.done(changed, 60))["status"] == "Succeeded"
    assert (await world.call("DELETE", POLICY)).status == 200


async def test_the_name_of_a_soft_deleted_instance_is_not_free(world: World) -> None:
    await world.ready()
    await world.protect()
    await world.policy(f"{VAULT}/backupPolicies/other")
    await world.done(await world.call("DELETE", INSTANCE), 50)
    for body in (instance(), instance(policy_id=f"{VAULT}/backupPolicies/other")):
        assert (await world.call("PUT", INSTANCE, body)).status == 400
    assert (await world.call("PUT", f"{VAULT}/backupInstances/shop-2", instance())).status == 400
    await world.clock.advance(14 * 86400)
    assert (await world.call("PUT", INSTANCE, instance())).status == 201


@pytest.mark.parametrize("missing", ["objectType", "dataSourceInfo", "policyInfo"])
async def test_a_body_without_what_is_required_is_refused(world: World, missing: str) -> None:
    await world.ready()
    body = instance()
    del body["properties"][missing]
    refused = await world.call("PUT", INSTANCE, body)
    assert (refused.status, refused.body["error"]["code"]) == (400, "BMSUserErrorInvalidInput")
    assert (await world.call("GET", INSTANCE)).status == 404


async def test_a_change_is_validated_beforehand(world: World) -> None:
    await world.ready()
    await world.protect()
    request = {"backupInstance": instance()["properties"]}
    request["backupInstance"]["policyInfo"]["policyParameters"]["backupDatasourceParametersList"][0] |= {
        "includedNamespaces": ["shop"]
    }
    validation = await world.call("POST", f"{INSTANCE}/validateForModifyBackup", request)
    assert validation.status == 202
    assert (await world.done(validation, 44))["status"] == "Succeeded"
    changed = await world.call("PUT", INSTANCE, {"properties": request["backupInstance"]})
    await world.done(changed, 60)
    parameters = (await world.read(INSTANCE))["properties"]["policyInfo"]["policyParameters"]
    assert parameters["backupDatasourceParametersList"][0]["includedNamespaces"] == ["shop"]


async def test_the_result_of_an_operation_is_pending_then_there_and_an_error_when_it_failed(world: World) -> None:
    await world.ready(without=(READER, CLUSTER))
    request = {"backupInstance": instance()["properties"]}
    validation = await world.call("POST", f"{VAULT}/validateForBackup", request)
    result = validation.headers["Location"]
    assert (await world.call("GET", result)).status == 202
    await world.clock.advance(44)
    failed = await world.call("GET", result)
    assert (failed.status, failed.body["error"]["code"]) == (400, "KubernetesBackupListExtensionsError")
    world.roles()
    again = await world.call("POST", f"{VAULT}/validateForBackup", request)
    await world.clock.advance(44)
    assert (await world.call("GET", again.headers["Location"])).status == 200


async def test_nothing_else_is_asked_of_an_instance_that_is_being_configured(world: World) -> None:
    await world.ready()
    await world.call("PUT", INSTANCE, instance())
    await world.policy(f"{VAULT}/backupPolicies/other")
    assert (await world.call("PUT", INSTANCE, instance())).status == 200
    assert (await world.call("PUT", INSTANCE, instance(policy_id=f"{VAULT}/backupPolicies/other"))).status == 409
    assert (await world.call("DELETE", INSTANCE)).status == 409
    for action in ("backup", "sync", "suspendBackups", "resumeProtection"):
        body = {"backupRuleOptions": {"ruleName": "BackupHourly"}}
        assert (await world.call("POST", f"{INSTANCE}/{action}", body)).status == 409
    await world.clock.advance(60)
    assert await world.state() == "ProtectionConfigured"


async def test_a_resume_that_lacks_something_fails(world: World) -> None:
    await world.ready()
    await world.protect()
    await world.done(await world.call("POST", f"{INSTANCE}/stopProtection", {}), 50)
    await world.call("DELETE", CONTAINER, version="2024-01-01")
    assert (await world.call("POST", f"{INSTANCE}/resumeBackups")).status == 400
    resumed = await world.call("POST", f"{INSTANCE}/resumeProtection")
    failed = await world.done(resumed, 100)
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "UserErrorNoDefaultBackupStorageLocationFound")
    assert await world.state() == "ProtectionError"


async def test_with_soft_delete_off_a_deleted_instance_is_gone(world: World) -> None:
    await world.ready()
    off = {"properties": {"securitySettings": {"softDeleteSettings": {"state": "Off"}}}}
    assert (await world.call("PATCH", VAULT, off)).status == 200
    await world.protect()
    await world.done(await world.call("DELETE", INSTANCE), 50)
    assert (await world.read(f"{VAULT}/deletedBackupInstances"))["value"] == []
    assert (await world.call("DELETE", VAULT)).status == 202


async def test_only_an_instance_that_is_not_protected_is_validated_again(world: World) -> None:
    await world.ready(without=(READER, CLUSTER))
    request = {"backupInstance": instance()["properties"]}
    await world.protect()
    world.roles()
    validation = await world.call("POST", f"{VAULT}/validateForBackup", request)
    assert (await world.done(validation, 44))["status"] == "Succeeded"
    await world.protect()
    second = await world.call("POST", f"{VAULT}/validateForBackup", request)
    failed = await world.done(second, 44)
    assert failed["error"]["code"] == "UserErrorDppDatasourceAlreadyHasBackupInstance"
