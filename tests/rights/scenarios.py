"""What the Guard does for a fleet, each story told by its end: what is there in Azure, and what is known of it. With
the rights of infra/rights all of them hold; each of those rights is named for one that fails without it."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

from shared.domain.fleet import Scope
from shared.domain.ids import RegionId
from shared.domain.profile import BackupSchedule, Cures, ProtectionProfile, Retention, VaultSettings
from shared.plan import roles
from shared.plan.region import PROVIDERS
from tests.fakes.storage import FakeJobHistory, FakeRecords
from tests.fakes.topic import FakeTopic
from tests.rights.worlds import HOUR, WORKSPACE, Worlds, protected, scenario, swept, with_workspace
from tests.virtual.azure import EXTENSIONS, ROLES, ROOT, SUBSCRIPTION
from tests.virtual.hospital import Hospital, conditions
from tests.virtual.rights import Rights
from tests.virtual.world import VirtualWorld, configuration_of, enforcing

BACKUP_OLD = "2025-07-01"
"""The api-version for a vault whose soft delete is not for ever."""
INSIGHTS = "2021-05-01-preview"
RESTORABLE = enforcing(vault=VaultSettings("On"))


@scenario
async def a_new_cluster_is_protected(worlds: Worlds) -> None:
    """Down to the vault tier, whose roles are the most."""
    world = worlds(configuration=configuration_of(enforcing(retention=Retention(7, 90))))
    cluster = await protected(world)
    (instance,) = await world.operator.instances(cluster)
    assert instance["properties"]["currentProtectionState"] == "ProtectionConfigured"
    assert len(await world.operator.recovery_points(cluster)) == 1
    given = {role for role, _ in await world.operator.roles()}
    assert given == {
        roles.READER,
        roles.CONTRIBUTOR,
        roles.DISK_SNAPSHOT_CONTRIBUTOR,
        roles.DATA_OPERATOR_FOR_MANAGED_DISKS,
        roles.STORAGE_BLOB_DATA_CONTRIBUTOR,
        roles.STORAGE_BLOB_DATA_READER,
    }


@scenario
async def nothing_is_registered(worlds: Worlds) -> None:
    """A subscription in which the resource providers were never used."""
    world = worlds()
    for namespace in PROVIDERS:
        world.cloud.resources.register(SUBSCRIPTION, namespace, "NotRegistered")
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=HOUR)
    assert all(world.cloud.resources.registered(SUBSCRIPTION, namespace) for namespace in PROVIDERS)
    assert world.is_ready(cluster)


@scenario
async def what_is_set_up_is_found_again(worlds: Worlds) -> None:
    """A person gave the roles, under names of their own; none is given twice."""
    world = worlds()
    cluster = await protected(world)
    for found in await world.operator.all_of(f"{ROOT}/providers/Microsoft.Authorization/roleAssignments", ROLES):
        properties = found["properties"]
        if properties.get("createdBy") == world.cloud.identity.app.object_id:
            await world.operator.do("DELETE", found["id"], ROLES, wait=0)
            role = properties["roleDefinitionId"].rpartition("/")[2]
            await world.operator.assign(properties["principalId"], role, properties["scope"])
    await world.clock.advance(HOUR)
    await world.notice(cluster)
    await world.run(seconds=HOUR)
    assert world.is_ready(cluster)
    assert await world.operator.roles() == []
    assert [a.outcome for a in world.trail.actions if a.step.startswith("GrantRole:")][-1] == "Done"


@scenario
async def drift_is_repaired(worlds: Worlds) -> None:
    """Somebody changes the policy, weakens the vault, and takes a role, the binding and the container away."""
    world = worlds(configuration=configuration_of(enforcing(vault=VaultSettings("On", soft_delete_days=30))))
    cluster = await protected(world)
    operator = world.operator
    (vault,), (policy,) = await operator.vaults(), await operator.policies()
    await world.run(seconds=HOUR)
    before = deepcopy(policy["properties"]), await operator.protection(cluster)
    weaker = {"securitySettings": {"softDeleteSettings": {"state": "On", "retentionDurationInDays": 14.0}}}
    await operator.do("PATCH", vault["id"], BACKUP_OLD, {"properties": weaker})
    rules = deepcopy(before[0])
    rules["policyRules"][0]["trigger"]["schedule"]["repeatingTimeIntervals"] = ["R/2024-01-01T02:00:00+00:00/PT12H"]
    await operator.do("PUT", policy["id"], BACKUP_OLD, {"properties": rules})
    for path, version in (
        ((await operator.bindings(cluster))[0]["id"], "2026-08-01"),
        ((await operator.containers())[0]["id"], "2026-09-01"),
        (await _assignment_of(world, roles.CONTRIBUTOR), ROLES),
    ):
        await operator.do("DELETE", path, version)
    await world.notice(cluster)
    await world.run(seconds=4 * HOUR)
    body = await operator.get(vault["id"], BACKUP_OLD)
    assert body["properties"]["securitySettings"]["softDeleteSettings"]["retentionDurationInDays"] == 30.0
    after = (await operator.get(policy["id"], BACKUP_OLD))["properties"], await operator.protection(cluster)
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert world.is_ready(cluster)


async def _assignment_of(world: VirtualWorld, role: str) -> str:
    """The one that the app made."""
    found = await world.operator.all_of(f"{ROOT}/providers/Microsoft.Authorization/roleAssignments", ROLES)
    (mine,) = [
        each["id"]
        for each in found
        if each["properties"]["roleDefinitionId"].endswith(role)
        and each["properties"].get("createdBy") == world.cloud.identity.app.object_id
    ]
    return str(mine)


@scenario
async def a_stale_role_is_given_anew(worlds: Worlds) -> None:
    """Azure Backup says that the vault cannot read the cluster, although it may: the role is taken, and given again."""
    world = worlds()
    world.start_job_watch(600)
    cluster = await protected(world)
    before = await world.operator.roles()
    world.cloud.data_protection.add_job(cluster.arm_id, "Backup", "failed", None, "KubernetesBackupListExtensionsError")
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
    assert await world.run_until_ready(cluster, seconds=4 * HOUR)
    changes = world.operator.changes_by_the_app()
    assert len([each for each in changes if each.startswith("DELETE") and "/roleAssignments/" in each]) == 1
    assert await world.operator.roles() == before


@scenario
async def memory_goes_up(worlds: Worlds) -> None:
    """The extension's pod was killed for want of memory."""
    world = worlds()
    hospital, cluster = Hospital(world), world.create_cluster(settled=True, contents={"resource_count": 2000})
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster), conditions(world, cluster)
    (extension,) = await world.operator.extensions(cluster)
    assert extension["properties"]["configurationSettings"]["resources.limits.memory"] == "2560Mi"


