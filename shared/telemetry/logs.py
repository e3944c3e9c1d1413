"""The app's log lines as log records of OpenTelemetry, each with the span it was written in.

A worker that takes part in OpenTelemetry exports its own logs: the host no longer passes them on, and the levels of
host.json do not reach them (https://learn.microsoft.com/azure/azure-functions/opentelemetry-howto).
"""

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider, SeverityNumber

OWN = ("shared", "functions")
QUIET = ("azure", "msal", "opentelemetry", "urllib3")
"""Libraries of which only warnings are exported: what they tell of every call would be told of the exporter's too."""
NEVER = ("azure.monitor", "azure.core", "azure.identity", "opentelemetry")
"""An exporter that fails must not export that it fails."""


def export_logs_through(provider: "LoggerProvider") -> None:
    """From INFO upwards."""
    handler = OpenTelemetryHandler(provider)
    logging.getLogger().addHandler(handler)
    for name in OWN:
        logging.getLogger(name).setLevel(logging.INFO)


class OpenTelemetryHandler(logging.Handler):
    """The SDK's own handler is deprecated in favour of a package that brings patches for other libraries."""

    def __init__(self, provider: "LoggerProvider") -> None:
        super().__init__(logging.INFO)
        self._provider = provider

    def filter(self, record: logging.LogRecord) -> bool:
        if _within(record.name, NEVER) or (record.levelno < logging.WARNING and _within(record.name, QUIET)):
            return False
        return bool(super().filter(record))

    def emit(self, record: logging.LogRecord) -> None:
        from opentelemetry._logs import LogRecord
        from opentelemetry.context import get_current

        try:
            told = LogRecord(
                timestamp=int(record.created * 1e9),
                observed_timestamp=time.time_ns(),
                context=get_current(),
                severity_text=record.levelname,
                severity_number=_severity(record.levelno),
                body=record.getMessage(),
                attributes=_attributes(record),
            )
            self._provider.get_logger(record.name).emit(told)
        except Exception:  # noqa: BLE001 - as every handler does: a line that cannot be written hinders nobody
            self.handleError(record)


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _severity(level: int) -> "SeverityNumber":
    from opentelemetry._logs import SeverityNumber

    if level >= logging.CRITICAL:
        return SeverityNumber.FATAL
    if level >= logging.ERROR:
        return SeverityNumber.ERROR
    return SeverityNumber.WARN if level >= logging.WARNING else SeverityNumber.INFO


def _attributes(record: logging.LogRecord) -> dict[str, str]:
    """Where it was written, and the exception when there is one."""
    told = {"code.file.path": record.pathname, "code.function.name": record.funcName or ""}
    if record.exc_info and record.exc_info[0] is not None:
        told["exception.type"] = record.exc_info[0].__name__
        told["exception.message"] = str(record.exc_info[1])[:1000]
        told["exception.stacktrace"] = logging.Formatter().formatException(record.exc_info)
    return told
