"""The Guard shows alerts, people say their word about them, and neither overwrites the other: the fakes and Azurite
alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions_host.azurite import Azurite
from shared.domain.alerts import THE_APP, Alert, Cause, Word
from shared.domain.jobs import JobIssue
from shared.ports import AlertBook
from shared.record.alert_book import TableAlertBook, to_alert_row
from shared.record.entity import RecordUnreadableError
from shared.record.storage import Storage
from tests.contract.storage_under_test import NOW, StorageUnderTest, a_cluster, storage_under_test


@pytest.fixture(params=["fake", "azurite"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[StorageUnderTest]:
    async for storage in storage_under_test(request):
        yield storage


def an_alert(subject: str = "", cause: str = "Backup:x", **changes: Any) -> Alert:
    facts = Cause(cause, "X", "Warning", "Ein Titel 😀", "message", "do this", NOW, NOW)
    alert = Alert(subject or a_cluster().key, facts, "Open", "Warning", opened_at=NOW)
    return replace(alert, **changes)


def a_word(**changes: Any) -> Word:
    return replace(Word("ada@example.com", NOW + timedelta(minutes=1), acknowledged=True), **changes)


async def alerts_of(book: AlertBook, subject: str | None, *, open_only: bool = False) -> list[Alert]:
    return [alert async for alert in book.all_of(subject, open_only=open_only)]


async def test_an_alert_is_shown_as_it_stands(storage: StorageUnderTest) -> None:
    resources = (JobIssue("PVNotSupported", "a volume", "another", "web/data"),)
    alert = an_alert(told=("opened",), held="Stopped")
    alert = replace(alert, cause=replace(alert.cause, resources=resources, did=("retried",), job_id="/job"))
    other, own = an_alert(alert.subject, "Memory"), an_alert(f"{THE_APP}-{uuid4()}", "Delivery:route")
    await storage.alert_book.show([alert, other, own])
    assert sorted(await alerts_of(storage.alert_book, alert.subject), key=lambda shown: shown.cause.key) == [
        alert,
        other,
    ]
    assert await alerts_of(storage.alert_book, own.subject) == [own]
    everything = await alerts_of(storage.alert_book, None)
    assert all(shown in everything for shown in (alert, other, own))


async def test_what_is_shown_last_counts_even_when_it_is_shorter(storage: StorageUnderTest) -> None:
    resources = tuple(JobIssue("PVNotSupported", "ä" * 500, "", f"web/data-{number}") for number in range(100))
    alert = an_alert(resolved_at=NOW, escalated_at=NOW)
    await storage.alert_book.show([replace(alert, cause=replace(alert.cause, resources=resources))])
    reopened = replace(alert, resolved_at=None, escalated_at=None, episode=2)
    await storage.alert_book.show([reopened])
    assert await alerts_of(storage.alert_book, alert.subject) == [reopened]


async def test_resolved_ones_can_be_left_out(storage: StorageUnderTest) -> None:
    subject = a_cluster().key
    resolved = an_alert(subject, "Backup:y", state="Resolved", resolved_at=NOW)
    alert = an_alert(subject)
    await storage.alert_book.show([alert, resolved])
    assert await alerts_of(storage.alert_book, subject, open_only=True) == [alert]
    everything = await alerts_of(storage.alert_book, None, open_only=True)
    assert alert in everything
    assert resolved not in everything


async def test_a_word_is_kept_beside_what_is_shown(storage: StorageUnderTest) -> None:
    alert, word = an_alert(), a_word(snoozed_until=NOW + timedelta(hours=2))
    await storage.alert_book.show([alert, an_alert(alert.subject, "Memory")])
    assert await storage.alert_book.words(alert.subject) == {}
    await storage.alert_book.say(alert.id, alert.subject, word)
    await storage.alert_book.show([alert])
    assert await storage.alert_book.words(alert.subject) == {alert.id: word}
    heard = replace(alert, acknowledged_by=word.by, snoozed_until=word.snoozed_until)
    assert heard in await alerts_of(storage.alert_book, alert.subject)


async def test_a_later_word_leaves_nothing_of_the_earlier(storage: StorageUnderTest) -> None:
    alert, taken_back = an_alert(), a_word(by="grace", acknowledged=False)
    await storage.alert_book.show([alert])
    await storage.alert_book.say(alert.id, alert.subject, a_word(snoozed_until=NOW))
    await storage.alert_book.say(alert.id, alert.subject, taken_back)
    assert await storage.alert_book.words(alert.subject) == {alert.id: taken_back}
    assert await alerts_of(storage.alert_book, alert.subject) == [alert]


async def test_a_word_counts_for_the_episode_it_was_said_in(storage: StorageUnderTest) -> None:
    alert, word = an_alert(), a_word()
    await storage.alert_book.show([alert])
    await storage.alert_book.say(alert.id, alert.subject, word)
    again = replace(alert, episode=2, opened_at=word.at + timedelta(seconds=1))
    await storage.alert_book.show([again])
    assert await alerts_of(storage.alert_book, alert.subject) == [again]


async def test_a_word_about_no_alert_is_refused(storage: StorageUnderTest) -> None:
    alert = an_alert()
    with pytest.raises(KeyError):
        await storage.alert_book.say(alert.id, alert.subject, a_word())
    assert await alerts_of(storage.alert_book, alert.subject) == []
    assert await storage.alert_book.words(alert.subject) == {}


async def test_showing_and_saying_at_once_lose_nothing(storage: StorageUnderTest) -> None:
    alert, word = an_alert(), a_word()
    await storage.alert_book.show([alert])
    newest = replace(alert, episode=2)
    await asyncio.gather(
        storage.alert_book.show([newest]),
        storage.alert_book.say(alert.id, alert.subject, word),
        return_exceptions=False,
    )
    assert await alerts_of(storage.alert_book, alert.subject) == [replace(newest, acknowledged_by=word.by)]


async def test_the_columns_say_what_a_query_needs(azurite: Azurite) -> None:
    storage = Storage.by_connection_string(azurite.connection_string)
    alert = an_alert(state="Resolved", resolved_at=NOW)
    await TableAlertBook(storage).show([alert])
    async with storage.table("alerts", "read") as client:
        rows = [row async for row in client.query_entities(f"cluster_id eq '{alert.subject}' and state eq 'Resolved'")]
    await storage.close()
    (row,) = rows
    said = {name: row[name] for name in ("RowKey", "cause", "code", "severity", "title", "occurrences", "resolved_at")}
    assert said == {
        "RowKey": alert.id,
        "cause": "Backup:x",
        "code": "X",
        "severity": "Warning",
        "title": "Ein Titel 😀",
        "occurrences": 1,
        "resolved_at": NOW,
    }


async def test_an_alert_nobody_can_read_does_not_hide_the_others(azurite: Azurite) -> None:
    storage = Storage.by_connection_string(azurite.connection_string)
    book, alert = TableAlertBook(storage), an_alert()
    bad = an_alert(alert.subject, "Memory")
    await storage.write("alerts", {**to_alert_row(bad), "document": "?"}, "")
    await book.show([alert])
    found: list[Alert] = []

    async def collect() -> None:
        async for shown in book.all_of(alert.subject):
            found.append(shown)

    with pytest.raises(RecordUnreadableError, match=r"the alert \S+ of /subscriptions/\S+ cannot be read"):
        await collect()
    assert found == [alert]
    await book.show([bad])
    assert len(await alerts_of(book, alert.subject)) == 2
    await storage.close()
