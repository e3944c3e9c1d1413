"""A look spares the quota that a whole subscription shares."""

from collections import Counter

from tests.virtual.world import VirtualWorld


async def test_nothing_is_asked_twice_at_the_same_moment() -> None:
    world = VirtualWorld()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster)

    reads = Counter((c.time, c.path) for c in world.cloud.front_door.calls.all() if c.method == "GET")

    assert reads
    assert {path: count for (_, path), count in reads.items() if count > 1} == {}


async def test_a_new_instance_is_not_asked_for_recovery_points_it_cannot_have() -> None:
    world = VirtualWorld()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster)

    calls = world.cloud.front_door.calls.all()
    (backup,) = (c for c in calls if c.method == "POST" and c.path.endswith("/backup"))
    listed = [c for c in calls if c.path.endswith("/recoveryPoints")]

    assert listed
    assert all(call.time > backup.time for call in listed)
