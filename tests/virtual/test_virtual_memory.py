"""A cluster that needs more memory than its backup extension has: one rung up for one kill, never into a running
backup, and the backup is run again."""

import asyncio
import os
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.ids import ClusterId
from shared.domain.profile import Cures, MemoryLadder, ProtectionProfile
from shared.job_watch import watch_jobs
from shared.reconcile import reconcile
from shared.record.messages import parse_request
from tests.fakes.queue import Message
from tests.virtual.effects import Effects, Failure
from tests.virtual.hospital import Hospital, conditions
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
PATIENT = Cures(retries_per_day=8)


async def limit_of(world: VirtualWorld, cluster: ClusterId) -> str:
    (extension,) = await world.operator.extensions(cluster)
    return str(extension["properties"]["configurationSettings"].get("resources.limits.memory", ""))


def patches(world: VirtualWorld) -> list[Any]:
    return [c for c in world.cloud.front_door.calls.all() if c.method == "PATCH" and "/extensions/" in c.path.lower()]


def never_into_a_job(world: VirtualWorld) -> bool:
    jobs = world.cloud.data_protection.all_jobs()
    return not any(
        job.started <= call.time and (job.ended is None or call.time <= job.ended)
        for call in patches(world)
        for job in jobs
    )


def world_of(profile: ProtectionProfile | None = None, **settings: Any) -> VirtualWorld:
    return VirtualWorld(configuration_of(profile or enforcing(cures=PATIENT)), timings=QUICK, **settings)


def large(world: VirtualWorld, resources: int = 3000, **overrides: Any) -> ClusterId:
    return world.create_cluster(settled=True, contents={"resource_count": resources}, **overrides)


async def test_three_thousand_resources_climb_two_rungs_and_are_backed_up() -> None:
    world = world_of()
    hospital, cluster = Hospital(world), large(world)
    await world.notice(cluster)

    assert await hospital.until_healthy(cluster), conditions(world, cluster)

    assert await limit_of(world, cluster) == "4400Mi"
    record = world.record(cluster)
    assert record is not None
    assert [(rung.before, rung.after) for rung in record.memory.rungs] == [("1280Mi", "2560Mi"), ("2560Mi", "4400Mi")]
    assert len(patches(world)) == 2
    assert never_into_a_job(world)
    jobs = await world.operator.jobs_of(cluster)
    assert sorted(job["properties"]["status"] for job in jobs) == ["Completed", "Failed", "Failed"]
    assert [cure.kind for cure in record.cures] == ["retry", "retry"]
    assert len([a for a in world.trail.actions if a.step == "UpdateExtension" and a.outcome == "Started"]) == 2


async def test_without_container_insights_two_failures_in_a_row_make_a_rung() -> None:
    world = world_of()
    hospital, cluster = Hospital(world, insights=False), large(world, 2000)
    await world.notice(cluster)

    await hospital.until_says(cluster, "ExtensionMemorySufficient", "OutOfMemoryOnce")
    assert await limit_of(world, cluster) == ""
    assert await hospital.until_healthy(cluster), conditions(world, cluster)

    assert await limit_of(world, cluster) == "2560Mi"
    assert len(patches(world)) == 1
    assert never_into_a_job(world)
    assert len(await world.operator.jobs_of(cluster)) == 3


async def test_without_container_insights_two_rungs_take_four_retries_which_a_day_allows() -> None:
    world = world_of(enforcing())
    hospital, cluster = Hospital(world, insights=False), large(world, 200)
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster)
    (there,) = world.cloud.container_service.clusters()
    there.contents = replace(there.contents, resource_count=3000)
    world.cloud.data_protection.run_schedule(cluster.arm_id)

    await hospital.until_says(cluster, "BackupHealthy", "BackupFailed")
    assert await hospital.until_healthy(cluster, seconds=12 * 3600), conditions(world, cluster)

    assert await limit_of(world, cluster) == "4400Mi"
    record = world.record(cluster)
    assert record is not None
    assert [cure.kind for cure in record.cures] == ["retry"] * 4
    assert len(patches(world)) == 2
    assert never_into_a_job(world)


