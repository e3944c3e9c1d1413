"""Resource Graph is a little late: never early, and in the end right."""

from typing import Any

import pytest

from tests.contract.data_protection_world import CLUSTER, INSTANCE, SUBSCRIPTION, VAULT, World, instance
from tests.contract.test_simulator_resource_graph import JOB_TYPE, data

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/late"
NAMES = "resourcecontainers | where name == 'late' | project tags"
JOBS = f"recoveryservicesresources | where type == '{JOB_TYPE}' | project s = tostring(properties.status)"


@pytest.fixture
def world() -> World:
    return World()


async def tagged(world: World, value: str) -> None:
    body = {"location": "westeurope", "tags": {"v": value}}
    assert (await world.call("PUT", GROUP, body, "2022-09-01")).status in (200, 201)


async def seen(world: World) -> list[Any]:
    return [row["tags"]["v"] for row in await data(world, NAMES)]


async def test_what_was_there_before_anybody_asked_shows_at_once(world: World) -> None:
    await tagged(world, "1")
    await world.clock.advance(60)
    assert await seen(world) == ["1"]


async def test_new_changed_and_gone_show_a_lag_later(world: World) -> None:
    assert await seen(world) == []
    await tagged(world, "1")
    await world.clock.advance(59)
    assert await seen(world) == []
    await world.clock.advance(1)
    assert await seen(world) == ["1"]
    await tagged(world, "2")
    await world.clock.advance(30)
    await tagged(world, "3")
    await world.clock.advance(30)
    assert await seen(world) == ["1"]
    await world.clock.advance(30)
    assert await seen(world) == ["3"]
    assert (await world.call("DELETE", GROUP, None, "2022-09-01")).status == 202
    await world.clock.advance(world.cloud.timings.resource_group_delete + 59)
    assert await seen(world) == ["3"]
    await world.clock.advance(1)
    assert await seen(world) == []


async def test_every_version_that_was_looked_at_shows_in_its_turn(world: World) -> None:
    assert await seen(world) == []
    for value in "1234":
        await tagged(world, value)
        await world.clock.advance(1)
        assert await seen(world) == []
    await world.clock.advance(56)
    for value in "1234":
        assert await seen(world) == [value]
        await world.clock.advance(1)


async def test_a_new_resource_is_late_even_for_the_first_query(world: World) -> None:
    await tagged(world, "1")
    await world.clock.advance(30)
    assert await seen(world) == []
    await world.clock.advance(30)
    assert await seen(world) == ["1"]


async def test_a_job_runs_on_in_the_graph_after_its_end(world: World) -> None:
    await world.ready()
    await world.protect()
    world.cloud.data_protection.add_job(CLUSTER, outcome="failed")
    duration = world.cloud.timings.backup_job
    assert await data(world, JOBS) == []
    await world.clock.advance(60)
    assert await data(world, JOBS) == [{"s": "InProgress"}]
    await world.clock.advance(duration - 1)
    assert await data(world, JOBS) == [{"s": "InProgress"}]
    running = await data(world, f"recoveryservicesresources | where type == '{JOB_TYPE}'")
    assert running[0]["properties"]["endTime"] is None
    assert running[0]["properties"]["errorDetails"] is None
    await world.clock.advance(1)
    assert await data(world, JOBS) == [{"s": "Failed"}]


async def test_the_end_of_configuring_protection_is_late_too(world: World) -> None:
    """It comes without a call or an operation of its own."""
    await world.ready()
    query = "recoveryservicesresources | where type endswith '/backupinstances'"
    query += " | project s = properties.currentProtectionState"
    assert await data(world, query) == []
    assert (await world.call("PUT", INSTANCE, instance())).status == 201
    seconds = int(world.cloud.timings.configure_protection)
    shown = []
    for _ in range(seconds + 61):
        await world.clock.advance(1)
        if world.clock.now().second % 6 == 0:
            shown.append([row["s"] for row in await data(world, query)])
    assert await world.state() == "ProtectionConfigured"
    assert [*dict.fromkeys(map(tuple, shown))] == [(), ("ConfiguringProtection",), ("ProtectionConfigured",)]
    assert shown.count(["ConfiguringProtection"]) * 6 >= seconds - 6


async def test_what_nobody_tells_of_is_found(world: World) -> None:
    await tagged(world, "1")
    await world.clock.advance(60)
    assert await seen(world) == ["1"]
    found = world.cloud.resources.group(SUBSCRIPTION, "late")
    assert found is not None
    found.tags = {"v": "2"}
    await world.clock.advance(60)
    assert await seen(world) == ["1"]
    await world.clock.advance(60)
    assert await seen(world) == ["2"]


async def test_the_lag_is_a_timing(world: World) -> None:
    await world.call("POST", "/simulator/timings", {"resource_graph_lag": 0})
    for value in "12":
        await tagged(world, value)
        assert await seen(world) == [value]
    await world.call("POST", "/simulator/timings", {"resource_graph_lag": 600})
    await tagged(world, "3")
    await world.clock.advance(599)
    assert await seen(world) == ["2"]
    await world.clock.advance(1)
    assert await seen(world) == ["3"]


async def test_what_goes_with_its_group_is_gone(world: World) -> None:
    await world.ready()
    query = "resources | where type endswith 'backupvaults' | project id"
    await world.clock.advance(60)
    assert await data(world, query) == [{"id": VAULT}]
    group = VAULT.partition("/providers/")[0]
    assert (await world.call("DELETE", group, None, "2022-09-01")).status == 202
    await world.clock.advance(world.cloud.timings.resource_group_delete + 60)
    assert await data(world, query) == []
    assert await data(world, "recoveryservicesresources | where type endswith 'backuppolicies' | project id") == []
