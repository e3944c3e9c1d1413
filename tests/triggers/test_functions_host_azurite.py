"""Azurite as a child process."""

import os
import socket
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from functions_host import azurite as azurite_process
from functions_host.azurite import Azurite


def test_connection_string_reaches_blobs_queues_and_tables(azurite: Azurite) -> None:
    with ContainerClient.from_connection_string(azurite.connection_string, "azurite-test") as container:
        container.create_container()
        assert container.exists()
    with QueueClient.from_connection_string(azurite.connection_string, "azurite-test") as queue:
        queue.create_queue()
        queue.send_message("x")
        message = queue.receive_message()
        assert message is not None
        assert message.content == "x"
    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        tables.create_table("azuritetest")
        with pytest.raises(ResourceExistsError):
            tables.create_table("azuritetest")


async def test_data_lasts_in_its_folder_and_only_the_own_process_ends(azurite: Azurite, tmp_path: Path) -> None:
    async with azurite_process.running(tmp_path) as first:
        assert first.pid != azurite.pid
        with QueueClient.from_connection_string(first.connection_string, "lasting") as queue:
            queue.create_queue()
        port = int(first.queue_endpoint.split(":")[2].split("/")[0])
    assert first.process.poll() is not None
    os.kill(azurite.pid, 0)

    async with azurite_process.running(tmp_path, queue_port=port) as second:
        assert second.queue_endpoint == first.queue_endpoint
        with (
            QueueClient.from_connection_string(second.connection_string, "lasting") as queue,
            pytest.raises(ResourceExistsError),
        ):
            queue.create_queue()


def test_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(azurite_process.AzuriteError, match="Azurite"):
        azurite_process.start(tmp_path, table_port=taken.getsockname()[1])


def test_missing_installation_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azurite_process, "_EXECUTABLE", tmp_path / "azurite")

    with pytest.raises(azurite_process.AzuriteError, match="run: make node_modules"):
        azurite_process.start(tmp_path)
