"""host.json: read, checked, and turned into the few values this host acts on.

The real host ignores unknown keys and reports a bad value late or never, so a typing error silently gives the
default (WellKnownHostJsonProperties in azure-functions-host; https://learn.microsoft.com/azure/azure-functions/
functions-host-json). Here both are refused. As there, key names are not case sensitive, and an app setting
`AzureFunctionsJobHost__a__b` overrides `a.b`.
"""

import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions_host.start_error import StartError

_OVERRIDE_PREFIX = "AzureFunctionsJobHost__"
_TOP_LEVEL = (
    "$schema",
    "version",
    "functionTimeout",
    "extensions",
    "extensionBundle",
    "logging",
    "healthMonitor",
    "singleton",
    "watchDirectories",
    "watchFiles",
    "aggregator",
    "concurrency",
    "managedDependency",
    "telemetryMode",
    "functions",
    "retry",
    "customHandler",
)
_NOT_IMITATED = ("functions", "retry", "customHandler")
_EXTENSIONS = (
    "blobs",
    "cosmosDB",
    "durableTask",
    "eventGrid",
    "eventHubs",
    "http",
    "kafka",
    "mcp",
    "queues",
    "sendGrid",
    "serviceBus",
    "signalR",
    "sql",
    "tables",
    "warmup",
)
_QUEUES = (
    "batchSize",
    "newBatchThreshold",
    "visibilityTimeout",
    "maxDequeueCount",
    "maxPollingInterval",
    "messageEncoding",
)
_HTTP = (
    "routePrefix",
    "maxOutstandingRequests",
    "maxConcurrentRequests",
    "dynamicThrottlesEnabled",
    "hsts",
    "customHeaders",
)
_LOGGING = ("logLevel", "applicationInsights", "console", "fileLoggingMode", "debugLogging")
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
# .NET reads "24:00:00" as 24 days, so hours stop at 23 here.
_TIMESPAN = re.compile(r"(?:(\d+)\.)?([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d{1,7})?")
# Flex Consumption's default; a shorter one comes from host.json.
_DEFAULT_FUNCTION_TIMEOUT = "00:30:00"


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues`; the defaults are those of QueuesOptions in azure-sdk-for-net."""

    batch_size: int
    new_batch_threshold: int
    visibility_timeout_seconds: int
    max_dequeue_count: int
    max_polling_seconds: float
    base64: bool


@dataclass(frozen=True, slots=True)
class HostJson:
    """What of host.json this host acts on."""

    function_timeout_seconds: float | None
    route_prefix: str
    queues: QueueOptions
    has_extension_bundle: bool
    log_level: int


def read(app_dir: Path) -> HostJson:
    """Read and check DIR/host.json with the overrides from app settings."""
    path = app_dir / "host.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StartError(f"{path} is missing: {app_dir} is not the folder of a function app") from error
    except (OSError, ValueError) as error:
        raise StartError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise StartError(f"{path}: must be a JSON object")
    return parse(document, os.environ)


def parse(document: Mapping[str, Any], app_settings: Mapping[str, str]) -> HostJson:
    """Check a host.json document and apply `AzureFunctionsJobHost__…` overrides."""
    top = _section(_with_overrides(document, app_settings), "", _TOP_LEVEL)
    if top.get("version") != "2.0":
        raise _wrong("version", 'must be "2.0"', top.get("version"))
    for key in _NOT_IMITATED:
        if key in top:
            raise StartError(f"host.json: {key}: is not imitated by the local host")
    extensions = _section(top.get("extensions", {}), "extensions", _EXTENSIONS)
    http = _section(extensions.get("http", {}), "extensions.http", _HTTP)
    prefix = http.get("routePrefix", "api")
    if not isinstance(prefix, str):
        raise _wrong("extensions.http.routePrefix", "must be a string", prefix)
    for key in ("maxOutstandingRequests", "maxConcurrentRequests"):
        if key in http:
            _int(http, "extensions.http", key, 0, minimum=-1, maximum=2**31 - 1)
    return HostJson(
        function_timeout_seconds=_function_timeout(top.get("functionTimeout", _DEFAULT_FUNCTION_TIMEOUT)),
        route_prefix=prefix.strip("/"),
        queues=_queues(_section(extensions.get("queues", {}), "extensions.queues", _QUEUES)),
        has_extension_bundle=_has_bundle(top.get("extensionBundle")),
        log_level=_log_level(_section(top.get("logging", {}), "logging", _LOGGING)),
    )


def _queues(section: Mapping[str, Any]) -> QueueOptions:
    where = "extensions.queues"
    batch_size = _int(section, where, "batchSize", 16, minimum=1, maximum=32)
    polling = _timespan(f"{where}.maxPollingInterval", section.get("maxPollingInterval", "00:01:00"))
    if polling < 0.1:
        raise _wrong(f"{where}.maxPollingInterval", "must not be less than 00:00:00.1", section["maxPollingInterval"])
    encoding = section.get("messageEncoding", "base64")
    if not isinstance(encoding, str) or encoding.lower() not in {"base64", "none"}:
        raise _wrong(f"{where}.messageEncoding", "must be base64 or none", encoding)
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=_int(section, where, "newBatchThreshold", batch_size // 2, minimum=0, maximum=2**31 - 1),
        visibility_timeout_seconds=round(
            _timespan(f"{where}.visibilityTimeout", section.get("visibilityTimeout", "00:00:00"))
        ),
        max_dequeue_count=_int(section, where, "maxDequeueCount", 5, minimum=1, maximum=2**31 - 1),
        max_polling_seconds=polling,
        base64=encoding.lower() == "base64",
    )


def _function_timeout(value: object) -> float | None:
    if value == "-1":
        return None
    seconds = _timespan("functionTimeout", value)
    if seconds < 1:
        raise _wrong("functionTimeout", "must be at least 00:00:01, or -1 for no limit", value)
    return seconds


def _has_bundle(value: object) -> bool:
    if value is None:
        return False
    bundle = _section(value, "extensionBundle", ("id", "version"))
    for key in ("id", "version"):
        if not isinstance(bundle.get(key), str):
            raise _wrong(f"extensionBundle.{key}", "must be a string", bundle.get(key))
    return True


def _log_level(section: Mapping[str, Any]) -> int:
    levels = section.get("logLevel", {})
    if not isinstance(levels, dict):
        raise _wrong("logging.logLevel", "must be an object", levels)
    for category, level in levels.items():
        if not isinstance(level, str) or level.lower() not in _LEVELS:
            raise _wrong(f"logging.logLevel.{category}", f"must be one of {', '.join(_LEVELS)}", level)
    return _LEVELS[{key.lower(): level for key, level in levels.items()}.get("default", "Information").lower()]


def _section(value: object, where: str, known: Iterable[str]) -> dict[str, Any]:
    """The object at `where` with its keys in their documented spelling; an unknown key is refused."""
    if not isinstance(value, Mapping):
        raise _wrong(where, "must be an object", value)
    spelling = {key.lower(): key for key in known}
    section: dict[str, Any] = {}
    for key, item in value.items():
        if key.lower() not in spelling:
            path = f"{where}.{key}" if where else key
            raise StartError(f"host.json: {path}: unknown key; known are {', '.join(sorted(known))}")
        section[spelling[key.lower()]] = item
    return section


def _int(section: Mapping[str, Any], where: str, key: str, default: int, *, minimum: int, maximum: int) -> int:
    value = section.get(key, default)
    # An override from an app setting is a string.
    number = int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else value
    if not isinstance(number, int) or isinstance(number, bool) or not minimum <= number <= maximum:
        raise _wrong(f"{where}.{key}", f"must be a whole number from {minimum} to {maximum}", value)
    return number


def _timespan(where: str, value: object) -> float:
    match = _TIMESPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong(where, 'must be a time span "hh:mm:ss" or "d.hh:mm:ss"', value)
    days, hours, minutes, seconds, fraction = match.groups(default="0")
    return int(days) * 86400.0 + int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(fraction)


def _with_overrides(document: Mapping[str, Any], app_settings: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json.dumps(document))
    for name, value in app_settings.items():
        if not name.lower().startswith(_OVERRIDE_PREFIX.lower()):
            continue
        *sections, leaf = name[len(_OVERRIDE_PREFIX) :].split("__")
        target = result
        for section in sections:
            target = target.setdefault(_existing(target, section), {})
            if not isinstance(target, dict):
                raise StartError(f"app setting {name}: {section} is not an object in host.json")
        target[_existing(target, leaf)] = value
    return result


def _existing(section: Mapping[str, Any], key: str) -> str:
    return next((present for present in section if present.lower() == key.lower()), key)


def _wrong(where: str, rule: str, value: object) -> StartError:
    return StartError(f"host.json: {where}: {rule}, it is {json.dumps(value)}")
