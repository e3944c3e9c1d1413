"""Sweeps in storage: half ones never show, what is written again replaces itself, and hostile text does no harm: the
fake and Azurite alike."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from uuid import uuid4

import pytest

from functions_host.azurite import Azurite
from shared.domain.compliance import JudgedCluster, SweepSummary, Tally, VerdictChange
from shared.domain.errors import RecordConflict
from shared.domain.facts import Fact, Present, Unobserved
from shared.domain.fleet import Source
from shared.domain.sweeps import Batch, Sum, SweepRun, Totals
from shared.judge_fleet import sweep_id_of
from shared.ports import RepairBreaker, RepairHold
from shared.record.keys import SWITCHES, RowAddress
from shared.record.repair_breaker import TableRepairBreaker
from shared.record.storage import Storage
from shared.record.sweep_rows import SweepRows, TableSweepRows
from shared.record.sweeps import Sweeps
from tests.fakes.judged import NOON, bad, good, judged
from tests.fakes.storage import FakeRepairBreaker, FakeSweepRows

DAY = timedelta(days=1)
A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
HOSTILE = "<script>=cmd|' /C calc'!A0 \u202e\u0000\U0001f600 " + "x" * 250


@dataclass
class UnderTest:
    sweeps: Sweeps
    rows: SweepRows
    breaker: RepairBreaker
    began: datetime
    """No other test's sweeps are so young: they share the table."""


_YEARS = iter(range(2030, 9000))


