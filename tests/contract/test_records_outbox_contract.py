"""What is to be sent is written down once and stays until it is sent: the fakes and Azurite alike."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions_host.azurite import Azurite
from shared.domain.alerts import About, Alert, Announcement, Cause
from shared.domain.destinations import TOPIC
from shared.domain.errors import RecordConflict
from shared.domain.jobs import EndedJob, JobIssue, OutOfMemorySign
from shared.ports import OutgoingNews
from shared.record.entity import RecordUnreadableError
from shared.record.messages import parse_notification
from shared.record.outbox import TableOutbox, to_announcement_row, to_news_row
from shared.record.storage import Storage
from tests.contract.storage_under_test import NOW, StorageUnderTest, a_cluster, storage_under_test


@pytest.fixture(params=["fake", "azurite"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[StorageUnderTest]:
    async for storage in storage_under_test(request):
        yield storage


def a_destination() -> str:
    return f"route:team {uuid4()} / ä"


def an_announcement(key: str = "", **changes: Any) -> Announcement:
    subject = a_cluster()
    cause = Cause("Backup:x", "X", "Error", "title", "message ä", "do this", NOW, NOW)
    alert = Alert(subject.key, cause, "Open", "Error", opened_at=NOW)
    about = About(subject.key, "aks", tags={"owner": "team-a"})
    return replace(Announcement(key or f"{alert.id}:1:opened", "Opened", alert, about, NOW), **changes)


def a_job(**changes: Any) -> EndedJob:
    job_id = f"/vault/backupJobs/{uuid4()}"
    return replace(EndedJob(job_id, a_cluster(), "/i", "Backup", "failed", False, NOW, NOW), **changes)


async def our_news(storage: StorageUnderTest, *entries: OutgoingNews) -> list[OutgoingNews]:
    """What is outgoing of these: the table is shared by the tests."""
    keys = {entry.key for entry in entries}
    return [entry async for entry in storage.outbox.outgoing_news() if entry.key in keys]


async def test_news_goes_out_until_it_is_dropped(storage: StorageUnderTest) -> None:
    job = a_job(errors=(JobIssue("Code", "Grüße 😀"),))
    sign = OutOfMemorySign(a_cluster(), "pod", "container", NOW)
    known = OutgoingNews(job.key, job.arm_id, NOW, job)
    early = OutgoingNews(sign.key, "", NOW, sign, published_at=NOW)
    bare = OutgoingNews(f"any key / # ? {uuid4()}", "/vault/backupJobs/y", NOW, None)
    for entry in (known, early, bare):
        await storage.outbox.put_news(entry)
    found = await our_news(storage, known, early, bare)
    assert sorted(found, key=lambda entry: entry.key) == sorted((known, early, bare), key=lambda entry: entry.key)
    for _ in range(2):
        await storage.outbox.drop_news(early)
    assert {entry.key for entry in await our_news(storage, known, early, bare)} == {known.key, bare.key}
    for entry in (known, bare):
        await storage.outbox.drop_news(entry)


async def test_news_put_again_replaces_itself(storage: StorageUnderTest) -> None:
    job = a_job(status="completedwithwarnings", warnings=(JobIssue("W", "w" * 1_000_000),) * 100)
    entry = OutgoingNews(job.key, job.arm_id, NOW, job)
    await storage.outbox.put_news(entry)
    (large,) = await our_news(storage, entry)
    assert isinstance(large.news, EndedJob)
    assert len(large.news.warnings) + large.news.left_out == 100
    published = OutgoingNews(job.key, job.arm_id, NOW, a_job(arm_id=job.arm_id, cluster=job.cluster), NOW)
    await storage.outbox.put_news(published)
    assert await our_news(storage, entry) == [published]
    await storage.outbox.drop_news(entry)


async def test_an_announcement_is_put_once_for_each_destination(storage: StorageUnderTest) -> None:
    first, second, announcement = a_destination(), a_destination(), an_announcement()
    assert await storage.outbox.pending(first) == ()
    assert await storage.outbox.put(first, announcement)
    assert not await storage.outbox.put(first, replace(announcement, kind="Updated"))
    assert await storage.outbox.put(second, announcement)
    assert await storage.outbox.pending(first) == await storage.outbox.pending(second) == (announcement,)


async def test_pending_are_those_not_delivered_oldest_first(storage: StorageUnderTest) -> None:
    destination = a_destination()
    moments = (NOW + timedelta(minutes=number) for number in range(250))
    announcements = [an_announcement(f"key-{249 - number}", at=at) for number, at in enumerate(moments)]
    for announcement in reversed(announcements):
        await storage.outbox.put(destination, announcement)
    assert list(await storage.outbox.pending(destination)) == announcements
    keys = [announcement.key for announcement in announcements[:240]]
    for _ in range(2):
        await storage.outbox.delivered(destination, [*keys, keys[0]], NOW)
    assert list(await storage.outbox.pending(destination)) == announcements[240:]
    assert not await storage.outbox.put(destination, announcements[0]), "delivered or not, it is there"


async def test_what_was_delivered_long_ago_is_forgotten(storage: StorageUnderTest) -> None:
    destination, elsewhere = a_destination(), a_destination()
    old, new, waiting = (an_announcement(key) for key in ("old", "new", "waiting"))
    many = [an_announcement(f"many-{number}") for number in range(110)]
    for announcement in (old, new, waiting, *many):
        await storage.outbox.put(destination, announcement)
    await storage.outbox.put(elsewhere, old)
    await storage.outbox.delivered(destination, ["old", *(announcement.key for announcement in many)], NOW)
    await storage.outbox.delivered(destination, ["new"], NOW + timedelta(days=1))
    await storage.outbox.delivered(elsewhere, ["old"], NOW)
    await storage.outbox.forget_delivered(destination, NOW + timedelta(hours=1))
    await storage.outbox.forget_delivered(destination, NOW + timedelta(hours=1))
    there = [not await storage.outbox.put(destination, announcement) for announcement in (old, many[0], new, waiting)]
    assert there == [False, False, True, True]
    assert not await storage.outbox.put(elsewhere, old)


async def test_marking_what_is_gone_does_not_bring_it_back(storage: StorageUnderTest) -> None:
    destination = a_destination()
    await storage.outbox.delivered(destination, ["never put"], NOW)
    assert await storage.outbox.pending(destination) == ()


async def test_a_destination_nobody_wrote_about_is_fresh(storage: StorageUnderTest) -> None:
    name = a_destination()
    fresh = await storage.destinations.get(name)
    assert (fresh.name, fresh.lease_id, fresh.failing, fresh.sent, fresh.etag) == (name, "", {}, (), "")


async def test_a_destination_is_written_by_one_at_a_time(storage: StorageUnderTest) -> None:
    fresh = await storage.destinations.get(a_destination())
    leased = await storage.destinations.save(
        replace(fresh, lease_id="one", lease_until=NOW, not_before=NOW, failing={"TEAMS": 3}, failing_since=NOW)
    )
    assert await storage.destinations.get(fresh.name) == leased
    with pytest.raises(RecordConflict):
        await storage.destinations.save(replace(fresh, lease_id="two"))
    sent = tuple(f"{number:040x}|TEAMS" for number in range(2_000))
    freed = await storage.destinations.save(
        replace(leased, lease_id="", lease_until=None, not_before=None, failing={}, failing_since=None, sent=sent)
    )
    with pytest.raises(RecordConflict):
        await storage.destinations.save(leased)
    assert await storage.destinations.get(fresh.name) == freed


async def test_a_delivery_is_asked_for_by_name(storage: StorageUnderTest) -> None:
    for destination in (TOPIC, a_destination()):
        await storage.notify_queue.send(destination)
        text = await storage.receive()
        assert text is not None
        assert parse_notification(text) == destination
    await storage.notify_queue.send(TOPIC, delay=3600)
    assert await storage.receive() is None


async def test_an_announcement_nobody_can_read_holds_up_no_other(azurite: Azurite) -> None:
    storage = Storage.by_connection_string(azurite.connection_string)
    outbox, destination, good = TableOutbox(storage), a_destination(), an_announcement("good")
    await storage.write("outbox", {**to_announcement_row(destination, an_announcement("bad")), "document": "{"}, "")
    await outbox.put(destination, good)
    assert await outbox.pending(destination) == (good,)
    await outbox.delivered(destination, ["good"], NOW)
    with pytest.raises(RecordUnreadableError, match=r"the announcement bad to route:team .* cannot be read"):
        await outbox.pending(destination)
    await storage.close()


async def test_news_nobody_can_read_holds_up_no_other(azurite: Azurite) -> None:
    storage = Storage.by_connection_string(azurite.connection_string)
    outbox = TableOutbox(storage)
    bad, *good = [OutgoingNews(uuid4().hex, "/j", NOW, None) for _ in range(20)]
    await storage.write("outbox", {**to_news_row(bad), "document": "{}"}, "")
    for entry in good:
        await outbox.put_news(entry)
    found = await until_unreadable(outbox, bad.key)
    assert {entry.key for entry in good} <= {entry.key for entry in found}
    for entry in (bad, *good):
        await outbox.drop_news(entry)
    await storage.close()


async def until_unreadable(outbox: TableOutbox, key: str) -> Sequence[OutgoingNews]:
    """What came before the error; it must come."""
    found: list[OutgoingNews] = []

    async def collect() -> None:
        async for entry in outbox.outgoing_news():
            found.append(entry)

    with pytest.raises(RecordUnreadableError, match=f"the news {key} cannot be read"):
        await collect()
    return found