class TwoHosts(VirtualWorld):
    """Two hosts that get every message at once, watch the jobs at once, and know nothing of each other."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.other = self.new_host("host-2")

    async def handle(self, message: Message) -> None:
        request = parse_request(message.text)
        await asyncio.gather(reconcile(request, self.host), reconcile(request, self.other))

    async def job_watch(self) -> None:
        await asyncio.gather(watch_jobs(self.host), watch_jobs(self.other))


@pytest.mark.parametrize("insights", [True, False])
async def test_two_hosts_climb_one_rung_for_one_failure_and_run_the_backup_once_more(*, insights: bool) -> None:
    world = TwoHosts(configuration_of(enforcing(cures=PATIENT)), timings=QUICK)
    hospital, cluster = Hospital(world, insights=insights), large(world, 2000)
    await world.notice(cluster)

    assert await hospital.until_healthy(cluster), conditions(world, cluster)

    record = world.record(cluster)
    assert record is not None
    assert [rung.after for rung in record.memory.rungs] == ["2560Mi"]
    assert len(patches(world)) == 1
    assert never_into_a_job(world)
    assert len(await world.operator.jobs_of(cluster)) == (2 if insights else 3)
    assert [cure.kind for cure in record.cures] == ["retry"] * (1 if insights else 2)


async def test_at_the_ceiling_a_person_is_asked_and_a_higher_one_goes_on() -> None:
    low = enforcing(cures=PATIENT, memory=MemoryLadder(ceiling="2560Mi"))
    world = world_of(low)
    hospital, cluster = Hospital(world), large(world)
    await world.notice(cluster)

    await hospital.until_says(cluster, "ExtensionMemorySufficient", "RemediationExhausted")
    said = world.condition(cluster, "ExtensionMemorySufficient")
    assert said.status == "False"
    assert "1280Mi to 2560Mi" in said.message
    assert said.recommended_action
    await world.run(seconds=6 * 3600)
    assert len(patches(world)) == 1

    higher = replace(low, memory=MemoryLadder(ceiling="6Gi"), digest="second")
    world.restart(configuration_of(higher, revision=2, digest="configuration-2"))
    await world.notice(cluster)
    await hospital.until_says(cluster, "ExtensionMemorySufficient", "Sufficient")
    assert await limit_of(world, cluster) == "4400Mi"
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    assert await hospital.until_healthy(cluster), conditions(world, cluster)


async def test_small_nodes_bound_the_limit() -> None:
    world = world_of()
    hospital, cluster = Hospital(world), large(world, node_size="Standard_B2s")
    await world.notice(cluster)

    await hospital.until_says(cluster, "ExtensionMemorySufficient", "RemediationExhausted")

    assert await limit_of(world, cluster) == "2560Mi"
    assert "Standard_B2s" in world.condition(cluster, "ExtensionMemorySufficient").message
    assert "larger nodes" in world.condition(cluster, "ExtensionMemorySufficient").recommended_action


async def test_a_change_waits_for_the_backup_that_runs() -> None:
    world = VirtualWorld(configuration_of(enforcing(cures=PATIENT)), timings=replace(QUICK, backup_job=1500))
    hospital, cluster = Hospital(world), large(world, 2000)
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster), conditions(world, cluster)
    assert len(patches(world)) == 1
    assert never_into_a_job(world)


async def test_a_scheduled_backup_of_another_vault_is_waited_for() -> None:
    """The kill is known before its job has ended: Resource Graph and the vault both tell that it runs."""
    world = VirtualWorld(configuration_of(enforcing(cures=PATIENT)), timings=replace(QUICK, backup_job=1200))
    hospital, cluster = Hospital(world), large(world, 200)
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster)
    world.cloud.container_service.clusters()[0].contents = replace(
        world.cloud.container_service.clusters()[0].contents, resource_count=2000
    )
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await hospital.until_says(cluster, "ExtensionMemorySufficient", "Raising")
    assert await hospital.until_healthy(cluster), conditions(world, cluster)
    assert await limit_of(world, cluster) == "2560Mi"
    assert never_into_a_job(world)


async def test_the_emergency_stop_holds_the_ladder_and_nothing_is_lost() -> None:
    world = world_of()
    hospital, cluster = Hospital(world), large(world, 200)
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster)
    clusters = world.cloud.container_service.clusters()
    clusters[0].contents = replace(clusters[0].contents, resource_count=2000)
    world.restart(stopped=True)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await hospital.until_says(cluster, "BackupHealthy", "BackupFailed")
    await world.run(seconds=3 * 3600)
    assert not patches(world)
    assert len(await world.operator.jobs_of(cluster)) == 1

    world.restart(stopped=False)
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster), conditions(world, cluster)
    assert await limit_of(world, cluster) == "2560Mi"


async def test_audit_mode_tells_what_it_would_do() -> None:
    world = world_of()
    hospital, cluster = Hospital(world), large(world, 200)
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster)
    clusters = world.cloud.container_service.clusters()
    clusters[0].contents = replace(clusters[0].contents, resource_count=2000)
    audit = enforcing(mode="audit", digest="second")
    world.restart(configuration_of(audit, revision=2, digest="configuration-2"))
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await hospital.until_says(cluster, "ExtensionMemorySufficient", "OutOfMemory")
    assert "UpdateExtension" in world.condition(cluster).message
    await world.run(seconds=3 * 3600)
    assert not patches(world)


async def test_an_extension_that_somebody_reinstalls_gets_the_decided_limit() -> None:
    world = world_of()
    hospital, cluster = Hospital(world), large(world, 2000)
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster)
    assert await limit_of(world, cluster) == "2560Mi"
    path = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"
    await world.operator.do("DELETE", path, "2025-03-01", wait=600)
    await world.notice(cluster)

    async def back() -> bool:
        return bool(await world.operator.extensions(cluster)) and world.is_ready(cluster)

    assert await world.run(back, seconds=4 * 3600)
    assert await limit_of(world, cluster) == "2560Mi"
    assert len(patches(world)) == 1, "the installation itself carries it"


async def test_a_change_that_azure_refuses_is_said_and_tried_again() -> None:
    world = world_of()
    hospital, cluster = Hospital(world), large(world, 2000)
    world.fault(times=2, method="PATCH", path="/extensions/", status=403, code="RequestDisallowedByPolicy")
    await world.notice(cluster)
    await hospital.until_says(cluster, "ExtensionMemorySufficient", "RequestDisallowedByPolicy")
    assert world.condition(cluster).recommended_action
    assert await hospital.until_healthy(cluster), conditions(world, cluster)
    assert await limit_of(world, cluster) == "2560Mi"


async def climbed(failure: Failure | None = None) -> tuple[VirtualWorld, ClusterId]:
    world = VirtualWorld(configuration_of(enforcing(cures=PATIENT)), timings=QUICK, effects=Effects(failure))
    hospital, cluster = Hospital(world, insights=False), large(world, 2000)
    await world.notice(cluster)
    assert await hospital.until_healthy(cluster, seconds=30 * 3600), (
        failure,
        world.effects.struck,
        conditions(world, cluster),
    )
    return world, cluster


@pytest.mark.parametrize("group", range(4 if DEEP else 1))
@pytest.mark.parametrize(("how", "when"), [("death", "before"), ("death", "after"), ("error", "after")])
async def test_the_ladder_survives_the_failure_of_any_effect(group: int, how: Any, when: Any) -> None:
    """Without Container insights: the first lone restart is retried, the second is evidence."""
    quiet, _ = await climbed()
    begin = next(
        n for n, name in enumerate(quiet.effects.names) if name.startswith("POST") and name.endswith("/backup")
    )
    for number in range(begin + 1 + group, len(quiet.effects.names) + 1, 12 if DEEP else 30):
        failure = Failure(number, when, how, again=1)
        world, cluster = await climbed(failure)
        record = world.record(cluster)
        assert record is not None
        assert [rung.after for rung in record.memory.rungs] == ["2560Mi"], (failure, world.effects.struck)
        assert await limit_of(world, cluster) == "2560Mi", (failure, world.effects.struck)
        assert never_into_a_job(world), (failure, world.effects.struck)
        assert len(await world.operator.jobs_of(cluster)) == 3, (failure, world.effects.struck)
