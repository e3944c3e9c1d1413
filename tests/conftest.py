"""Fixtures shared by all tests: a real Azurite, and the local Functions host as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from functions_host import azurite as azurite_process
from functions_host.azurite import Azurite
from tests.used_rights import UsedRights

CHECKOUT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 40.0


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(UsedRights())


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One Azurite for the test session (with pytest-xdist: for each worker); use names of your own in it."""
    running = azurite_process.start(tmp_path_factory.mktemp("azurite"), in_memory=True)
    yield running
    running.stop()


@dataclass
class RunningHost:
    """A started `python -m functions_host`."""

    process: subprocess.Popen[str]
    api: str
    log_file: Path

    def logs(self) -> list[dict[str, Any]]:
        """The structured log lines so far."""
        lines = self.log_file.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def kill(self) -> None:
        """SIGKILL: the process gets no chance to clean up."""
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """SIGTERM, wait for the end, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        try:
            self.process.wait(STOP_SECONDS)
        finally:
            self.kill()
        return self.process.returncode

    def _reap(self) -> None:
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class StartHost(Protocol):
    """Starts a host for the app in a folder, with app settings on top of a clean environment."""

    def __call__(self, app_dir: Path, settings: Mapping[str, str] | None = None) -> RunningHost: ...


@pytest.fixture(scope="session")
def start_functions_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartHost]:
    """Start the local Functions host as a process on a free port; what still runs at the end is killed."""
    started: list[RunningHost] = []

    def start(app_dir: Path, settings: Mapping[str, str] | None = None) -> RunningHost:
        log_file = tmp_path_factory.mktemp("functions_host") / "host.log"
        with log_file.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "functions_host", "--app", str(app_dir), "--port", "0"],
                cwd=CHECKOUT,
                env=host_environment(settings or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdout is not None
        host = RunningHost(process, "", log_file)
        started.append(host)
        first_line = process.stdout.readline()
        assert first_line, f"the host did not start (exit code {host.wait()}):\n{log_file.read_text()}"
        host.api = json.loads(first_line)["api"]
        return host

    yield start
    for host in started:
        host.kill()


def host_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment for a host: nothing of this machine's Azure or Functions settings, then `settings`."""
    foreign = (
        "AZURE",
        "AzureWebJobs",
        "AzureFunctionsJobHost",
        "FUNCTIONS_",
        "WEBSITE_",
        "AKS_BACKUP_GUARD_",
        "PYTHON",
    )
    return {key: value for key, value in os.environ.items() if not key.startswith(foreign)} | dict(settings)


@pytest.fixture(scope="session")
def run_functions_host() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a host that is expected not to start; returns exit code and output."""

    def run(
        app_dir: Path, settings: Mapping[str, str] | None = None, *, cwd: Path = CHECKOUT
    ) -> subprocess.CompletedProcess[str]:
        environment = host_environment(settings or {})
        if cwd != CHECKOUT:
            environment["PYTHONPATH"] = str(CHECKOUT)
        return subprocess.run(
            [sys.executable, "-m", "functions_host", "--app", str(app_dir), "--port", "0"],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Poll a condition until it is truthy and return its value; the deadline is generous, the usual wait short."""

    def wait(condition: Callable[[], Any], what: str = "the condition", seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, f"{what} did not become true within {seconds:.0f} s"
            time.sleep(0.02)
        return value

    return wait
