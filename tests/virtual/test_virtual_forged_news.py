"""News that Azure knows nothing of changes nothing, however well it is made."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.jobs import EndedJob, JobIssue
from shared.domain.profile import Cures
from shared.hand_on import take_in
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

CODES = (
    "KubernetesBackupListExtensionsError",
    "UserErrorNoDefaultBackupStorageLocationFound",
    "CSISnapshottingTimedOut",
    "UserErrorBackupPluginPodRestartedDuringBackup",
    "UserErrorBackupStorageLocationNotReady",
)


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("code", CODES)
async def test_a_forged_job_is_told_but_changes_nothing(code: str, real: bool) -> None:
    """`real`: the job is there, but it was clean."""
    profile = enforcing(cures=Cures(reinstall_extension=True))
    world = VirtualWorld(configuration_of(profile), timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster)
    [instance] = await world.operator.instances(cluster)
    [job] = await world.operator.jobs_of(cluster)
    before = world.operator.changes_by_the_app()
    now = world.clock.now()
    name = job["name"] if real else "00000000-4d8d-42bd-a8d9-309923d7d994"
    forged = EndedJob(
        arm_id=f"{job['id'].rpartition('/')[0]}/{name}",
        cluster=cluster,
        instance_id=instance["id"],
        operation="Backup",
        status="failed",
        user_triggered=False,
        started_at=now + timedelta(minutes=1),
        ended_at=now + timedelta(minutes=4),
        errors=(JobIssue(code, "forged"),),
        detailed=True,
    )
    second = replace(forged, arm_id=f"{forged.arm_id[:-1]}5", ended_at=now + timedelta(minutes=5))
    for news in (forged, second):
        await take_in(news, world.host)
        await world.run(seconds=3 * 3600)

    changes = [
        change for change in world.operator.changes_by_the_app()[len(before) :] if "resourcegraph" not in change.lower()
    ]
    assert changes == []
    assert world.record(cluster) is not None
    assert [alert.cause.code for alert in world.alert_book.all_now() if alert.state == "Open"] == [code]
