"""Structured logs on stderr: one JSON object a line.

Every line written while a function runs carries its invocation id, as the real host's log stream does; the worker
library keeps the id in a context variable (utils/executor.py).
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from azure_functions_runtime import invocation_id_cv

_FIELDS = ("function", "outcome", "duration_ms", "exception")


class JsonLines(logging.Formatter):
    """One record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        invocation_id = getattr(record, "invocation_id", None) or invocation_id_cv.get()
        if invocation_id:
            line["invocation_id"] = invocation_id
        for field in _FIELDS:
            value = getattr(record, field, None)
            if value is not None:
                line[field] = value
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def _is_not_repeated(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Native ")


def to_stderr(level: int) -> None:
    """Send everything at `level` and above to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Every Azure SDK request is logged with all its headers at INFO; the app's own lines would drown.
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
    # The worker library logs a failed invocation's traceback itself; the host's line holds it already.
    logging.getLogger("azure.functions").addFilter(_is_not_repeated)
