"""Which exporters the app settings ask for, and the OpenTelemetry SDK set up for them. The SDK is imported only when
there is one: its exporter for Azure Monitor alone takes as long to import as half of the app."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from shared.telemetry.sink import NAME, export_through

log = logging.getLogger(__name__)

CONNECTION_STRING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SERVICE_NAME = "OTEL_SERVICE_NAME"
CHOICES = {
    "traces": "OTEL_TRACES_EXPORTER",
    "metrics": "OTEL_METRICS_EXPORTER",
    "logs": "OTEL_LOGS_EXPORTER",
}
"""OpenTelemetry's own settings (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/)."""
AZURE_MONITOR = "azure_monitor_opentelemetry_exporter"
"""Under this name the package azure-monitor-opentelemetry-exporter registers its exporters."""


@dataclass(frozen=True, slots=True)
class Exporters:
    """By the names under which their packages register them; empty: none. `service` names the app among others."""

    traces: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    service: str = "aks-backup-guard"


def exporters_of(environ: Mapping[str, str]) -> Exporters:
    """Azure Monitor where there is a connection string, OTLP where there is an endpoint, and per signal whatever
    OTEL_…_EXPORTER says instead of OTLP; `none` there means none but Azure Monitor."""
    azure = (AZURE_MONITOR,) if environ.get(CONNECTION_STRING) else ()
    otlp = "otlp" if environ.get(OTLP_ENDPOINT) else "none"
    chosen = {
        signal: azure
        + tuple(n for name in environ.get(setting, otlp).split(",") if (n := name.strip()) not in ("", "none"))
        for signal, setting in CHOICES.items()
    }
    return Exporters(**chosen, service=environ.get(SERVICE_NAME, "") or "aks-backup-guard")


def start_exporting(exporters: Exporters) -> None:
    """Set up the SDK and send everything there from now on, in the background and at the end of the process. What
    cannot be set up is said in the log: the app works without it."""
    if not (exporters.traces or exporters.metrics or exporters.logs):
        return
    try:
        _start(exporters)
    except Exception as error:  # noqa: BLE001 - whatever an exporter of somebody else's raises
        log.error("telemetry cannot be exported: %s: %s", type(error).__name__, error)


def _start(exporters: Exporters) -> None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": exporters.service})
    traces = TracerProvider(resource=resource)
    for exporter in _loaded("traces", exporters.traces):
        traces.add_span_processor(BatchSpanProcessor(exporter))
    readers = [PeriodicExportingMetricReader(exporter) for exporter in _loaded("metrics", exporters.metrics)]
    metrics = MeterProvider(readers, resource=resource)
    if exporters.logs:
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        from shared.telemetry.logs import export_logs_through

        logs = LoggerProvider(resource=resource)
        for exporter in _loaded("logs", exporters.logs):
            logs.add_log_record_processor(BatchLogRecordProcessor(exporter))
        export_logs_through(logs)
    export_through(traces if exporters.traces else None, metrics if exporters.metrics else None)
    log.info("%s exports telemetry to %s", NAME, ", ".join(dict.fromkeys(exporters.traces + exporters.metrics)))


def _loaded(signal: str, names: tuple[str, ...]) -> list[Any]:
    """The exporters, built; they read the rest of their settings themselves."""
    found = []
    for name in names:
        registered = next(iter(entry_points(group=f"opentelemetry_{signal}_exporter", name=name)), None)
        if registered is None:
            log.error("no package has an exporter %r for %s: deploy one with the app", name, signal)
        else:
            found.append(registered.load()())
    return found