@scenario
async def memory_stops_at_what_the_nodes_have(worlds: Worlds) -> None:
    """Nodes too small for the second rung: the limit stays at the first, and a person is told which nodes."""
    world = worlds()
    contents = {"resource_count": 3000}
    hospital = Hospital(world)
    cluster = world.create_cluster(settled=True, contents=contents, node_size="Standard_B2s")
    await world.notice(cluster)
    await hospital.until_says(cluster, "ExtensionMemorySufficient", "RemediationExhausted", seconds=4 * HOUR)
    (extension,) = await world.operator.extensions(cluster)
    assert extension["properties"]["configurationSettings"]["resources.limits.memory"] == "2560Mi"
    assert "Standard_B2s" in world.condition(cluster, "ExtensionMemorySufficient").message


@scenario
async def a_soft_deleted_instance_comes_back(worlds: Worlds) -> None:
    world = worlds(configuration=configuration_of(RESTORABLE))
    cluster = await protected(world)
    (instance,) = await world.operator.instances(cluster)
    await world.run(seconds=HOUR)
    await world.operator.do("DELETE", instance["id"], BACKUP_OLD, wait=900)
    await world.notice(cluster)
    await world.run(seconds=2 * HOUR)
    found = await world.operator.instances(cluster)
    states = [(each["id"], each["properties"]["currentProtectionState"]) for each in found]
    assert states == [(instance["id"], "ProtectionConfigured")]
    assert world.is_ready(cluster), conditions(world, cluster)


