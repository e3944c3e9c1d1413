"""Azurite, Microsoft's storage emulator, as a child process: blobs, queues and tables on loopback.

Azurite takes port 0 for any free one and prints the port it got, so that parallel runs never race for a port.
`--skipApiVersionCheck`: the Python SDKs speak newer API versions than Azurite knows.
"""

import asyncio
import contextlib
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "devstoreaccount1"
# Published by Microsoft for every emulator: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_EXECUTABLE = Path(__file__).resolve().parent.parent / "node_modules" / ".bin" / "azurite"
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (http://\S+)")
_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0


class AzuriteError(RuntimeError):
    """Azurite is not installed or did not start."""


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running Azurite. `stop` ends this process and no other."""

    process: subprocess.Popen[bytes]
    blob_endpoint: str
    queue_endpoint: str
    table_endpoint: str
    account: str = ACCOUNT
    account_key: str = ACCOUNT_KEY

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.account_key};"
            f"BlobEndpoint={self.blob_endpoint};QueueEndpoint={self.queue_endpoint};"
            f"TableEndpoint={self.table_endpoint};"
        )

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(
    folder: Path, *, blob_port: int = 0, queue_port: int = 0, table_port: int = 0, in_memory: bool = False
) -> Azurite:
    """Start Azurite on `folder` (its log goes there, and its data unless `in_memory`) and wait until it listens."""
    if not _EXECUTABLE.exists():
        raise AzuriteError(f"{_EXECUTABLE} is missing, run: make node_modules")
    folder.mkdir(parents=True, exist_ok=True)
    log_path = folder / "azurite.log"
    command = [
        str(_EXECUTABLE),
        "--silent",
        "--skipApiVersionCheck",
        "--disableTelemetry",
        *(["--inMemoryPersistence"] if in_memory else ["--location", str(folder)]),
        *("--blobHost", "127.0.0.1", "--queueHost", "127.0.0.1", "--tableHost", "127.0.0.1"),
        *("--blobPort", str(blob_port), "--queuePort", str(queue_port), "--tablePort", str(table_port)),
    ]
    # Another account in the environment would lock us out.
    environment = {key: value for key, value in os.environ.items() if key != "AZURITE_ACCOUNTS"}
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        found = _wait_until_listening(process, log_path)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return Azurite(process, *(f"{found[name]}/{ACCOUNT}" for name in ("Blob", "Queue", "Table")))


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, blob_port: int = 0, queue_port: int = 0, table_port: int = 0, in_memory: bool = False
) -> AsyncIterator[Azurite]:
    """`start` and `stop` around a block, without blocking the event loop."""
    azurite = await asyncio.to_thread(
        start, folder, blob_port=blob_port, queue_port=queue_port, table_port=table_port, in_memory=in_memory
    )
    try:
        yield azurite
    finally:
        await asyncio.to_thread(azurite.stop)


def _wait_until_listening(process: subprocess.Popen[bytes], log_path: Path) -> dict[str, str]:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        ended = process.poll() is not None
        output = log_path.read_text(encoding="utf-8", errors="replace")
        found = dict(_LISTENING.findall(output))
        if len(found) == 3 and not ended:
            return found
        if ended or time.monotonic() > deadline:
            how = f"ended with {process.returncode}" if ended else f"was not ready after {_READY_SECONDS:.0f} s"
            raise AzuriteError(f"Azurite {how}:\n{output[-2000:]}")
        time.sleep(0.05)
