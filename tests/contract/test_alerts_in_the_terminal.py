"""`alerts`, `acknowledge` and `snooze` in a terminal, on the real storage emulator, and what the loop makes of them."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions_host.azurite import Azurite
from shared.domain.alerts import Alert, Severity, State
from shared.domain.profile import Alerting
from shared.domain.time import Moment
from shared.plan.alerts import settle
from shared.record.alert_book import TableAlertBook
from shared.record.keys import ALERTS
from shared.record.storage import Storage
from tests.fakes.announcements import about, cause

CHECKOUT = Path(__file__).parents[2]
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def book(azurite: Azurite) -> AsyncIterator[TableAlertBook]:
    """Empty: other tests have shown alerts in the same emulator."""
    storage = Storage.by_connection_string(azurite.connection_string)
    book = TableAlertBook(storage)
    async with storage.table(ALERTS, "empty the book") as table:
        async for row in table.list_entities():
            await table.delete_entity(row["PartitionKey"], row["RowKey"])
    yield book
    await storage.close()


def terminal(azurite: Azurite, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AzureWebJobsStorage": azurite.connection_string, "COLUMNS": "200", **settings}
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def alert(name: str, severity: Severity = "Warning", state: State = "Open", **changes: Any) -> Alert:
    since = NOW - timedelta(hours=2)
    known = Alert(about(name).subject, cause(severity=severity), state, severity, since)
    return replace(known, resolved_at=NOW if state == "Resolved" else None, **changes)


async def the_one(book: TableAlertBook, shown: Alert) -> Alert:
    [found] = [each async for each in book.all_of(shown.subject)]
    return found


def after_a_look(shown: Alert, words: Any, at: datetime, **changes: Any) -> Alert:
    """What the loop makes of it when nothing but the time has changed."""
    settled = settle(
        shown.subject,
        {shown.cause.key: shown},
        [replace(shown.cause, **changes)],
        words=words,
        hold=None,
        alerting=Alerting(),
        moment=Moment(at),
    )
    return settled[shown.cause.key]


async def test_no_alert_is_clean_and_open_ones_are_findings_the_gravest_first(
    azurite: Azurite, book: TableAlertBook
) -> None:
    clean = terminal(azurite, "alerts")
    assert (clean.returncode, clean.stdout) == (0, "No open alerts.\n")
    assert terminal(azurite, "alerts", "--all").stdout == "No alerts.\n"

    over = alert("aks-over", state="Resolved")
    await book.show([over])
    assert terminal(azurite, "alerts").returncode == 0
    listed = terminal(azurite, "alerts", "--all")
    assert listed.returncode == 0, "what is over is no finding"
    assert "aks-over" in listed.stdout

    await book.show([alert("aks-light"), alert("aks-grave", "Critical"), alert("aks-held", "Error", held="Stopped.")])
    found = terminal(azurite, "alerts")
    assert found.returncode == 1
    lines = found.stdout.splitlines()[1:]
    assert [next(name for name in line.split() if name.startswith("aks-")) for line in lines] == [
        "aks-grave",
        "aks-held",
        "aks-light",
    ]
    assert "Held back" in lines[1]
    assert all("UserErrorHookExecutionFailed" in line for line in lines)
    assert "aks-over" not in found.stdout


async def test_who_acknowledges_keeps_it_from_escalating(azurite: Azurite, book: TableAlertBook) -> None:
    shown, other = alert("aks-one"), alert("aks-two")
    await book.show([shown, other])
    said = terminal(azurite, "acknowledge", shown.id[:8].upper())
    assert said.returncode == 0
    assert "aks-one" in said.stdout
    assert (await the_one(book, shown)).acknowledged_by
    assert not (await the_one(book, other)).acknowledged_by
    assert "Acknowledged" in terminal(azurite, "alerts").stdout

    late = NOW + timedelta(days=2)
    words = await book.words(shown.subject)
    assert after_a_look(shown, {}, late).escalated_at == late, "else this test would show nothing"
    assert after_a_look(shown, words, late).escalated_at is None


async def test_no_alert_is_meant_by_nothing(azurite: Azurite, book: TableAlertBook) -> None:
    shown = alert("aks-one")
    await book.show([shown])
    assert terminal(azurite, "acknowledge", "").returncode == 2
    assert not (await the_one(book, shown)).acknowledged_by


async def test_a_file_is_written_of_no_alerts_too(azurite: Azurite, book: TableAlertBook, tmp_path: Path) -> None:
    file = tmp_path / "alerts.txt"
    assert terminal(azurite, "alerts", "--out", str(file)).returncode == 0
    assert "severity" in file.read_text(encoding="utf-8")


async def test_who_snoozes_hears_of_it_afterwards(azurite: Azurite, book: TableAlertBook) -> None:
    shown = alert("aks-one")
    await book.show([shown])
    assert terminal(azurite, "acknowledge", shown.id).returncode == 0
    said = terminal(azurite, "snooze", shown.id[:8], "--hours", "2")
    assert said.returncode == 0
    assert "Snoozed until" in said.stdout
    snoozed = await the_one(book, shown)
    assert snoozed.acknowledged_by, "it stays acknowledged"
    assert snoozed.snoozed_until is not None
    assert terminal(azurite, "acknowledge", shown.id).returncode == 0
    assert (await the_one(book, shown)).snoozed_until == snoozed.snoozed_until, "and snoozed"
    assert timedelta(hours=1.9) < snoozed.snoozed_until - NOW < timedelta(hours=2.1)

    words = await book.words(shown.subject)
    assert after_a_look(shown, words, NOW + timedelta(hours=1)).held.startswith("Snoozed until")
    assert after_a_look(shown, words, NOW + timedelta(hours=3)).held == ""


async def test_what_fits_none_or_several_is_not_guessed(azurite: Azurite, book: TableAlertBook) -> None:
    shown = [alert(f"aks-{number}") for number in range(20)]
    await book.show(shown)
    first = {each.id[0] for each in shown if sum(other.id[0] == each.id[0] for other in shown) > 1}.pop()
    for words in (["acknowledge", first], ["snooze", first], ["acknowledge", "nonsense"], ["snooze", "nonsense"]):
        said = terminal(azurite, *words)
        assert said.returncode == 2, words
        assert "fits" in said.stderr
    assert not any([(await the_one(book, each)).acknowledged_by for each in shown])


async def test_hostile_names_are_only_text(azurite: Azurite, book: TableAlertBook) -> None:
    await book.show([replace(alert("aks-one"), cause=cause(title="[red]bold[/] \x1b[31mred", code="[link=x]Y"))])
    listed = terminal(azurite, "alerts")
    assert listed.returncode == 1
    assert "[red]bold[/]" in listed.stdout
    assert "\x1b" not in listed.stdout


def test_a_storage_that_is_wrong_is_said_and_nothing_is_claimed(azurite: Azurite) -> None:
    for words in (["alerts"], ["acknowledge", "abc"], ["snooze", "abc"]):
        answer = terminal(azurite, *words, AzureWebJobsStorage="nonsense")
        assert answer.returncode == 2
        assert "AzureWebJobsStorage" in answer.stderr
        assert not answer.stdout