@scenario
async def suspended_backups_are_resumed(worlds: Worlds) -> None:
    world = worlds()
    cluster = await protected(world)
    (instance,) = await world.operator.instances(cluster)
    await world.operator.do("POST", f"{instance['id']}/suspendBackups", BACKUP_OLD, {})
    await world.notice(cluster)
    await world.run(seconds=HOUR)
    (found,) = await world.operator.instances(cluster)
    assert found["properties"]["currentProtectionState"] == "ProtectionConfigured"


@scenario
async def an_extension_is_reinstalled(worlds: Worlds) -> None:
    """Where the profile allows it: the extension has errors that only that cures."""
    world = worlds(configuration=configuration_of(enforcing(cures=Cures(reinstall_extension=True))))
    world.start_job_watch(600)
    cluster = await protected(world)
    (before,) = await world.operator.extensions(cluster)
    code = "UserErrorKubernetesBackupExtensionHasErrors"
    world.cloud.data_protection.add_job(cluster.arm_id, "Backup", "failed", None, code)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
    assert await world.run_until_ready(cluster, seconds=4 * HOUR)
    (after,) = await world.operator.extensions(cluster)
    assert _identity(after) != _identity(before)


def _identity(extension: Any) -> str:
    return str(extension["properties"]["aksAssignedIdentity"]["principalId"])


@scenario
async def a_failed_backup_is_told(worlds: Worlds) -> None:
    """Resource Graph shows that the job ended, the vault what was wrong with it."""
    world = worlds(topic=FakeTopic())
    world.start_job_watch(600)
    cluster = await protected(world)
    world.cloud.data_protection.add_job(
        cluster.arm_id, "Backup", "warnings", ["shop/data"], "UserErrorPVCNotBoundToVolume"
    )
    said = await world.run_until_says(cluster, "BackupHealthy", "BackupIncomplete")
    assert "UserErrorPVCNotBoundToVolume" in said.message
    assert "shop/data" in said.message or said.recommended_action


@scenario
async def diagnostics_are_set(worlds: Worlds) -> None:
    """A profile sends its vaults' jobs to a workspace, at which the app was given its right."""
    vault = VaultSettings("AlwaysOn", diagnostics_workspace_id=WORKSPACE)
    world = worlds(configuration=configuration_of(enforcing(vault=vault)))
    await with_workspace(world)
    await protected(world)
    (made,) = await world.operator.vaults()
    path = f"{made['id']}/providers/Microsoft.Insights/diagnosticSettings"
    settings = (await world.operator.get(path, INSIGHTS))["value"]
    assert [each["properties"]["workspaceId"].lower() for each in settings] == [WORKSPACE.lower()]


@scenario
async def the_fleet_is_swept(worlds: Worlds) -> None:
    """Every control of a protected cluster can be told, and nothing is unknown."""
    profile = enforcing(schedule=BackupSchedule("P1D"), retention=Retention(7, 30))
    world = worlds(configuration=configuration_of(profile), scope=Scope((SUBSCRIPTION,)))
    cluster = await protected(world)
    await world.run(seconds=HOUR)
    verdicts = await swept(world)
    assert list(verdicts) == [cluster.arm_id]
    statuses = verdicts[cluster.arm_id]
    assert "Unknown" not in statuses.values(), statuses
    assert {statuses[name] for name in ("protected", "protection-healthy", "right-policy")} == {"Compliant"}


@scenario
async def everything_is_stopped(worlds: Worlds) -> None:
    """The emergency stop needs nothing: what is there is looked at, and told."""
    world = worlds()
    cluster = await protected(world)
    world.restart(stopped=True)
    (extension,) = await world.operator.extensions(cluster)
    await world.operator.do("DELETE", extension["id"], EXTENSIONS)
    await world.clock.advance(HOUR)
    await world.notice(cluster)
    await world.run_until_says(cluster, "Ready", "EmergencyStop")


