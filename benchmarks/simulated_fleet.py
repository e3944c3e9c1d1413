"""A simulated Azure with a large protected fleet, in a process of its own, and the clients that look at it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.processes import CHECKOUT, Program

SPEED = 60.0
_CLUSTERS_A_SUBSCRIPTION = 1000
_APP_SECRET = "simulator-app"  # noqa: S105 - of the simulated Azure
_OPERATOR_SECRET = "simulator-operator"  # noqa: S105
_GRAPH = "/providers/Microsoft.ResourceGraph/resources"
_TABLES = ("resources", "resourcecontainers", "recoveryservicesresources", "kubernetesconfigurationresources")


@dataclass(frozen=True, slots=True)
class Used:
    """What a client process took. `rows` is what it says it found."""

    cpu: float
    wall: float
    rss_mb: float
    calls: int
    refused: int
    out: str


@dataclass(frozen=True, slots=True)
class SimulatedFleet:
    """`endpoints` are those of the simulator's first line."""

    endpoints: Mapping[str, str]
    subscriptions: tuple[str, ...]
    clusters: int
    seeded_seconds: float

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> Used:
        """Run a client to its end. Its CPU and memory are the kernel's account of that one process (wait4)."""
        self._control("DELETE", "calls")
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=_clean() | dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        out, errors = process.stdout.read(), process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        process.stderr.close()
        if process.returncode not in (0, 1):  # 1: findings
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{errors[-3000:]}")
        calls = [call for call in self._control("GET", "calls") if not call["path"].startswith("/msi/")]
        refused = sum(call["status"] == 429 for call in calls)
        cpu = used.ru_utime + used.ru_stime
        return Used(cpu, wall, used.ru_maxrss / 1024, len(calls), refused, out)

    def guard(self) -> dict[str, str]:
        """The environment of a Guard that looks at it."""
        return {
            "IDENTITY_ENDPOINT": self.endpoints["identity"],
            "IDENTITY_HEADER": _APP_SECRET,
            "AKS_BACKUP_GUARD_ARM_ENDPOINT": self.endpoints["arm"],
            "AKS_BACKUP_GUARD_TIME_SCALE": str(SPEED),
        }

    def token(self, secret: str = _APP_SECRET) -> str:
        url = f"{self.endpoints['identity']}?api-version=2019-08-01&resource=https://management.azure.com/"
        return str(_asked(url, None, {"X-IDENTITY-HEADER": secret}, "GET")["access_token"])

    def seed(self) -> None:
        """Make the clusters, and let the graph hear of them: what that costs is the simulator's alone."""
        left = self.clusters
        for subscription in self.subscriptions:
            self._control("POST", "subscriptions", {"id": subscription})
            count = min(left, _CLUSTERS_A_SUBSCRIPTION)
            left -= count
            if count:
                order = {"count": count, "location": "westeurope", "subscription": subscription, "protected": True}
                self._control("POST", "clusters", order)
        token = self.token(_OPERATOR_SECRET)
        self._control("POST", "timings", {"resource_graph_lag": 0, "resource_graph_window": 0})
        for table in (*_TABLES, "authorizationresources"):
            body = {"query": f"{table} | count", "subscriptions": list(self.subscriptions)}
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            _asked(f"{self.endpoints['arm']}{_GRAPH}?api-version=2021-03-01", body, headers)
        # nothing changes from here on, so the graph need not look for what changed
        self._control("POST", "timings", {"resource_graph_lag": 10**7})

    def _control(self, method: str, name: str, body: Any = None) -> Any:
        return _asked(f"{self.endpoints['control']}/simulator/{name}", body, {}, method)


@contextmanager
def simulated_fleet(clusters: int, log: Path) -> Iterator[SimulatedFleet]:
    """So many protected clusters, a thousand a subscription."""
    program = Program("simulator", ["--speed", str(SPEED), "--no-schedules"], log)
    try:
        count = max(1, -(-clusters // _CLUSTERS_A_SUBSCRIPTION))
        subscriptions = tuple(f"00000000-0000-0000-0000-{number:012d}" for number in range(1, count + 1))
        started = time.perf_counter()
        SimulatedFleet(program.said, subscriptions, clusters, 0.0).seed()
        yield SimulatedFleet(program.said, subscriptions, clusters, time.perf_counter() - started)
    finally:
        program.stop()


def _asked(url: str, body: Any, headers: Mapping[str, str], method: str = "POST") -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=content, method=method, headers=dict(headers))  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=900) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text else None


def _clean() -> dict[str, str]:
    """The environment without what could send a client elsewhere."""
    foreign = ("AZURE", "AWS", "AKS_BACKUP_GUARD_", "IDENTITY_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


PYTHON = sys.executable
