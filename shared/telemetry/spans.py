"""Spans. Names come from the catalogue, so there are few; whom they are about stands in their attributes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.telemetry.catalogue import Span
from shared.telemetry.sink import sink
from shared.telemetry.traceparent import valid_traceparent

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanContext
    from opentelemetry.trace import Span as OpenSpan

type Value = str | int | float | bool | None


class Note:
    """What is learned while a span lasts."""

    def __init__(self, what: Span, open_span: "OpenSpan | None" = None) -> None:
        self._what, self._span = what, open_span

    def say(self, **attributes: Value) -> None:
        """Raises ValueError for an attribute the catalogue does not declare; exported or not."""
        named = self._what.named(attributes)
        if self._span is not None:
            self._span.set_attributes(named)

    def fail(self, why: str) -> None:
        """The span ends as an error. `why` is a code or a class, never a sentence: that might hold a secret."""
        self.say(error=why)
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_status(StatusCode.ERROR)


@contextmanager
def span(
    what: Span, variant: str = "", /, *, parent: str | None = None, alone: bool = False, **attributes: Value
) -> Iterator[Note]:
    """A span while the block runs; an exception that leaves it makes it an error. It is a child of the span around it,
    or of `parent` (a traceparent); with `alone`, or with an empty `parent`, it begins a trace of its own. Where it has
    another parent than the span around it, the host's invocation as a rule, it has a link to that one."""
    named = what.named(attributes)
    if sink.tracer is None:
        yield Note(what)
        return
    from opentelemetry.trace import SpanKind

    context, links = _place(parent, alone=alone)
    with sink.tracer.start_as_current_span(
        what.name_of(variant),
        context,
        kind=SpanKind[what.kind],
        attributes=named,
        links=links,
        record_exception=False,  # its text may hold an address of a channel
        set_status_on_exception=False,
    ) as opened:
        note = Note(what, opened)
        try:
            yield note
        except BaseException as error:
            note.fail(getattr(error, "code", None) or type(error).__name__)
            raise


def current_traceparent() -> str:
    """Of the span this is called in; empty outside of the app's own ones: what a timer finds has no common story."""
    if sink.tracer is None:
        return ""
    context = _current()
    return _written(context) if context.is_valid and not context.is_remote else ""


def link_to(traceparent: str) -> None:
    """The span this is called in has to do with that other trace. Nothing when it is the same."""
    if sink.tracer is None or not traceparent:
        return
    from opentelemetry.trace import get_current_span

    other, own = _read(traceparent), get_current_span()
    if other is not None and own.is_recording() and own.get_span_context().trace_id != other.trace_id:
        own.add_link(other)


def _place(parent: str | None, *, alone: bool) -> tuple["Context | None", list["Link"]]:
    """The context a new span is put into (None: the one around it), and its links."""
    if parent is None and not alone:
        return None, []
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, NonRecordingSpan, set_span_in_context

    around, given = _current(), _read(parent or "")
    context = set_span_in_context(NonRecordingSpan(given), Context()) if given else Context()
    apart = around.is_valid and (given is None or given.trace_id != around.trace_id)
    return context, [Link(around)] if apart else []


def _current() -> "SpanContext":
    from opentelemetry.trace import get_current_span

    return get_current_span().get_span_context()


def _written(context: "SpanContext") -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _read(traceparent: str) -> "SpanContext | None":
    from opentelemetry.trace import SpanContext, TraceFlags

    if not valid_traceparent(traceparent):
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
