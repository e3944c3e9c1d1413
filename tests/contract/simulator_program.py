"""The simulator as a program of its own: started, spoken to over its control endpoint, ended."""

import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

CHECKOUT = Path(__file__).resolve().parents[2]


class Running(NamedTuple):
    process: subprocess.Popen[str]
    endpoints: dict[str, str]
    tls: Path | None


def run(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )


def started(*arguments: str, tls: Path | None = None) -> Running:
    process = run(*arguments)
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], 60)
    line = process.stdout.readline() if readable else ""
    if not line:
        process.kill()
        raise AssertionError(f"no endpoints: {process.communicate()}")
    return Running(process, json.loads(line), tls)


def stopped(running: Running) -> tuple[int, str, str]:
    running.process.send_signal(signal.SIGTERM)
    out, err = running.process.communicate(timeout=30)
    return running.process.returncode, out, err


def control(running: Running, method: str, name: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{running.endpoints['control']}/simulator/{name}", data, method=method)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")
