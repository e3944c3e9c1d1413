"""What the Guard does about backups that fail or come out incomplete: once, within limits, never into another job."""

import os
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.ids import ClusterId
from shared.domain.profile import Cures, MemoryLadder, ProtectionProfile
from shared.plan.roles import READER, STORAGE_BLOB_DATA_CONTRIBUTOR
from tests.virtual.azure import AKS, EXTENSIONS, ROLES, ROOT
from tests.virtual.effects import Effects, Failure, How, When
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
VARIANTS: list[tuple[How, When]] = [("death", "after")]
if DEEP:
    VARIANTS += [("death", "before"), ("error", "after"), ("error", "before")]
HOUR, DAY = 3600.0, 86400.0
LIST_EXTENSIONS = "KubernetesBackupListExtensionsError"
HAS_ERRORS = "UserErrorKubernetesBackupExtensionHasErrors"
NOT_READY = "UserErrorBackupStorageLocationNotReady"
SYNC = "ExtensionTimedOutWaitingForBackupItemSync"


async def healthy(profile: ProtectionProfile | None = None, **settings: Any) -> tuple[VirtualWorld, ClusterId]:
    """A cluster with a clean first backup, in a world in which the job watch runs."""
    world = VirtualWorld(configuration_of(profile or enforcing()), timings=QUICK, **settings)
    world.start_timer()
    world.start_job_watch(600)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=2 * HOUR)
    await world.run(seconds=1200)
    return world, cluster


def fail(world: VirtualWorld, cluster: ClusterId, code: str, operation: str = "Backup") -> str:
    return world.cloud.data_protection.add_job(cluster.arm_id, operation, "failed", None, code)


async def retries(world: VirtualWorld, cluster: ClusterId) -> int:
    """On-demand backups beside the first one."""
    return len(await world.operator.jobs_of(cluster)) - 1


def of(world: VirtualWorld, method: str, text: str) -> list[str]:
    return [
        change for change in world.operator.changes_by_the_app() if change.startswith(method) and text in change.lower()
    ]


async def change_contents(world: VirtualWorld, **changes: Any) -> None:
    (cluster,) = world.cloud.container_service.clusters()
    cluster.contents = replace(cluster.contents, **changes)


async def until(world: VirtualWorld, cluster: ClusterId, count: int, *, seconds: float = 4 * HOUR) -> None:
    async def counted() -> bool:
        return await retries(world, cluster) >= count

    assert await world.run(counted, seconds=seconds), world.condition(cluster)


async def test_a_slow_snapshot_is_retried_once_and_the_clean_job_ends_it() -> None:
    world, cluster = await healthy()
    await change_contents(world, slow_csi_snapshots=1)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    said = await world.run_until_says(cluster, "BackupHealthy", "BackupIncomplete")
    assert "CSISnapshottingTimedOut" in said.message

    await until(world, cluster, 1)
    assert await world.run_until_ready(cluster, seconds=2 * HOUR)

    record = world.record(cluster)
    assert record is not None
    assert [(cure.kind, cure.code) for cure in record.cures] == [("retry", "CSISnapshottingTimedOut")]
    await world.run(seconds=3 * HOUR)
    assert await retries(world, cluster) == 1


async def test_what_stays_slow_is_retried_once_for_each_episode() -> None:
    world, cluster = await healthy()
    await change_contents(world, slow_csi_snapshots=4)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await until(world, cluster, 1)
    await world.run(seconds=3 * HOUR)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await world.run(seconds=3 * HOUR)
    assert await retries(world, cluster) == 1
    assert world.condition(cluster, "BackupHealthy").reason == "BackupIncomplete"

    await change_contents(world, slow_csi_snapshots=0)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    assert await world.run_until_ready(cluster, seconds=2 * HOUR)
    await change_contents(world, slow_csi_snapshots=1)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await until(world, cluster, 2)


async def test_warnings_that_only_a_person_can_mend_are_left_to_them() -> None:
    world, cluster = await healthy()
    world.cloud.data_protection.add_job(
        cluster.arm_id, "Backup", "warnings", ["shop/data"], "UserErrorPVCNotBoundToVolume"
    )
    await world.run_until_says(cluster, "BackupHealthy", "BackupIncomplete")
    await world.run(seconds=2 * HOUR)
    assert await retries(world, cluster) == 0
    assert world.condition(cluster).recommended_action


@pytest.mark.parametrize("role", [READER, STORAGE_BLOB_DATA_CONTRIBUTOR])
async def test_a_role_that_was_taken_away_is_given_back_and_the_backup_run_again(role: str) -> None:
    world, cluster = await healthy()
    before = await world.operator.roles()
    await take_role(world, role)
    assert await world.operator.roles() != before
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")

    assert await world.run_until_ready(cluster, seconds=4 * HOUR)

    assert await world.operator.roles() == before
    assert await retries(world, cluster) == 1