@pytest.fixture(params=["fake", "azurite"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[UnderTest]:
    began = NOON.replace(year=next(_YEARS))
    if request.param == "fake":
        fake = FakeSweepRows()
        yield UnderTest(Sweeps(fake), fake, FakeRepairBreaker(), began)
        return
    azurite: Azurite = request.getfixturevalue("azurite")
    real = Storage.by_connection_string(azurite.connection_string)
    rows = TableSweepRows(real)
    for partition in ("run", "summary"):
        await rows.delete(partition, [row["RowKey"] async for row in rows.between(partition, "", "~", ("RowKey",))])
    async with real.table(SWITCHES, "begin") as client:
        await client.delete_entity(RowAddress.of("repair-breaker").as_columns())
    yield UnderTest(Sweeps(rows), rows, TableRepairBreaker(real), began)
    await real.close()


def new_id(at: datetime) -> str:
    return sweep_id_of(at, uuid4().hex)


def a_summary(at: datetime, **changes: object) -> SweepSummary:
    sources = (Source("clusters", at, ("one", "two"), 7),)
    summary = SweepSummary(new_id(at), at, at + timedelta(minutes=2), 3, Tally(2, 1, 1), sources=sources)
    return replace(summary, **changes)  # type: ignore[arg-type]


def a_change(sweep_id: str, at: datetime, name: str = "shop", control: str = "protected") -> VerdictChange:
    cluster = judged(name)
    return VerdictChange(
        sweep_id, at, cluster.cluster_id, name, "shop", control, "Compliant", "NonCompliant", "No", HOSTILE
    )


async def finished(
    store: UnderTest, at: datetime, *clusters: JudgedCluster, changes: tuple[VerdictChange, ...] = ()
) -> SweepSummary:
    summary = a_summary(at, changes=len(changes))
    own = tuple(replace(change, sweep_id=summary.sweep_id) for change in changes)
    pages = await store.sweeps.write_batch(summary.sweep_id, 0, clusters, own)
    subscriptions = tuple(sorted({cluster.subscription_id for cluster in clusters}))
    await store.sweeps.finish(summary, [Batch(subscriptions, "", *pages)])
    return summary


async def clusters_of(store: UnderTest, sweep_id: str) -> list[JudgedCluster]:
    return [each async for each in store.sweeps.clusters(sweep_id)]


async def test_what_was_judged_comes_back_as_it_was(storage: UnderTest) -> None:
    hostile = judged(
        "shop",
        bad(message=HOSTILE, since=NOON, expires=NOON + DAY),
        good(),
        team=HOSTILE,
        facts={HOSTILE: HOSTILE, "none": None, "many": ("a", HOSTILE), "number": 1.5, "whole": 3, "yes": True},
        remaining=("AssignRoles",),
        judged_at=NOON + timedelta(microseconds=7),
    )
    fleet = [hostile, judged("other", judged_at=None), *(judged(f"c{number}", bad()) for number in range(1500))]
    summary = await finished(storage, storage.began, *fleet)
    assert await clusters_of(storage, summary.sweep_id) == fleet
    assert await storage.sweeps.latest() == summary


async def test_a_cluster_that_fills_a_row_by_itself_fits(storage: UnderTest) -> None:
    noise = tuple(uuid4().hex for _ in range(20_000))
    fleet = [judged(f"c{number}", facts={"noise": noise[number:] + noise[:number]}) for number in range(3)]
    summary = await finished(storage, storage.began, *fleet)
    assert await clusters_of(storage, summary.sweep_id) == fleet


async def test_a_sweep_shows_only_when_it_is_complete(storage: UnderTest) -> None:
    first = await finished(storage, storage.began, judged("shop"))
    half = new_id(storage.began + DAY)
    change = a_change(half, storage.began + DAY)
    await storage.sweeps.write_batch(half, 0, [judged("other")], [change])
    assert await storage.sweeps.latest() == first
    assert await clusters_of(storage, half) == []
    assert [each async for each in storage.sweeps.changes(storage.began)] == []
    assert [each async for each in storage.sweeps.changes_of(half)] == []
    for nonsense in ("", "nonsense", "20260301T120000Z-../x", "../summary"):
        assert await clusters_of(storage, nonsense) == []


async def test_a_batch_that_is_written_again_replaces_itself_also_with_fewer_clusters(storage: UnderTest) -> None:
    summary = a_summary(storage.began)
    many = [judged(f"c{number}") for number in range(2500)]
    await storage.sweeps.write_batch(summary.sweep_id, 0, many, [])
    pages = await storage.sweeps.write_batch(summary.sweep_id, 0, many[:10], [])
    await storage.sweeps.finish(summary, [Batch((A,), "", *pages)])
    assert await clusters_of(storage, summary.sweep_id) == many[:10]


async def test_the_sweep_before_is_read_by_subscription_wherever_it_lay(storage: UnderTest) -> None:
    summary = a_summary(storage.began)
    one, other, third = (judged(name, subscription_id=sub) for name, sub in (("one", A), ("two", B), ("three", A)))
    first = await storage.sweeps.write_batch(summary.sweep_id, 0, [one, other], [])
    second = await storage.sweeps.write_batch(summary.sweep_id, 1, [third], [])
    await storage.sweeps.finish(summary, [Batch((A, B), "", *first), Batch((A,), "", *second)])
    assert [each async for each in storage.sweeps.before(summary.sweep_id, [A])] == [one, third]
    assert [each async for each in storage.sweeps.before(summary.sweep_id, [B])] == [other]
    assert [each async for each in storage.sweeps.before("20260301T120000Z-gone", [B])] == []


async def test_the_newest_sweep_and_the_newest_change_come_first(storage: UnderTest) -> None:
    began = storage.began
    days = [began + number * DAY for number in range(4)]
    summaries = [
        await finished(storage, day, judged("shop"), changes=(a_change("", day), a_change("", day, "other")))
        for day in days
    ]
    assert list(await storage.sweeps.summaries(3)) == summaries[:0:-1]
    changes = [change async for change in storage.sweeps.changes(days[1])]
    assert [change.sweep_id for change in changes] == [s.sweep_id for s in summaries[:0:-1] for _ in range(2)]
    upper = judged("shop").cluster_id.upper()
    of_one = [change async for change in storage.sweeps.changes(days[2], upper)]
    assert [(change.name, change.at) for change in of_one] == [("shop", days[3]), ("shop", days[2])]
    assert of_one[0].message == HOSTILE
    assert [c async for c in storage.sweeps.changes_of(summaries[0].sweep_id)] == [
        a_change(summaries[0].sweep_id, days[0]),
        a_change(summaries[0].sweep_id, days[0], "other"),
    ]


async def test_one_of_two_hosts_begins(storage: UnderTest) -> None:
    assert await storage.sweeps.run() is None
    run = SweepRun(new_id(storage.began), storage.began, 1)
    saved = await storage.sweeps.save_run(run)
    with pytest.raises(RecordConflict):
        await storage.sweeps.save_run(replace(run, sweep_id=new_id(storage.began)))
    claimed = await storage.sweeps.save_run(replace(saved, lease_id="me", lease_until=storage.began + DAY))
    with pytest.raises(RecordConflict):
        await storage.sweeps.save_run(replace(saved, lease_id="you", lease_until=storage.began + DAY))
    assert await storage.sweeps.run() == claimed


async def test_a_run_of_another_version_is_done_and_to_be_dropped(storage: UnderTest) -> None:
    run = await storage.sweeps.save_run(SweepRun(new_id(storage.began), storage.began, 1))
    row = await storage.rows.read(RowAddress("run", "run"))
    assert row is not None
    await storage.rows.put({**{k: v for k, v in row.items() if k != "etag"}, "data_00": b"not by this version"})
    read = await storage.sweeps.run()
    assert read is not None
    assert (read.stage, read.unfinished) == ("done", (run.sweep_id,))
    await storage.sweeps.finish(SweepSummary(run.sweep_id, run.started_at, run.started_at, 1, Tally()), ())
    read = await storage.sweeps.run()
    assert read is not None
    assert (read.stage, read.unfinished) == ("done", ()), "it shows, and is kept"
    assert (await storage.sweeps.save_run(replace(run, etag=read.etag))).etag


async def test_a_fleet_of_hostile_names_does_not_keep_a_sweep_from_its_end(storage: UnderTest) -> None:
    """A thousand teams with another 250 random characters each are more than a row may have."""
    random = Random(1)  # noqa: S311 - a chance that repeats
    names = ["".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(250)) for _ in range(3000)]
    run = SweepRun(new_id(storage.began), storage.began, 1)
    large = replace(run, totals=Totals(by_team={name: Sum(1) for name in names}), names={"b": "B"})
    saved = await storage.sweeps.save_run(run)
    saved = await storage.sweeps.save_run(replace(large, etag=saved.etag))
    assert await storage.sweeps.run() == saved
    larger = await storage.sweeps.save_run(replace(saved, done=1, totals=Totals(by_team=dict.fromkeys(names, Sum(2)))))
    assert await storage.sweeps.run() == larger
    summary = SweepSummary(run.sweep_id, storage.began, storage.began, 1, Tally(), dict.fromkeys(names, Tally(1)))
    await storage.sweeps.finish(summary, [Batch(("a",))])
    fresh = Sweeps(storage.rows)
    assert (await fresh.latest(), list(await fresh.summaries(3))) == (summary, [summary])
    await fresh.forget(storage.began + DAY, storage.began - DAY)
    assert await fresh.latest() == summary, "without its clusters"
    small = await storage.sweeps.save_run(replace(run, etag=larger.etag))
    assert await storage.sweeps.run() == small
    await fresh.forget(storage.began + DAY, storage.began + DAY)
    assert [row async for row in storage.rows.between(run.sweep_id, "", "~")] == []


async def test_what_vaults_said_is_remembered_with_its_age(storage: UnderTest) -> None:
    assert await storage.sweeps.diagnostics() == {}
    known: dict[str, Fact[bool]] = {"/vault/a": Present(True, NOON), "/vault/b": Present(False, NOON + DAY)}
    await storage.sweeps.keep_diagnostics({**known, "/vault/c": Unobserved("no right")})
    assert await storage.sweeps.diagnostics() == known


async def test_old_sweeps_are_forgotten_their_clusters_first(storage: UnderTest) -> None:
    began = storage.began
    ages = [began - 40 * DAY, began - 4 * DAY, began]
    old, middle, young = [await finished(storage, at, judged("shop"), changes=(a_change("", at),)) for at in ages]
    half = new_id(began)
    await storage.sweeps.write_batch(half, 0, [judged("shop")], [])
    await storage.sweeps.drop(half)
    await storage.sweeps.forget(began - 3 * DAY, began - 30 * DAY)
    fresh = Sweeps(storage.rows)
    assert list(await fresh.summaries(9)) == [young, middle]
    assert [len([c async for c in fresh.clusters(s.sweep_id)]) for s in (old, middle, young)] == [0, 0, 1]
    assert [change.sweep_id async for change in fresh.changes(ages[0])] == [young.sweep_id, middle.sweep_id]
    for gone in (half, old.sweep_id):
        assert [row async for row in storage.rows.between(gone, "", "~")] == []
    assert len([row async for row in storage.rows.between(middle.sweep_id, "", "~")]) == 1
    await storage.sweeps.forget(began - 3 * DAY, began - 30 * DAY)
    assert list(await fresh.summaries(9)) == [young, middle]


async def test_a_death_while_a_sweep_is_forgotten_shows_no_half_of_it(storage: UnderTest) -> None:
    summary = await finished(storage, storage.began, *(judged(f"c{number}") for number in range(2500)))

    class DiedError(Exception):
        pass

    class Dying(FakeSweepRows):
        def __getattribute__(self, name: str) -> object:
            if name in ("read", "put", "between", "write"):
                return getattr(storage.rows, name)
            return super().__getattribute__(name)

        async def delete(self, partition: str, row_keys: object) -> None:
            keys = [row["RowKey"] async for row in storage.rows.between(partition, "b", "c", ("RowKey",))]
            await storage.rows.delete(partition, keys[:1])
            raise DiedError

    with pytest.raises(DiedError):
        await Sweeps(Dying()).forget(storage.began + DAY, storage.began - DAY)
    fresh = Sweeps(storage.rows)
    assert [each async for each in fresh.clusters(summary.sweep_id)] == []
    assert await fresh.latest() == summary
    await fresh.forget(storage.began + DAY, storage.began - DAY)
    assert [row async for row in storage.rows.between(summary.sweep_id, "", "~")] == []


async def test_the_breaker_of_repairs_is_closed_by_a_person_only(storage: UnderTest) -> None:
    breaker, began = storage.breaker, storage.began
    assert await breaker.held() is None
    assert await breaker.approved_until() is None
    assert await breaker.approve("ada", began, began + DAY) is None
    hold = RepairHold("s1", began + 2 * DAY, 30, 100)
    await breaker.hold(replace(hold, at=began + DAY / 2))
    assert await breaker.held() is None  # what she said still counts
    await breaker.hold(hold)
    await breaker.hold(replace(hold, sweep_id="s2", clusters=1))
    assert await breaker.held() == hold  # the first one stays
    assert await breaker.approve("ada", began + 3 * DAY, began + 4 * DAY) == hold
    assert await breaker.held() is None
    assert await breaker.approved_until() == began + 4 * DAY