@scenario
async def audit_only_looks(worlds: Worlds) -> None:
    """An app that may only read, in a subscription where one cluster is protected and another is not: it says what it
    would do, judges both, tells of a backup that came out incomplete, and changes nothing."""
    vault = VaultSettings("AlwaysOn", diagnostics_workspace_id=WORKSPACE)
    acting = enforcing(vault=vault, retention=Retention(7, 90))
    world = worlds(configuration=configuration_of(acting), rights=Rights(), topic=FakeTopic())
    await with_workspace(world)
    there = await protected(world)
    await become_audit(world, worlds, replace(acting, mode="audit", digest="audit"))
    world.start_job_watch(600)
    missing = world.create_cluster(settled=True, name="new")
    await world.notice(there, missing)
    await world.run(seconds=HOUR)
    would = world.condition(missing)
    assert (would.status, would.reason) == ("False", "AuditMode")
    for step in ("InstallExtension", "CreateTrustedAccessBinding", "CreateBackupInstance", "GrantRole"):
        assert step in would.message
    assert world.is_ready(there), conditions(world, there)
    assert not [each for each in conditions(world, there).values() if each[1] == "Unobserved"]
    region = world.record(RegionId(SUBSCRIPTION, "westeurope", "default"))
    assert region is not None
    assert region.conditions["RegionReady"].reason == "RegionReady"
    warnings = ["shop/data"]
    world.cloud.data_protection.add_job(there.arm_id, "Backup", "warnings", warnings, "UserErrorPVCNotBoundToVolume")
    await world.run_until_says(there, "BackupHealthy", "BackupIncomplete")
    verdicts = await swept(world)
    assert verdicts[there.arm_id]["protected"] == "Compliant"
    assert verdicts[missing.arm_id]["protected"] == "NonCompliant"
    unknown = {name for name, status in verdicts[there.arm_id].items() if status == "Unknown"}
    assert unknown <= {"volumes-supported"}, "whose job says nothing of them while it is incomplete"
    assert world.operator.changes_by_the_app() == []


@scenario
async def audit_sees_what_breaks(worlds: Worlds) -> None:
    """The same app, when an extension runs out of memory and somebody deletes a backup instance: it looks as far as one
    that acts would, and says what that one would do."""
    world = worlds(configuration=configuration_of(RESTORABLE), rights=Rights())
    hospital = Hospital(world)
    shop, games = await protected(world), await protected(world, name="games", contents={"resource_count": 200})
    await become_audit(world, worlds, replace(RESTORABLE, mode="audit", digest="audit"))
    await world.notice(shop, games)
    assert await world.run_until_ready(shop, games, seconds=HOUR)
    there = next(each for each in world.cloud.container_service.clusters() if each.name == "games")
    there.contents = replace(there.contents, resource_count=2000)
    world.cloud.data_protection.run_schedule(games.arm_id)
    await hospital.until_says(games, "ExtensionMemorySufficient", "OutOfMemory")
    assert "UpdateExtension" in world.condition(games).message
    (instance,) = await world.operator.instances(shop)
    await world.operator.do("DELETE", instance["id"], BACKUP_OLD, wait=900)
    await world.notice(shop)
    await world.run_until_says(shop, "Ready", "AuditMode")
    assert "UndeleteBackupInstance" in world.condition(shop).message
    assert world.operator.changes_by_the_app() == []


async def become_audit(world: VirtualWorld, worlds: Worlds, profile: ProtectionProfile) -> None:
    """Another app comes, which remembers nothing and may do less."""
    await world.run(seconds=HOUR)
    await world.granted.instead(worlds.rights)
    await world.clock.advance(HOUR)
    world.records, world.history = FakeRecords(), FakeJobHistory()
    world.restart(configuration_of(profile, revision=2))
    world.cloud.front_door.calls.clear()
    world.requested.clear()