async def take_role(world: VirtualWorld, role: str) -> None:
    """A person removes the Guard's assignment of that role which is nearest to the cluster."""
    found = await world.operator.all_of(f"{ROOT}/providers/Microsoft.Authorization/roleAssignments", ROLES)
    app = world.cloud.identity.app.object_id
    mine = [
        one
        for one in found
        if one["properties"]["roleDefinitionId"].endswith(role)
        and one["properties"].get("createdBy") == app
        and ("managedclusters" in one["properties"]["scope"].lower() or role != READER)
    ]
    assert len(mine) == 1
    await world.operator.do("DELETE", mine[0]["id"], ROLES, wait=60)


async def test_what_a_job_of_an_unknown_code_may_have_lacked_is_looked_at_and_put_back() -> None:
    """Nothing is retried on a guess."""
    world, cluster = await healthy()
    (binding,) = await world.operator.bindings(cluster)
    fail(world, cluster, "UserErrorThatNobodyKnows")
    await world.run(seconds=30)
    await world.operator.do("DELETE", binding["id"], AKS, wait=60)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
    await world.run(seconds=HOUR)
    assert len(await world.operator.bindings(cluster)) == 1
    assert await retries(world, cluster) == 0
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    assert await world.run_until_ready(cluster, seconds=HOUR)


def named_in_the_alert(world: VirtualWorld) -> list[str]:
    """What the only alert says that the Guard did, without the times."""
    (alert,) = world.alert_book.all_now()
    return [line.partition("UTC: ")[2] for line in alert.cause.did]


async def test_a_binding_that_was_removed_is_put_back_and_the_backup_run_again() -> None:
    world, cluster = await healthy()
    (binding,) = await world.operator.bindings(cluster)
    await world.operator.do("DELETE", binding["id"], AKS, wait=60)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
    assert await world.run_until_ready(cluster, seconds=4 * HOUR)
    assert len(await world.operator.bindings(cluster)) == 1
    assert await retries(world, cluster) == 1
    did = named_in_the_alert(world)
    assert did == ["put back what was missing (the trusted access binding)", "ran the backup again"]


async def test_an_extension_that_was_removed_is_installed_again() -> None:
    world, cluster = await healthy()
    (extension,) = await world.operator.extensions(cluster)
    await world.operator.do("DELETE", extension["id"], EXTENSIONS, wait=600)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
    assert await world.run_until_ready(cluster, seconds=4 * HOUR)
    assert len(await world.operator.extensions(cluster)) == 1
    assert await retries(world, cluster) == 1
    assert "put back what was missing (the backup extension)" in named_in_the_alert(world)


async def test_a_stale_reader_role_is_taken_away_and_given_anew() -> None:
    world, cluster = await healthy()
    before = await world.operator.roles()
    fail(world, cluster, LIST_EXTENSIONS)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")

    assert await world.run_until_ready(cluster, seconds=4 * HOUR)

    assert len(of(world, "DELETE", "roleassignments")) == 1
    assert await world.operator.roles() == before
    assert await retries(world, cluster) == 1
    record = world.record(cluster)
    assert record is not None
    assert [cure.kind for cure in record.cures] == ["regrant", "put_back", "retry"]


async def test_the_extension_is_reinstalled_only_with_the_profiles_word() -> None:
    for allowed in (False, True):
        world, cluster = await healthy(enforcing(cures=Cures(reinstall_extension=allowed)))
        fail(world, cluster, HAS_ERRORS)
        await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
        if allowed:
            assert await world.run_until_ready(cluster, seconds=4 * HOUR)
        await world.run(seconds=2 * HOUR)
        assert len(of(world, "DELETE", "/extensions/")) == int(allowed)
        assert len(await world.operator.extensions(cluster)) == 1
        assert await retries(world, cluster) == int(allowed)


async def test_a_reinstallation_keeps_the_limit_that_a_person_set_and_no_backup_is_begun_during_it() -> None:
    world, cluster = await healthy(enforcing(cures=Cures(reinstall_extension=True)))
    (extension,) = await world.operator.extensions(cluster)
    body = {"properties": {"configurationSettings": {"resources.limits.memory": "5Gi"}}}
    await world.operator.do("PATCH", extension["id"], EXTENSIONS, body, wait=120)
    await world.notice(cluster)
    await world.run(seconds=HOUR)
    world.cloud.timings = replace(QUICK, extension_install=400)
    fail(world, cluster, HAS_ERRORS)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
    assert await world.run_until_ready(cluster, seconds=4 * HOUR)

    assert len(of(world, "DELETE", "/extensions/")) == 1
    (extension,) = await world.operator.extensions(cluster)
    assert extension["properties"]["configurationSettings"]["resources.limits.memory"] == "5Gi"
    steps = [action.step for action in world.trail.actions if action.outcome == "Started"]
    assert steps.index("DeleteExtension") < len(steps) - 1 - steps[::-1].index("InstallExtension")
    assert steps[-1] == "StartBackup"


