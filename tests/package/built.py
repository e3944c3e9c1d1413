"""The package, built once for all tests of a process that want it. Tests that do are of the xdist group `package`."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from infra.package import PACKAGES, Built, build

ALONE = Path(__file__).with_name("alone.py")


@cache
def built_package() -> Built:
    """A package built from this checkout, outside of it. Takes half a minute the first time."""
    folder = tempfile.mkdtemp(prefix="aks-backup-guard-package-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return build(Path(folder))


def linked_copy(package: Path, to: Path) -> Path:
    """A copy that may lose files; those it keeps are the same files."""
    return Path(shutil.copytree(package, to, copy_function=os.link))


def run_alone(
    package: Path, verb: str, empty: Path, *, settings: Mapping[str, str] | None = None, names: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run tests/package/alone.py in an empty folder, with an empty environment but for `settings`."""
    empty.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(ALONE), str(package), verb],
        cwd=empty,
        env=dict(settings or {}),
        input=names,
        capture_output=True,
        text=True,
        check=False,
    )


def said(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What it printed, of a run that went well."""
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def packages_of(package: Path) -> Path:
    """The folder of the package's own packages."""
    return package / PACKAGES
