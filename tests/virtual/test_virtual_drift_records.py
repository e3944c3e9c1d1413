"""What a record says of drift, for sweeps and people: what remains, when a restore last worked."""

from dataclasses import replace

from tests.virtual.breakages import BREAKAGES
from tests.virtual.drift import HOUR, protected, whole
from tests.virtual.world import QUICK, VirtualWorld

NAMED = {breakage.name: breakage for breakage in BREAKAGES}


async def test_what_remains_is_known_from_the_first_look_until_it_is_put_back() -> None:
    fleet = await protected()
    record = fleet.world.record(fleet.cluster)
    assert record is not None
    assert record.remaining == ()
    assert record.first_ready_at is not None
    await NAMED["Reader of vault on cluster"].do(fleet)
    await fleet.world.notice(fleet.cluster)

    async def remains() -> bool:
        record = fleet.world.record(fleet.cluster)
        return record is not None and any(name.startswith("GrantRole:") for name in record.remaining)

    assert await fleet.world.run(remains, seconds=HOUR)
    assert await fleet.world.run(lambda: _not(remains()), seconds=HOUR)


async def _not(holds: object) -> bool:
    return not await holds  # type: ignore[misc]


async def test_while_everything_is_stopped_what_remains_is_named() -> None:
    fleet = await protected()
    fleet.world.restart(stopped=True)
    await NAMED["backups suspended"].do(fleet)
    await fleet.asked(HOUR)
    record = fleet.world.record(fleet.cluster)
    assert record is not None
    assert "ResumeBackups" in record.remaining
    assert fleet.world.condition(fleet.cluster).reason == "EmergencyStop"


async def test_a_restore_that_completed_is_remembered_and_a_later_failure_takes_it_not_back() -> None:
    world = VirtualWorld(timings=QUICK)
    world.start_timer()
    world.start_job_watch()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=2 * HOUR)
    world.cloud.data_protection.add_job(cluster.arm_id, "Restore", "completed", None, None)
    await world.run(seconds=HOUR)
    record = world.record(cluster)
    assert record is not None
    restored_at = record.last_restore_at
    assert restored_at is not None

    world.cloud.data_protection.add_job(cluster.arm_id, "Restore", "failed", None, "CloudInternalError")
    await world.run(seconds=HOUR)
    record = world.record(cluster)
    assert record is not None
    assert record.last_restore_at == restored_at


async def test_the_region_is_read_once_for_all_looks_of_a_sweep() -> None:
    """However many of its clusters are asked about together."""
    fleet = await protected()
    seen = len(fleet.world.cloud.front_door.calls.all())
    await fleet.asked(HOUR)
    calls = [c for c in fleet.world.cloud.front_door.calls.all()[seen:] if c.path.lower() == fleet.vault.lower()]
    assert len(calls) == 1


async def test_a_look_at_a_cluster_that_is_just_being_protected_waits_for_nothing() -> None:
    """And reads what the region shares no second time."""
    fleet = await protected()
    new = fleet.world.create_cluster(settled=True)
    seen = len(fleet.world.cloud.front_door.calls.all())
    await fleet.world.notice(new)
    await fleet.world.run(seconds=100)
    await fleet.world.notice(new)
    assert await fleet.world.run_until_ready(new, seconds=HOUR)
    calls = [c for c in fleet.world.cloud.front_door.calls.all()[seen:] if c.path.lower() == fleet.vault.lower()]
    assert calls == []


async def test_an_extension_installed_before_this_was_remembered_is_known_by_its_container() -> None:
    fleet = await protected()
    before, world = await whole(fleet), fleet.world
    record = world.record(fleet.cluster)
    assert record is not None
    assert record.installed_in
    stored = await world.host.records.get(fleet.cluster)
    assert stored is not None
    await world.host.records.save(replace(stored, installed_in="", scope_seen=""))
    await fleet.asked(HOUR)
    await NAMED["extension without useAAD"].do(fleet)
    await fleet.asked()
    assert await whole(fleet) == before


async def test_an_instance_deleted_together_with_its_cluster_comes_back_for_the_next_one() -> None:
    world = VirtualWorld(timings=QUICK)
    world.start_timer()
    cluster = world.create_cluster(settled=True, name="shop")
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=2 * HOUR)
    (instance,) = await world.operator.instances(cluster)
    await world.operator.delete_cluster(cluster)
    await world.operator.do("DELETE", instance["id"], "2026-06-01")
    await world.notice(cluster)
    await world.run_until_says(cluster, "Ready", "ClusterDeleted")
    assert world.create_cluster(settled=True, name="shop") == cluster
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=6 * HOUR), world.condition(cluster)
    assert [one["id"] for one in await world.operator.instances(cluster)] == [instance["id"]]