async def test_no_backup_is_retried_while_the_extension_is_installed_anew() -> None:
    world, cluster = await healthy()
    (extension,) = await world.operator.extensions(cluster)
    world.cloud.timings = replace(QUICK, extension_install=1500)
    fail(world, cluster, SYNC)
    await world.run(seconds=30)
    await world.operator.do("DELETE", extension["id"], EXTENSIONS, wait=60)
    await world.notice(cluster)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
    assert await world.run_until_ready(cluster, seconds=4 * HOUR)
    installed_at = max(action.at for action in world.trail.actions if action.step == "InstallExtension")
    (_, retried) = sorted(
        action.at for action in world.trail.actions if action.step == "StartBackup" and action.outcome == "Started"
    )
    assert (retried - installed_at).total_seconds() >= 1500
    assert await retries(world, cluster) == 1


async def test_an_extension_of_somebody_elses_is_never_removed() -> None:
    world = VirtualWorld(configuration_of(enforcing(cures=Cures(reinstall_extension=True))), timings=QUICK)
    world.start_timer()
    world.start_job_watch()
    cluster = world.create_cluster(settled=True)
    group = await world.operator.make_group("team")
    await world.operator.register("Microsoft.Storage")
    account = await world.operator.make_account(group, "teamaccount")
    await world.operator.make_container(account, "team")
    await world.operator.install_extension(cluster, account, "team")
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=4 * HOUR)
    fail(world, cluster, HAS_ERRORS)
    await world.run(seconds=2 * HOUR)
    assert not of(world, "DELETE", "/extensions/")


async def test_a_stopped_clusters_backup_is_run_again_when_it_is_started() -> None:
    world, cluster = await healthy()
    await world.operator.do("POST", f"{cluster}/stop", AKS)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await world.run(seconds=3 * HOUR)
    assert await retries(world, cluster) == 0
    await world.operator.start_cluster(cluster)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=4 * HOUR)
    assert await retries(world, cluster) == 1


async def test_what_still_propagates_is_waited_for_an_hour() -> None:
    world, cluster = await healthy()
    failed_at = world.clock.now()
    fail(world, cluster, NOT_READY)
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
    await until(world, cluster, 1)
    assert HOUR <= (world.clock.now() - failed_at).total_seconds() <= HOUR + 1200
    assert await world.run_until_ready(cluster)


async def test_a_profile_without_cures_leaves_everything_to_people() -> None:
    world, cluster = await healthy(enforcing(cures=Cures(automatic=False), memory=MemoryLadder(automatic=False)))
    for code in (SYNC, NOT_READY, LIST_EXTENSIONS):
        before = len(world.operator.changes_by_the_app())
        fail(world, cluster, code)
        await world.run(seconds=3 * HOUR)
        changes = [c for c in world.operator.changes_by_the_app()[before:] if "resourcegraph" not in c.lower()]
        assert changes == []
    assert world.condition(cluster, "BackupHealthy").reason == "BackupFailed"


async def test_no_more_retries_a_day_than_the_profile_allows() -> None:
    world, cluster = await healthy(enforcing(cures=Cures(retries_per_day=2)))
    for number in range(5):
        fail(world, cluster, SYNC)
        await world.run(seconds=HOUR)
        world.cloud.data_protection.add_job(cluster.arm_id, "Backup", "completed")
        await world.run(seconds=HOUR)
        assert await retries(world, cluster) == min(number + 1, 2)
    fail(world, cluster, SYNC)
    await world.run(seconds=HOUR)
    await until(world, cluster, 3, seconds=1.2 * DAY)


async def test_azures_own_limit_counts_what_people_asked_for_too() -> None:
    world, cluster = await healthy()
    (instance,) = await world.operator.instances(cluster)
    body = {"backupRuleOptions": {"ruleName": "BackupDaily", "triggerOption": {}}}
    for _ in range(9):
        await world.operator.do("POST", f"{instance['id']}/backup", "2026-06-01", body, wait=120)
    await world.run(seconds=HOUR)
    fail(world, cluster, SYNC)
    await world.run(seconds=4 * HOUR)
    assert await retries(world, cluster) == 9
    refused = [c for c in world.cloud.front_door.calls.all() if c.path.endswith("/backup") and c.status == 400]
    assert not refused
    await until(world, cluster, 10, seconds=1.2 * DAY)


