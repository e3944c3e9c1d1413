"""A small function app for the tests of the local Functions host, and a client for it."""

import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from functions_host import azurite as azurite_process
from functions_host.azurite import Azurite

APP_HEAD = '''
import asyncio, json, os, time
from pathlib import Path

import azure.functions as func

RECORD = Path(os.environ["RECORD"])


def record(name, **what):
    """Append one line to NAME.jsonl; a single write, so that parallel invocations do not mix."""
    with open(RECORD / f"{name}.jsonl", "a") as file:
        file.write(json.dumps(what) + "\\n")


app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
'''

HOST_JSON: dict[str, Any] = {
    "version": "2.0",
    "functionTimeout": "00:05:00",
    "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"},
    "extensions": {"queues": {"maxPollingInterval": "00:00:00.2"}},
}


@dataclass(frozen=True)
class SampleApp:
    """An app folder, and what its functions recorded."""

    folder: Path
    records: Path

    @property
    def settings(self) -> dict[str, str]:
        return {"RECORD": str(self.records)}

    def recorded(self, name: str) -> list[Any]:
        """What was recorded under a name, so far."""
        path = self.records / f"{name}.jsonl"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class WriteApp(Protocol):
    """Writes an app: `functions` follows the common head, `host_json` is merged over the usual one."""

    def __call__(self, functions: str, host_json: Mapping[str, Any] | None = None, *, head: str = ...) -> SampleApp: ...


class Call(Protocol):
    """Sends one HTTP request; an iterable body goes out chunked, without a Content-Length."""

    def __call__(
        self,
        method: str,
        url: str,
        body: str | bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer: ...


@pytest.fixture(scope="session")
def write_app(tmp_path_factory: pytest.TempPathFactory) -> WriteApp:
    def write(functions: str, host_json: Mapping[str, Any] | None = None, *, head: str = APP_HEAD) -> SampleApp:
        folder = tmp_path_factory.mktemp("app")
        (folder / "function_app.py").write_text(head + functions)
        (folder / "host.json").write_text(json.dumps({**HOST_JSON, **(host_json or {})}))
        return SampleApp(folder, tmp_path_factory.mktemp("records"))

    return write


@pytest.fixture(scope="session")
def call() -> Call:
    def send(
        method: str,
        url: str,
        body: str | bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        parts = urlsplit(url)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            data = body.encode() if isinstance(body, str) else body
            connection.request(method, url[len(f"http://{parts.netloc}") :], data, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    return send


@pytest.fixture(scope="module")
def storage_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One for each file that runs the app itself: its tables and queues have fixed names."""
    running = azurite_process.start(tmp_path_factory.mktemp("azurite"), in_memory=True)
    yield running
    running.stop()
