"""The emergency stop, pulled in a terminal and read by the loop, on the real storage emulator."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from functions_host.azurite import Azurite
from shared.record.emergency_stop import TableEmergencyStop
from shared.record.storage import Storage
from tests.virtual.world import VirtualWorld

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
async def storage(azurite: Azurite) -> AsyncIterator[Storage]:
    storage = Storage.by_connection_string(azurite.connection_string)
    yield storage
    await storage.close()


def terminal(azurite: Azurite, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AzureWebJobsStorage": azurite.connection_string, **settings}
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_what_an_operator_pulls_stops_every_change_until_it_is_released(
    azurite: Azurite, storage: Storage
) -> None:
    pulled = terminal(azurite, "stop-all", "--reason", "guard.yaml went wrong")
    assert pulled.returncode == 0
    assert "guard.yaml went wrong" in pulled.stdout
    assert terminal(azurite, "stopped").returncode == 1

    world = VirtualWorld()
    world.host = replace(world.host, emergency_stop=TableEmergencyStop(storage))
    cluster = world.create_cluster(settled=True)
    world.cloud.front_door.calls.clear()
    await world.notice(cluster)
    assert not await world.run_until_ready(cluster, seconds=4000)
    record = world.record(cluster)
    assert record is not None
    assert record.conditions["Ready"].reason == "EmergencyStop"
    assert {call.method for call in world.cloud.front_door.calls.all()} == {"GET"}

    assert terminal(azurite, "resume-all").returncode == 0
    assert terminal(azurite, "stopped").returncode == 0
    assert await world.run_until_ready(cluster, seconds=7200)


def test_a_storage_that_is_wrong_is_said_and_nothing_is_claimed(azurite: Azurite) -> None:
    answer = terminal(azurite, "stopped", AzureWebJobsStorage="nonsense")
    assert answer.returncode == 2
    assert "AzureWebJobsStorage" in answer.stderr
