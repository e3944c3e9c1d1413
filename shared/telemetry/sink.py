"""Where spans and counts go: nowhere, until somebody exports."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Meter, MeterProvider
    from opentelemetry.metrics import _Gauge as Gauge
    from opentelemetry.trace import Tracer, TracerProvider

NAME = "aks_backup_guard"
"""Of the tracer and of the meter."""


class Sink:
    """One a process. `tracer` and `meter` are None while nothing is exported."""

    def __init__(self) -> None:
        self.tracer: Tracer | None = None
        self.meter: Meter | None = None
        self.counters: dict[str, Counter] = {}
        self.gauges: dict[str, Gauge] = {}

    def open(self, traces: "TracerProvider | None", metrics: "MeterProvider | None") -> None:
        self.tracer = traces.get_tracer(NAME) if traces else None
        self.meter = metrics.get_meter(NAME) if metrics else None
        self.counters, self.gauges = {}, {}


sink = Sink()


def exporting() -> bool:
    return sink.tracer is not None or sink.meter is not None


def export_through(traces: "TracerProvider | None", metrics: "MeterProvider | None") -> None:
    """From now on spans and counts go to these; None: nowhere. OpenTelemetry's own global providers stay as they are,
    so that no library of the app starts to tell of every call with its address."""
    sink.open(traces, metrics)
