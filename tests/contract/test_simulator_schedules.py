"""Backups at the times of their policies, in calendar time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.clock import VirtualClock
from tests.contract.data_protection_world import CLUSTER, INSTANCE, POLICY, VAULT, World, instance

HOUR = 3600


class _FastClock(VirtualClock):
    """Virtual time in which durations are shortened, as a server with `--speed 60` shortens them."""

    def shorten(self, seconds: float) -> float:
        return seconds / 60

    def after(self, seconds: float) -> datetime:
        return super().after(self.shorten(seconds))


async def protected(interval: str = "R/2024-01-01T02:00:00+00:00/PT6H", clock: VirtualClock | None = None) -> World:
    """A protected cluster whose policy runs by itself; the clock begins at midnight."""
    world = World(clock, schedules=True)
    await world.ready()
    await world.policy(interval=interval)
    await world.protect()
    return world


async def jobs(world: World) -> list[dict[str, Any]]:
    """Oldest first."""
    found = (await world.read(f"{VAULT}/backupJobs"))["value"]
    return [one["properties"] for one in reversed(found)]


async def starts(world: World) -> list[datetime]:
    return [datetime.fromisoformat(job["startTime"]) for job in await jobs(world)]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


async def test_backups_begin_at_the_policys_times() -> None:
    world = await protected()
    await world.clock.advance_to(at(2, 9))
    assert await starts(world) == [at(1, 2), at(1, 8), at(1, 14), at(1, 20), at(2, 2), at(2, 8)]
    assert {(job["status"], job["isUserTriggered"]) for job in await jobs(world)} == {("Completed", False)}
    assert len((await world.read(f"{INSTANCE}/recoveryPoints"))["value"]) == 6


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("R/2024-01-01T23:30:00+00:00/P1D", [at(1, 23, 30), at(2, 23, 30)]),
        ("R/2026-01-02T05:00:00.0000000+02:00/PT12H", [at(2, 3), at(2, 15)]),  # not before its start
        ("R/2026-01-01T00:00:00Z/PT8H", [at(1, 8), at(1, 16), at(2, 0), at(2, 8), at(2, 16)]),
    ],
)
async def test_starts_and_intervals(interval: str, expected: list[datetime]) -> None:
    world = await protected(interval)
    await world.clock.advance_to(at(2, 23, 45))
    assert await starts(world) == expected


async def test_the_calendar_is_not_shortened() -> None:
    world = await protected(clock=_FastClock())
    await world.clock.advance_to(at(1, 9))
    assert await starts(world) == [at(1, 2), at(1, 8)]
    first = (await jobs(world))[0]
    assert datetime.fromisoformat(first["endTime"]) - at(1, 2) < timedelta(seconds=4)


async def test_without_schedules_nothing_begins_by_itself() -> None:
    world = World()
    await world.ready()
    await world.protect()
    await world.clock.advance_to(at(9, 0))
    assert await jobs(world) == []
    assert world.clock.next_due() is None


@pytest.mark.parametrize("call", ["stopProtection", "suspendBackups"])
async def test_stopped_protection_skips_its_times_until_it_is_resumed(call: str) -> None:
    world = await protected()
    await world.call("POST", f"{INSTANCE}/{call}", {})
    await world.clock.advance_to(at(1, 9))
    assert await jobs(world) == []
    resumed = await world.call("POST", f"{INSTANCE}/resumeProtection", {})
    assert (await world.done(resumed, 100))["status"] == "Succeeded"
    await world.clock.advance_to(at(1, 21))
    assert await starts(world) == [at(1, 14), at(1, 20)]


async def test_protection_in_error_skips_its_times() -> None:
    world = await protected()
    extension = world.cloud.kubernetes_configuration.backup_extension(CLUSTER)
    assert extension is not None
    await world.call("DELETE", f"{extension.id}?forceDelete=true", version="2025-03-01")
    changed = instance()
    changed["properties"]["friendlyName"] = "other"
    await world.call("PUT", INSTANCE, changed)
    await world.clock.advance(HOUR)
    assert await world.state() == "ProtectionError"
    await world.clock.advance_to(at(1, 9))
    assert await jobs(world) == []


async def test_a_stopped_clusters_backups_fail() -> None:
    world = await protected()
    await world.call("POST", f"{CLUSTER}/stop", version="2026-08-01")
    await world.clock.advance_to(at(1, 3))
    (job,) = await jobs(world)
    job_id = (await world.read(f"{VAULT}/backupJobs"))["value"][0]["id"]
    details = (await world.read(job_id))["properties"]["errorDetails"]
    assert (job["status"], details[0]["code"]) == ("Failed", "UserErrorKubernetesBackupClusterIsStopped")


async def test_another_policy_has_other_times() -> None:
    world = await protected()
    other = POLICY.replace("/policy", "/other")
    await world.policy(other, interval="R/2024-01-01T05:00:00+00:00/P1D")
    await world.call("PUT", INSTANCE, instance(policy_id=other))
    await world.clock.advance_to(at(2, 6))
    assert await starts(world) == [at(1, 5), at(2, 5)]


async def test_a_policy_changed_in_place_has_its_new_times_at_once() -> None:
    world = await protected()
    await world.policy(interval="R/2024-01-01T01:00:00+00:00/PT12H")
    await world.clock.advance_to(at(1, 14))
    assert await starts(world) == [at(1, 1), at(1, 13)]


async def test_an_instance_made_again_under_its_name_is_backed_up_once() -> None:
    world = World(schedules=True)
    await world.ready()
    await world.call("DELETE", VAULT)
    await world.clock.advance(world.cloud.timings.vault_delete)
    await world.vault(soft_delete="Off")
    await world.policy(interval="R/2024-01-01T02:00:00+00:00/PT6H")
    await world.trusted_access()
    world.roles()
    for _ in range(2):
        await world.protect()
        deleted = await world.call("DELETE", INSTANCE)
        await world.done(deleted, world.cloud.timings.instance_delete)
    await world.protect()
    await world.clock.advance_to(at(1, 9))
    assert await starts(world) == [at(1, 2), at(1, 8)]


async def test_an_instance_that_is_gone_leaves_no_wake_up() -> None:
    world = await protected()
    await world.call("DELETE", INSTANCE)
    await world.clock.advance_to(at(3, 0))
    assert await jobs(world) == []
    assert world.clock.next_due() is None
