"""A whole vault's backups fail at once: an alert for each cluster, one message a route, and Azure is hardly asked."""

import os
from collections import Counter
from itertools import batched

import pytest

from shared.domain.ids import ClusterId
from shared.domain.profile import Notifications, Route, Selector
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

CLUSTERS = 500 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 100
AT_A_TIME = 10
"""Clusters that appear together. All at once would only wait for each other in Azure's throttles."""
CODE = "UserErrorBackupFailedBackupStorageLocationReadOnly"
ROUTES = (
    Route("platform", channels=("PLATFORM",)),
    Route("shop", Selector(tags={"team": "shop"}), channels=("SHOP",)),
)


async def protected_fleet(count: int) -> tuple[VirtualWorld, list[ClusterId]]:
    """Half of the clusters are the shop's."""
    configuration = configuration_of(enforcing(), notifications=Notifications(ROUTES))
    world = VirtualWorld(configuration, timings=QUICK)
    clusters = [
        world.create_cluster(settled=True, tags={"team": "shop" if number % 2 else "other"}) for number in range(count)
    ]
    for some in batched(clusters, AT_A_TIME, strict=False):
        await world.notice(*some)
        await world.run(seconds=150, together=True)
    await world.run(seconds=3600, together=True)
    assert all(world.is_ready(cluster) for cluster in clusters)
    return world, clusters


@pytest.mark.timeout(300)
async def test_a_vault_wide_outage_is_one_message_a_route() -> None:
    world, clusters = await protected_fleet(CLUSTERS)
    await world.clock.advance(3600)  # the first backups are long over
    await world.job_watch()
    await world.run(seconds=600, together=True)
    assert not world.channels.messages
    jobs = [world.cloud.data_protection.add_job(cluster.arm_id, "Backup", "failed", code=CODE) for cluster in clusters]
    world.cloud.front_door.calls.clear()
    world.start_job_watch()
    assert await world.run(seconds=1800, together=True)

    alerts = [alert for alert in world.alert_book.all_now() if alert.state == "Open"]
    assert {alert.subject for alert in alerts} == {cluster.key for cluster in clusters}
    assert Counter(alert.cause.code for alert in alerts) == {CODE: CLUSTERS}
    assert {alert.cause.job_id.lower() for alert in alerts} == {job.lower() for job in jobs}
    told = [(channel, len(message.announcements)) for channel, message in world.channels.messages]
    assert sorted(told) == [("PLATFORM", CLUSTERS), ("SHOP", CLUSTERS // 2)]

    calls = world.cloud.front_door.calls.all()
    assert not [call for call in calls if call.status == 429]
    asked = Counter(call.method for call in calls if call.principal == world.cloud.identity.app.object_id)
    assert asked.total() < 10, "the source now and then, and the resource group's tags"
