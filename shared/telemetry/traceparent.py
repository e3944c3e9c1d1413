"""The W3C trace context as texts carry it: queue messages, records, CloudEvents (https://www.w3.org/TR/trace-context/,
and the distributed tracing extension of CloudEvents)."""

import json
import re

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def valid_traceparent(value: object) -> str:
    """`value` when it is a traceparent of version 00 (55 characters), otherwise nothing: a message is never refused for
    the trace it belongs to."""
    return value if isinstance(value, str) and _FORM.fullmatch(value) else ""


def is_sampled(traceparent: str) -> bool:
    """Whether its sender recorded the span."""
    return bool(traceparent) and bool(int(traceparent[-2:], 16) & 1)


def traceparent_in(text: str) -> str:
    """That of a JSON object in its property `traceparent`; empty when there is none."""
    if '"traceparent"' not in text:
        return ""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return valid_traceparent(document.get("traceparent")) if isinstance(document, dict) else ""
