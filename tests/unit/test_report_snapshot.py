"""The latest sweep in memory: read once, the same for all who ask, until there is a later one."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from shared.domain.sweeps import Batch
from shared.record.sweeps import Sweeps
from shared.report.snapshot import Snapshot, Snapshots
from tests.contract.http_api_world import CLUSTERS, NOW, SWEEP_ID, arm_id, snapshot_of
from tests.fakes.storage import FakeSweepRows


async def keep(sweeps: Sweeps, snapshot: Snapshot) -> None:
    pages, changes = await sweeps.write_batch(snapshot.summary.sweep_id, 0, snapshot.clusters, ())
    await sweeps.finish(snapshot.summary, (Batch((), "", pages, changes),))


async def test_there_is_none_before_the_first_sweep_has_ended() -> None:
    sweeps = Sweeps(FakeSweepRows())
    await sweeps.write_batch(SWEEP_ID, 0, CLUSTERS, ())
    assert await Snapshots(sweeps).latest() is None


async def test_it_is_read_once_and_is_sorted_by_name() -> None:
    sweeps = Sweeps(FakeSweepRows())
    await keep(sweeps, snapshot_of())
    snapshots = Snapshots(sweeps)
    seen = await asyncio.gather(*(snapshots.latest() for _ in range(5)))
    assert seen[0] is not None
    assert [cluster.name for cluster in seen[0].clusters] == ["alpha", "beta", "gamma"]
    assert all(snapshot is seen[0] for snapshot in seen)

    await sweeps.forget(NOW + timedelta(days=1), NOW - timedelta(days=900))
    assert [cluster async for cluster in sweeps.clusters(SWEEP_ID)] == [], "storage has them no more"
    assert await snapshots.latest() is seen[0]


async def test_a_later_sweep_takes_its_place() -> None:
    sweeps = Sweeps(FakeSweepRows())
    await keep(sweeps, snapshot_of())
    snapshots = Snapshots(sweeps)
    await snapshots.latest()
    later = snapshot_of(CLUSTERS[:1])
    later = replace(later, summary=replace(later.summary, sweep_id="20260302T040000Z-a", started_at=NOW))
    await keep(sweeps, later)
    latest = await snapshots.latest()
    assert latest is not None
    assert (latest.summary.sweep_id, len(latest.clusters)) == ("20260302T040000Z-a", 1)


def test_a_cluster_is_found_however_its_id_is_spelt() -> None:
    snapshot = snapshot_of()
    for spelling in (arm_id("alpha"), arm_id("alpha").upper(), f" {arm_id('alpha').lower()}/ "):
        found = snapshot.cluster(spelling)
        assert found is not None
        assert found.name == "alpha"
    assert snapshot.cluster(arm_id("nobody")) is None
