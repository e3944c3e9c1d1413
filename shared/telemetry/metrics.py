"""Counting and measuring. Attributes are those of the catalogue: nothing else ever makes a series."""

from shared.telemetry.catalogue import Metric
from shared.telemetry.sink import sink


def count(metric: Metric, by: int = 1, /, **attributes: str) -> None:
    """Raises ValueError for an attribute, or for a value of a closed list, that the catalogue does not declare;
    exported or not, so that a test that runs the line finds it."""
    series = metric.series(attributes)
    if sink.meter is None or by == 0:
        return
    counter = sink.counters.get(metric.name)
    if counter is None:
        counter = sink.meter.create_counter(metric.name, metric.unit, metric.meaning)
        sink.counters[metric.name] = counter
    counter.add(by, series)


def measure(metric: Metric, value: float, /, **attributes: str) -> None:
    """The value as it is now; exported once, so that a process that stops measuring says nothing old. Raises as
    `count`."""
    series = metric.series(attributes)
    if sink.meter is None:
        return
    gauge = sink.gauges.get(metric.name)
    if gauge is None:
        gauge = sink.meter.create_gauge(metric.name, metric.unit, metric.meaning)
        sink.gauges[metric.name] = gauge
    gauge.set(value, series)
