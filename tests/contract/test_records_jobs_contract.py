"""What is known of jobs is known once, whoever tells of it and in whatever order: the fakes and Azurite alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions_host.azurite import Azurite
from shared.domain.errors import RecordConflict
from shared.domain.jobs import EndedJob, JobIssue, OutOfMemorySign
from shared.ports import News, Watermark
from shared.record.entity import RecordUnreadableError
from shared.record.history import TableJobHistory, to_job_row
from shared.record.storage import Storage
from tests.contract.storage_under_test import NOW, StorageUnderTest, a_cluster, storage_under_test

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.DataProtection/backupVaults/V"
LONG_AGO = NOW - timedelta(days=400)
WARNING = JobIssue("UnsupportedVolume", "a volume was missed", "use another", "web/data")


@pytest.fixture(params=["fake", "azurite"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[StorageUnderTest]:
    async for storage in storage_under_test(request):
        yield storage


def a_job(**changes: Any) -> EndedJob:
    job = EndedJob(
        arm_id=f"{VAULT}/backupJobs/{uuid4()}",
        cluster=a_cluster(),
        instance_id=f"{VAULT}/backupInstances/i",
        operation="Backup",
        status="completedwithwarnings",
        user_triggered=False,
        started_at=NOW - timedelta(minutes=10),
        ended_at=NOW,
    )
    return replace(job, **changes)


async def test_a_cluster_nobody_told_of_has_no_history(storage: StorageUnderTest) -> None:
    history = await storage.history.of(a_cluster(), LONG_AGO)
    assert (history.jobs, history.signs) == ((), ())


async def test_news_comes_back_as_it_was_told(storage: StorageUnderTest) -> None:
    job = a_job(errors=(JobIssue("Code", "Grüße 😀"),), warnings=(WARNING,), resources=1200, detailed=True)
    sign = OutOfMemorySign(job.cluster, "dataprotection-microsoft-x", "geneva", NOW + timedelta(seconds=1))
    for news in (job, sign):
        assert not await storage.history.knows(news)
        assert await storage.history.add(news)
        assert await storage.history.knows(news)
    history = await storage.history.of(job.cluster, LONG_AGO)
    assert (history.jobs, history.signs) == ((job,), (sign,))


async def test_news_told_twice_is_there_once(storage: StorageUnderTest) -> None:
    job = a_job()
    spelt_otherwise = replace(job, arm_id=job.arm_id.upper())
    sign = OutOfMemorySign(job.cluster, "pod", "container", NOW)
    assert [await storage.history.add(news) for news in (job, spelt_otherwise, job)] == [True, False, False]
    assert [await storage.history.add(sign) for _ in range(2)] == [True, False]
    history = await storage.history.of(job.cluster, LONG_AGO)
    assert (history.jobs, history.signs) == ((job,), (sign,))


async def test_details_win_over_none_in_either_order(storage: StorageUnderTest) -> None:
    first = a_job()
    detailed = replace(first, warnings=(WARNING,), detailed=True)
    assert [await storage.history.add(news) for news in (first, detailed, first)] == [True, True, False]
    assert (await storage.history.of(first.cluster, LONG_AGO)).jobs == (detailed,)
    assert await storage.history.knows(first)

    second = a_job()
    assert await storage.history.add(second)
    assert not await storage.history.knows(replace(second, detailed=True))


async def test_a_failure_whose_reason_is_known_wins_over_one_without(storage: StorageUnderTest) -> None:
    bare = a_job(status="failed")
    reasoned = replace(bare, errors=(JobIssue("CSISnapshottingTimedOut"),))
    assert [await storage.history.add(news) for news in (bare, reasoned, bare)] == [True, True, False]
    assert (await storage.history.of(bare.cluster, LONG_AGO)).jobs == (reasoned,)


async def test_only_one_of_many_who_tell_the_same_is_first(storage: StorageUnderTest) -> None:
    job = a_job()
    assert sum(await asyncio.gather(*(storage.history.add(job) for _ in range(8)))) == 1
    assert (await storage.history.of(job.cluster, LONG_AGO)).jobs == (job,)


async def test_a_history_is_of_one_cluster_since_a_time_and_in_order(storage: StorageUnderTest) -> None:
    cluster = a_cluster()
    jobs = [a_job(cluster=cluster, ended_at=NOW - timedelta(days=days)) for days in range(5)]
    signs = [OutOfMemorySign(cluster, f"pod-{days}", "c", NOW - timedelta(days=days)) for days in range(5)]
    everything: list[News] = [*jobs, a_job(), *signs]
    for news in everything:
        await storage.history.add(news)
    history = await storage.history.of(cluster, NOW - timedelta(days=2))
    assert history.jobs == (jobs[2], jobs[1], jobs[0])
    assert history.signs == (signs[2], signs[1], signs[0])


@pytest.mark.parametrize(
    "issues",
    [
        (WARNING,) * 5_000,
        (JobIssue("c" * 1_000_000, "ä😀\0" * 300_000, "\ud800" * 1_000_000, "r" * 1_000_000),) * 3,
        (replace(WARNING, message="\U0001f4a9" * 1_000_000),) * 50,
    ],
)
async def test_a_job_of_any_size_is_kept_and_what_is_left_out_counted(
    storage: StorageUnderTest, issues: tuple[JobIssue, ...]
) -> None:
    job = a_job(warnings=issues, detailed=True)
    assert await storage.history.add(job)
    assert await storage.history.knows(job)
    assert not await storage.history.add(job)
    (kept,) = (await storage.history.of(job.cluster, LONG_AGO)).jobs
    assert kept.warnings
    assert len(kept.warnings) + kept.left_out == len(issues)
    assert kept.warnings[0].code == issues[0].code[:300]


async def test_a_hostile_name_does_not_make_news_unknown(storage: StorageUnderTest) -> None:
    sign = OutOfMemorySign(a_cluster(), "p" * 1_000_000, "c" * 1_000_000, NOW)
    job = a_job(arm_id="/backupJobs/" + "x" * 1_000_000, status="s" * 1_000_000, instance_id="i" * 1_000_000)
    both: tuple[News, ...] = (sign, job)
    for news in both:
        assert [await storage.history.add(news) for _ in range(2)] == [True, False]
        assert await storage.history.knows(news)


async def test_a_source_nobody_read_has_no_watermark(storage: StorageUnderTest) -> None:
    assert await storage.watermarks.get(uuid4().hex) is None


async def test_a_watermark_is_moved_by_one_at_a_time(storage: StorageUnderTest) -> None:
    first = Watermark(f"Resource Graph {uuid4()}", NOW, failing_since=NOW - timedelta(hours=1))
    saved = await storage.watermarks.save(first)
    assert await storage.watermarks.get(first.source) == saved
    with pytest.raises(RecordConflict):
        await storage.watermarks.save(first)
    healed = await storage.watermarks.save(replace(saved, through=NOW + timedelta(hours=1), failing_since=None))
    with pytest.raises(RecordConflict):
        await storage.watermarks.save(replace(saved, through=NOW))
    assert await storage.watermarks.get(first.source) == healed


async def test_a_history_with_a_hole_is_an_error(azurite: Azurite) -> None:
    storage = Storage.by_connection_string(azurite.connection_string)
    history, job = TableJobHistory(storage), a_job()
    await storage.write("jobs", {**to_job_row(job), "document": "{"}, "")
    await history.add(a_job(cluster=job.cluster))
    with pytest.raises(RecordUnreadableError, match=r"the job \S+ of /subscriptions/\S+ cannot be read"):
        await history.of(job.cluster, LONG_AGO)
    await storage.close()
