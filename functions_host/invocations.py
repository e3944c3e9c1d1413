"""Running functions: invocation ids, one log line each, the function time-out, and what is still running.

When an invocation exceeds `functionTimeout` the real host restarts the worker process, because a Python function
cannot be stopped from outside: everything else that runs in it is lost too, and queue messages come back when their
lease ends. Here the whole host ends with exit code 3; whoever started it may start it again.
"""

import asyncio
import logging
import os
import threading
import time
import uuid
from collections.abc import Mapping

from azure_functions_runtime.bindings.datumdef import Datum

from functions_host import worker
from functions_host.bindings import Function
from functions_host.outputs import QueueOutputs
from functions_host.trace_context import traceparent_within
from functions_host.worker import Result

EXIT_FUNCTION_TIMEOUT = 3

_log = logging.getLogger(__name__)


class Invocations:
    """All invocations of the app."""

    def __init__(self, outputs: QueueOutputs, timeout_seconds: float | None) -> None:
        self._outputs = outputs
        self._timeout = timeout_seconds
        # In the order they began, so the first one is always the first to exceed the time-out.
        self._running: dict[str, tuple[str, float]] = {}
        if timeout_seconds is not None:
            # A thread, not the event loop: a function that blocks the loop must be caught too.
            threading.Thread(target=self._watch, args=(timeout_seconds,), name="function-timeout", daemon=True).start()

    @property
    def running(self) -> list[str]:
        """Names of the functions that run now."""
        return [name for name, _ in list(self._running.values())]

    async def run(
        self, function: Function, data: Datum, metadata: Mapping[str, Datum] | None = None, *, within: str | None = None
    ) -> Result:
        """Run a function once, write its outputs, log the outcome. `within` is the header `traceparent` of the HTTP
        request that led to it."""
        invocation_id = str(uuid.uuid4())
        began = time.monotonic()
        self._running[invocation_id] = (function.name, began)
        try:
            result = await worker.invoke(function, invocation_id, data, metadata or {}, traceparent_within(within))
            if result.ok and function.outputs:
                result = await self._outputs.write(function, result)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # The function cancelled something of its own and let the error out.
            result = Result(ok=False, error="CancelledError()")
        finally:
            del self._running[invocation_id]
        _log_outcome(function, invocation_id, result, (time.monotonic() - began) * 1000)
        return result

    def _watch(self, timeout: float) -> None:
        while True:
            oldest = next(iter(list(self._running.items())), None)
            remaining = timeout if oldest is None else oldest[1][1] + timeout - time.monotonic()
            if oldest is not None and remaining <= 0:
                _log.critical(
                    "Timeout value of %.0f s exceeded by function %s: the process ends, as the worker would",
                    timeout,
                    oldest[1][0],
                    extra={"function": oldest[1][0], "invocation_id": oldest[0], "outcome": "TimedOut"},
                )
                # Nothing in this process can be trusted to let go: threads and tasks of the app may be stuck.
                os._exit(EXIT_FUNCTION_TIMEOUT)
            time.sleep(max(0.01, remaining))


def _log_outcome(function: Function, invocation_id: str, result: Result, milliseconds: float) -> None:
    outcome = "Succeeded" if result.ok else "Failed"
    _log.log(
        logging.INFO if result.ok else logging.ERROR,
        "%s %s%s",
        function.name,
        outcome,
        f": {result.error}" if result.error else "",
        extra={
            "function": function.name,
            "invocation_id": invocation_id,
            "outcome": outcome,
            "duration_ms": round(milliseconds, 1),
            "exception": result.traceback or None,
        },
    )
