"""Child programs that say where they listen in their first line. Only what was started here is ever ended."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
_FOREIGN = ("AZURE", "AzureWebJobs", "AzureFunctionsJobHost", "FUNCTIONS_", "WEBSITE_", "AKS_BACKUP_GUARD_", "PYTHON")
_STOP_SECONDS = 30.0


class NotStartedError(RuntimeError):
    """A program ended before it said where it listens; the message holds the end of its log."""


class Program:
    """`python -m MODULE …`, its log in a file. `said` is the JSON object of its first line."""

    def __init__(self, module: str, arguments: list[str], log: Path, settings: Mapping[str, str] | None = None) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
        with log.open("ab") as errors:
            # A session of its own: Ctrl-C is for us, and we end our children in order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=CHECKOUT,
                env=environment | dict(settings or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                text=True,
            )
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        try:
            first_line = self._process.stdout.readline()
        except BaseException:
            self.kill()
            raise
        if not first_line:
            code = self._reap()
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise NotStartedError(f"python -m {module} ended with exit code {code}:\n{tail}")
        self.said: dict[str, Any] = json.loads(first_line)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self._process.kill()
        self._reap()

    def stop(self) -> int:
        """SIGTERM, then SIGKILL when that does not help; answers the exit code."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._reap()

    def _reap(self) -> int:
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code