async def test_a_retry_waits_for_the_backup_that_runs() -> None:
    world, cluster = await healthy()
    fail(world, cluster, SYNC)
    await world.run(seconds=30)
    world.cloud.timings = replace(QUICK, backup_job=4000)
    world.cloud.data_protection.add_job(cluster.arm_id, "Backup", "completed")
    world.cloud.timings = QUICK
    await world.run_until_says(cluster, "BackupHealthy", "BackupFailed", seconds=2000)
    await world.run(seconds=1500)
    assert await retries(world, cluster) == 0
    assert await world.run_until_ready(cluster, seconds=2 * HOUR)
    await world.run(seconds=HOUR)
    assert await retries(world, cluster) <= 1, "at most until the news of the clean one has come"


async def test_a_failed_restore_is_never_repeated() -> None:
    world, cluster = await healthy()
    before = len(world.cloud.data_protection.all_jobs())
    fail(world, cluster, SYNC, "Restore")
    await world.run(seconds=2 * HOUR)
    assert len(world.cloud.data_protection.all_jobs()) == before + 1


@pytest.mark.parametrize("code", [SYNC, LIST_EXTENSIONS, HAS_ERRORS])
async def test_audit_mode_and_the_emergency_stop_send_nothing(code: str) -> None:
    for stopped in (False, True):
        cures = Cures(reinstall_extension=True)
        world, cluster = await healthy(enforcing(cures=cures))
        if stopped:
            world.restart(stopped=True)
        else:
            audit = enforcing(cures=cures, mode="audit", digest="second")
            world.restart(configuration_of(audit, revision=2, digest="configuration-2"))
        before = len(world.operator.changes_by_the_app())
        fail(world, cluster, code)
        await world.run_until_says(cluster, "BackupHealthy", "BackupFailed")
        await world.run(seconds=2 * HOUR)
        sent = [c for c in world.operator.changes_by_the_app()[before:] if "resourcegraph" not in c.lower()]
        assert sent == []
        assert "Would do:" in world.condition(cluster).message


async def test_a_clean_scheduled_backup_costs_the_clusters_look_no_call() -> None:
    world, cluster = await healthy()
    before = len(world.cloud.front_door.calls.all())
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await world.run(seconds=HOUR)
    calls = [
        c
        for c in world.cloud.front_door.calls.all()[before:]
        if c.principal in (world.cloud.identity.app.object_id, None)
    ]
    assert {c.path.lower().rpartition("/providers/")[2] for c in calls} <= {
        "microsoft.resourcegraph/resources",
        "microsoft.containerservice/managedclusters",  # the timer's search for clusters
    }
    record = world.record(cluster)
    assert record is not None
    assert record.last_backup is not None
    assert record.last_backup.status == "completed"
    assert world.is_ready(cluster)


async def cured(cause: str, failure: Failure | None = None) -> tuple[VirtualWorld, ClusterId, int]:
    """From a healthy cluster over a failed backup to a clean one; the number of effects before the failed backup."""
    profile = enforcing(cures=Cures(reinstall_extension=True))
    world, cluster = await healthy(profile, effects=Effects(failure))
    begin = len(world.effects.names)
    if cause == "role":
        await take_role(world, STORAGE_BLOB_DATA_CONTRIBUTOR)
        world.cloud.data_protection.run_schedule(cluster.arm_id)
    else:
        fail(world, cluster, cause)

    async def clean() -> bool:
        record = world.record(cluster)
        return bool(record and record.cures) and world.is_ready(cluster)

    assert await world.run(clean, seconds=20 * HOUR), (failure, world.effects.struck)
    await world.run(seconds=HOUR)
    return world, cluster, begin


@pytest.mark.parametrize("cause", ["role", SYNC, LIST_EXTENSIONS, HAS_ERRORS])
@pytest.mark.parametrize(("how", "when"), VARIANTS)
async def test_a_cure_survives_the_failure_of_any_effect(cause: str, how: How, when: When) -> None:
    clean, cluster, begin = await cured(cause)
    roles, extensions = await clean.operator.roles(), len(of(clean, "DELETE", "/extensions/"))
    for number in range(begin + 1 + VARIANTS.index((how, when)), len(clean.effects.names) + 1, 12 if DEEP else 40):
        world, cluster, _ = await cured(cause, Failure(number, when, how, again=1))
        assert await retries(world, cluster) == 1, (number, world.effects.struck)
        assert await world.operator.roles() == roles, (number, world.effects.struck)
        assert len(await world.operator.extensions(cluster)) == 1
        assert len(of(world, "DELETE", "/extensions/")) >= extensions
