"""`aks-backup-guard` as a process, against the simulator as another."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.identity.models import APP
from tests.contract.simulator_program import CHECKOUT, Running, control

type Answer = subprocess.CompletedProcess[str]

_OURS = ("AZURE", "AzureWebJobs", "AKS_BACKUP_GUARD_", "IDENTITY_", "MSI_", "PYTHON", "COLUMNS", "NO_COLOR")


class Terminal:
    """In a folder of its own, where a guard.yaml may lie."""

    def __init__(self, running: Running, folder: Path, speed: float = 1.0) -> None:
        self.running, self.folder = running, folder
        self.settings = {
            "IDENTITY_ENDPOINT": running.endpoints["identity"],
            "IDENTITY_HEADER": APP.secret or "",
            "AKS_BACKUP_GUARD_ARM_ENDPOINT": running.endpoints["arm"],
            "AKS_BACKUP_GUARD_TIME_SCALE": f"{speed:g}",
            "COLUMNS": "200",
        }

    def __call__(self, *words: str, stdout: int = subprocess.PIPE, **settings: str | None) -> Answer:
        """A setting that is None is left out."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        environment |= {"PYTHONPATH": str(CHECKOUT)} | self.settings
        environment |= {name: value for name, value in settings.items() if value is not None}
        for name in (name for name, value in settings.items() if value is None):
            environment.pop(name, None)
        return subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=self.folder,
            env=environment,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def json(self, *words: str) -> tuple[int, Any]:
        """Exit code and document."""
        answer = self(*words, "--output", "json")
        assert answer.stdout, answer.stderr
        return answer.returncode, json.loads(answer.stdout)

    def guard_yaml(self, text: str) -> None:
        (self.folder / "guard.yaml").write_text(text, encoding="utf-8")

    def control(self, method: str, name: str, body: Any = None) -> Any:
        return control(self.running, method, name, body)

    def create_clusters(self, count: int = 1, location: str = "westeurope", **order: Any) -> list[str]:
        found = self.control("POST", "clusters", {"count": count, "location": location, **order})["ids"]
        return [str(arm_id) for arm_id in found]

    def listed(self, count: int) -> None:
        """Wait until Resource Graph, which lags, lists so many clusters."""
        self.until(lambda: len(self.json("sweep")[1]["clusters"]) == count, f"{count} clusters in Resource Graph")

    def until(self, holds: Callable[[], bool], what: str) -> None:
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < 90, f"waited 90 s for {what}"
            time.sleep(0.3)

    def sent(self) -> set[tuple[str, str]]:
        """What the terminal has sent to ARM: methods, and the paths of all but GET."""
        made = self.control("GET", "calls")
        return {(call["method"], "" if call["method"] == "GET" else call["path"]) for call in made}


ONLY_READS = {("GET", ""), ("POST", "/providers/Microsoft.ResourceGraph/resources")}
