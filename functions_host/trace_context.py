"""The W3C trace context of an invocation, as the real host gives it to the worker: an activity of its own, within the
trace of the HTTP request when that names one (https://www.w3.org/TR/trace-context/)."""

import re
import secrets

_FORM = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")


def traceparent_within(request: str | None) -> str:
    """A new one; in the trace of the request's header `traceparent` when there is one."""
    given = _FORM.fullmatch(request or "")
    trace_id, flags = given.groups() if given else (secrets.token_hex(16), "01")
    return f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"
