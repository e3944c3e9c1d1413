"""Microsoft's own command line, as it is installed, pointed at a simulated Azure.

Everything it is told it could be told by a person: registered cloud, settings from its documented environment
variables (`AZURE_{SECTION}_{KEY}`), the certificate authority as `REQUESTS_CA_BUNDLE`."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.simulator_program import Running
from tests.fidelity.recordings import SAMPLES

CLOUD = "simulator"
_SECONDS = 90


@dataclass(frozen=True)
class AzureCli:
    """`az(...)` runs one command and answers its JSON; a command that fails fails the test."""

    program: str
    environment: Mapping[str, str]

    def __call__(self, *arguments: str) -> Any:
        done = self.run(*arguments)
        assert done.returncode == 0, f"az {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *arguments: str) -> str:
        """What a command that must fail says on stderr."""
        done = self.run(*arguments)
        assert done.returncode != 0, f"az {' '.join(arguments)} was not refused:\n{done.stdout}"
        return done.stderr

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )


def installed() -> str:
    """The program. Without it a test is skipped, but not where it must be: in CI, or where recordings are."""
    program = os.environ.get("AZURE_CLI", "")
    if program:
        assert os.access(program, os.X_OK), f"AZURE_CLI is {program}, which is no program"
        return program
    reason = "AZURE_CLI does not name the Azure CLI: `make fidelity` installs it"
    if SAMPLES.is_dir() or os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def fresh(home: Path, running: Running, **settings: str) -> AzureCli:
    """A command line nobody has used yet, with a home of its own, that trusts the simulator's authority."""
    assert running.tls is not None
    authority = str(running.tls / "ca.pem")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AZURE_CONFIG_DIR": str(home / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",  # else MSAL asks Microsoft whether it knows the authority
        "AZURE_CORE_OUTPUT": "json",
        "AZURE_CORE_NO_COLOR": "yes",
        "AZURE_CORE_SURVEY_MESSAGE": "no",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        "REQUESTS_CA_BUNDLE": authority,
        "SSL_CERT_FILE": authority,
        **settings,
    }
    return AzureCli(installed(), environment)


def register(az: AzureCli, running: Running) -> None:
    """Teach it the cloud: it finds the other endpoints itself, from the resource manager's."""
    az("cloud", "register", "--name", CLOUD, "--endpoint-resource-manager", running.endpoints["arm"])
    az("cloud", "set", "--name", CLOUD)
