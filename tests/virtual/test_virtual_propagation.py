"""Role assignments take their time. Waiting is a normal return; what ends it is a deadline."""

from dataclasses import replace

import pytest

from simulator.timings import Timings
from tests.virtual.world import VirtualWorld


def slow_world(seconds: float) -> VirtualWorld:
    return VirtualWorld(timings=replace(Timings(), role_propagation=seconds))


@pytest.mark.parametrize("minutes", [0, 2, 10, 50])
async def test_slow_propagation_is_waited_for(minutes: int) -> None:
    world = slow_world(minutes * 60)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=minutes * 60 * 1.25 + 1200)

    protection = await world.operator.protection(cluster)
    assert (len(protection.instances), protection.on_demand_jobs) == (1, 1)


async def test_while_it_is_waited_for_a_person_reads_why() -> None:
    world = slow_world(3000)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "ProtectionConfigured", "KubernetesBackupListExtensionsError")
    assert said.status == "False"
    assert said.message
    assert world.condition(cluster).status == "False"


async def test_what_does_not_pass_within_an_hour_needs_a_person_and_still_heals_by_itself() -> None:
    world = slow_world(3 * 3600)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=2 * 3600)

    said = world.condition(cluster, "ProtectionConfigured")
    assert said.status == "False"
    assert "within an hour" in said.message
    assert said.recommended_action
    record = world.record(cluster)
    assert record is not None
    assert record.steps.attempts["ValidateForBackup"].error.kind == "blocked"

    assert await world.run_until_ready(cluster, seconds=3 * 3600)
    assert not record.steps.intents


async def test_waiting_costs_few_calls() -> None:
    """An hour of waiting is not an hour of polling."""
    world = slow_world(50 * 60)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    await world.run(seconds=600)
    world.cloud.front_door.calls.clear()

    await world.run(seconds=2400)

    assert len(world.cloud.front_door.calls.all()) < 60
