"""What the app tells about its own work: traces that follow a cluster, and counters of the loop.

Nothing of OpenTelemetry is imported before somebody exports (`export_through`); until then a span or a count costs a
comparison or two. `catalogue` declares everything that can be told; docs/telemetry.md is made of it.
"""

from shared.telemetry.metrics import count, measure
from shared.telemetry.sink import export_through, exporting
from shared.telemetry.spans import Note, current_traceparent, link_to, span
from shared.telemetry.traceparent import is_sampled, traceparent_in, valid_traceparent

__all__ = [
    "Note",
    "count",
    "current_traceparent",
    "export_through",
    "exporting",
    "is_sampled",
    "link_to",
    "measure",
    "span",
    "traceparent_in",
    "valid_traceparent",
]
