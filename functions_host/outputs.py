"""The queue output binding: what a function set is enqueued after it succeeded, before the trigger is answered.

The worker library hands over text, bytes, or for a list a JSON array of which each element is one message
(azure/functions/queue.py). An output that cannot be written fails the invocation, as in the real host.
"""

import json
from collections.abc import Callable, Iterable

from azure.core.exceptions import AzureError
from azure_functions_runtime.bindings.datumdef import Datum

from functions_host import settings, storage
from functions_host.bindings import Function
from functions_host.queue_names import queue_name
from functions_host.storage import QueueAccounts
from functions_host.worker import Result

RETURN = "$return"


class QueueOutputs:
    """Writes the queue outputs of all functions; `enqueued` is told account and queue of each message."""

    def __init__(
        self,
        functions: Iterable[Function],
        accounts: QueueAccounts,
        *,
        base64_encoded: bool,
        enqueued: Callable[[str, str], None],
    ) -> None:
        self._accounts = accounts
        self._base64 = base64_encoded
        self._enqueued = enqueued
        self._targets = {
            (function.name, binding.name): (
                settings.connection_string(str(binding.properties.get("connection") or ""), function.where),
                queue_name(binding.text("queueName", function.where), function.where),
            )
            for function in functions
            for binding in function.outputs
            if binding.type == "queue"
        }

    async def write(self, function: Function, result: Result) -> Result:
        """Enqueue the outputs of a successful invocation; a failed write makes it a failure."""
        values = list(result.outputs)
        if result.returned is not None and (function.name, RETURN) in self._targets:
            values.append((RETURN, result.returned))
        try:
            for name, datum in values:
                connection, queue = self._targets[function.name, name]
                for content in _messages(datum):
                    text = storage.encode(content, base64_encoded=self._base64)
                    await storage.send(self._accounts.queue(connection, queue), text)
                    self._enqueued(connection, queue)
        except (AzureError, UnicodeDecodeError) as error:
            return Result(ok=False, error=f"output binding {name}: {type(error).__name__}: {error}")
        return result


def _messages(datum: Datum) -> list[bytes]:
    if datum.value is None:
        return []
    if datum.type == "bytes":
        return [datum.value]
    if datum.type == "json":
        parsed = json.loads(datum.value)
        if isinstance(parsed, list):
            return [(item if isinstance(item, str) else json.dumps(item)).encode() for item in parsed]
    return [str(datum.value).encode()]
