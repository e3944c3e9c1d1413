"""The app in virtual time with an SDK of OpenTelemetry behind it, whose spans and counts a test can read."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.deliver import deliver
from shared.domain.ids import ClusterId
from shared.record.messages import parse_notification
from shared.take_event import take_cluster_event, take_job_event
from shared.telemetry import export_through, traceparent_in
from shared.telemetry.catalogue import METRICS
from shared.world import World
from tests.fakes.queue import Message
from tests.virtual.world import VirtualWorld

type Series = tuple[str, tuple[tuple[str, Any], ...]]


@dataclass
class Told:
    """Everything the app has told."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that have ended, in that order."""
        return list(self.exporter.get_finished_spans())

    def named(self, prefix: str) -> list[ReadableSpan]:
        return [each for each in self.spans if each.name.startswith(prefix)]

    def series(self) -> Mapping[Series, float]:
        """The value of every series, by the metric's name and its attributes."""
        read = self.reader.get_metrics_data()
        return {series: value for series, value in _points(read) if value} if read else {}

    def counts(self, metric: str) -> dict[tuple[str, ...], float]:
        """Of one metric, by the values of its attributes in the order the catalogue declares them."""
        names = next([a.name for a in m.attributes] for m in METRICS if m.name == f"aks_backup_guard.{metric}")
        return {
            tuple(dict(attributes)[name] for name in names): value
            for (name, attributes), value in self.series().items()
            if name == f"aks_backup_guard.{metric}"
        }


def _points(read: MetricsData) -> Iterator[tuple[Series, float]]:
    for resource in read.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    assert point.attributes is not None
                    yield (metric.name, tuple(sorted(point.attributes.items()))), getattr(point, "value", 0)


@contextmanager
def telling() -> Iterator[Told]:
    """From now on everything the app tells can be read; nothing is exported afterwards."""
    told = Told(InMemorySpanExporter(), InMemoryMetricReader())
    traces = TracerProvider(shutdown_on_exit=False)
    traces.add_span_processor(SimpleSpanProcessor(told.exporter))
    metrics = MeterProvider([told.reader], shutdown_on_exit=False)
    export_through(traces, metrics)
    try:
        yield told
    finally:
        export_through(None, None)
        metrics.shutdown()
        traces.shutdown()


class TracedWorld(VirtualWorld):
    """Events and messages come in as the functions take them."""

    async def get_host(self) -> World:
        return self.host

    async def notice(self, *clusters: ClusterId) -> None:
        for cluster in clusters:
            await self.clock.advance(0.001)
            while not await self._survives(take_cluster_event(event_of(cluster), self.get_host)):
                await self.clock.advance(10)

    async def _hear(self, event: str) -> None:
        await take_job_event(event, self.get_host)

    async def _deliver(self, message: Message) -> None:
        try:
            await deliver(parse_notification(message.text), self.host, traceparent_in(message.text))
        except Exception:
            self.notify_queue.fail(message)
            raise


def event_of(cluster: ClusterId, traceparent: str = "") -> str:
    """As Event Grid tells that a cluster was written, in the CloudEvents schema."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "e-1",
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "source": f"/subscriptions/{cluster.subscription_id}",
        "subject": cluster.arm_id,
        "time": "2026-03-01T12:00:00Z",
        "data": {
            "operationName": "Microsoft.ContainerService/managedClusters/write",
            "resourceUri": cluster.arm_id,
        },
    }
    return json.dumps(event | ({"traceparent": traceparent} if traceparent else {}))
