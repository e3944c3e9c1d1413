"""`history`, `repairs` and `approve-repairs` on the real storage emulator."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions_host.azurite import Azurite
from shared.domain.compliance import JudgedCluster, SweepSummary, Tally, Verdict, VerdictChange
from shared.domain.sweeps import Batch
from shared.ports import RepairHold
from shared.record.repair_breaker import TableRepairBreaker
from shared.record.storage import Storage
from shared.record.sweep_rows import TableSweepRows
from shared.record.sweeps import Sweeps
from tests.contract.test_alerts_in_the_terminal import terminal

NOW = datetime.now(UTC).replace(microsecond=0)
CLUSTER = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/RG"
    "/providers/Microsoft.ContainerService/managedClusters/aks-One"
)


@pytest.fixture
async def storage(azurite: Azurite) -> AsyncIterator[Storage]:
    storage = Storage.by_connection_string(azurite.connection_string)
    yield storage
    await storage.close()


async def swept(storage: Storage, sweep_id: str, at: datetime, *changes: VerdictChange) -> None:
    book = Sweeps(TableSweepRows(storage))
    verdicts, profile = (Verdict("protected", "Compliant"),), ("shop", "standard", "audit")
    judged = JudgedCluster(CLUSTER, "aks-One", "s", "RG", "westeurope", *profile, verdicts, {}, 100.0, "Yes")
    pages = await book.write_batch(sweep_id, 0, [judged], changes)
    summary = SweepSummary(sweep_id, at, at, 1, Tally(1, 1, score=100.0), changes=len(changes))
    await book.finish(summary, [Batch(("s",), "", *pages)])


def change(sweep_id: str, at: datetime, name: str = "aks-One", message: str = "It was deleted.") -> VerdictChange:
    cluster_id = CLUSTER.replace("aks-One", name)
    return VerdictChange(sweep_id, at, cluster_id, name, "shop", "protected", "Compliant", "NonCompliant", "X", message)


async def test_history_has_the_sweeps_and_what_changed(azurite: Azurite, storage: Storage) -> None:
    old, new = NOW - timedelta(days=9), NOW - timedelta(hours=1)
    await swept(storage, f"{old:%Y%m%dT%H%M%SZ}-aaaaaa", old, change("a", old))
    hostile = change("b", new, "aks-two", "\x1b[31m\u202egone")
    await swept(storage, f"{new:%Y%m%dT%H%M%SZ}-bbbbbb", new, change("b", new), hostile)

    seen = terminal(azurite, "history")
    assert seen.returncode == 0
    assert seen.stdout.count("Compliant → NonCompliant") == 3
    assert "1 restorable" in seen.stdout
    assert not {"\x1b", "\u202e"} & set(seen.stdout)

    document = json.loads(terminal(azurite, "history", "--days", "2", "-o", "json").stdout)
    assert [each["id"][-6:] for each in document["sweeps"]] == ["bbbbbb"]
    assert {each["name"] for each in document["changes"]} == {"aks-One", "aks-two"}

    for one in ("AKS-one", CLUSTER.upper()):
        document = json.loads(terminal(azurite, "history", one, "-o", "json").stdout)
        assert {each["name"] for each in document["changes"]} == {"aks-One"}
        assert len(document["changes"]) == 2
    assert "No verdict of nosuch changed" in terminal(azurite, "history", "nosuch").stdout


async def test_a_person_lets_the_repairs_go_on(azurite: Azurite, storage: Storage) -> None:
    breaker = TableRepairBreaker(storage)
    assert terminal(azurite, "repairs").returncode == 0
    await breaker.hold(RepairHold("20260301T000000Z-abc", NOW, 40, 100))

    held = terminal(azurite, "repairs")
    assert held.returncode == 1
    assert "40 of 100" in held.stdout
    assert terminal(azurite, "approve-repairs").returncode == 2, "why must be said"
    assert terminal(azurite, "approve-repairs", "--reason", " ").returncode == 2
    assert await breaker.held() is not None

    approved = terminal(azurite, "approve-repairs", "--reason", "looked at all of them", "--hours", "2")
    assert approved.returncode == 0
    assert "40 of 100" in approved.stdout
    assert await breaker.held() is None
    until = await breaker.approved_until()
    assert until is not None
    assert timedelta(hours=1.9) < until - NOW < timedelta(hours=2.2)
    assert terminal(azurite, "repairs").returncode == 0


def test_a_storage_that_is_wrong_is_said(azurite: Azurite, tmp_path: Path) -> None:
    for words in (["history"], ["repairs"], ["approve-repairs", "--reason", "x"]):
        answer = terminal(azurite, *words, AzureWebJobsStorage="nonsense")
        assert (answer.returncode, answer.stdout) == (2, "")
        assert "AzureWebJobsStorage" in answer.stderr
