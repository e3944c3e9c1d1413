"""host.json and the runtime against what the code and the deployment take for granted."""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tests.infra.bicep_deployment import walk
from tests.infra.bicep_functions import literal_of
from tests.infra.bicep_syntax import Object
from tests.infra.code_facts import CodeFacts
from tests.infra.infra_folder import InfraFolder

_CLOCK_SKEW = 120
_SPARE = 60
"""Seconds: what a slow pass has left to release its record before the host kills it."""

EXPECTED: Mapping[str, tuple[object, str]] = {
    "version": ("2.0", "the Functions runtime"),
    "telemetryMode": ("OpenTelemetry", "the traces of host and worker are one"),
    "extensionBundle.id": ("Microsoft.Azure.Functions.ExtensionBundle", "Python has its bindings from there"),
    "extensionBundle.version": ("[4.0.0, 5.0.0)", "the bundles before it have ended"),
    "extensions.http.routePrefix": ("api", "the excluded paths of App Service authentication begin with it"),
    "extensions.queues.messageEncoding": ("base64", "the app and Event Grid write messages so"),
    "extensions.queues.maxDequeueCount": (5, "the poison functions say `five attempts`"),
}


def host_complaints(code: CodeFacts) -> list[str]:
    host = code.host
    said = [
        f"host.json: {path} is {_at(host, path)!r}, not {wanted!r}: {why}"
        for path, (wanted, why) in EXPECTED.items()
        if _at(host, path) != wanted
    ]
    limit = _seconds(str(host.get("functionTimeout", "")))
    needs: dict[str, Callable[[float], bool]] = {
        "AKS_BACKUP_GUARD_PASS_SECONDS": lambda seconds: seconds <= limit - _SPARE,
        "AKS_BACKUP_GUARD_LEASE_SECONDS": lambda seconds: seconds == limit + _CLOCK_SKEW,
    }
    said += [
        f"host.json: functionTimeout of {limit} s does not go with {name} of {code.settings[name]} s"
        for name, fits in needs.items()
        if not fits(float(code.settings[name]))
    ]
    return said


def runtime_complaints(infra: InfraFolder) -> list[str]:
    """The deployed Python is the one all this was tested with, which also made the bytecode of the package."""
    tested = f"{sys.version_info.major}.{sys.version_info.minor}"
    runtimes = [
        (site, runtime)
        for site in infra.of_type("Microsoft.Web/sites")
        for value in walk(site.body)
        if isinstance(value, Object) and isinstance(runtime := value.get("runtime"), Object)
    ]
    said = [
        f"{site.file.at(runtime.line)}: the runtime is not Python {tested}"
        for site, runtime in runtimes
        if (literal_of(runtime.get("name")), literal_of(runtime.get("version"))) != ("python", tested)
    ]
    return said if runtimes else [f"{infra.main.at(1)}: no function app tells its runtime"]


def _at(value: Any, path: str) -> object:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d\d):(\d\d):(\d\d)", text)
    return sum(int(part) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0
