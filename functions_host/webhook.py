"""`/runtime/webhooks/eventgrid?functionName=NAME`: Event Grid deliveries.

Imitates HttpRequestProcessor and EventGridExtensionConfigProvider of Microsoft.Azure.WebJobs.Extensions.EventGrid
(azure-sdk-for-net): the header `aeg-event-type` tells a validation handshake from a delivery, the elements of an
array are run one by one in parallel, and one failure fails the whole delivery, which Event Grid then repeats. Where
the real one throws on a body that is no JSON, this one answers 400. The key in `code` is not asked for locally.
"""

import asyncio
import json
import logging
from collections.abc import Mapping

from aiohttp import web

from functions_host import worker
from functions_host.bindings import Function
from functions_host.invocations import Invocations

_PUBLIC_ORIGIN = "eventgrid.azure.net"
_ORIGINS = {
    _PUBLIC_ORIGIN,
    "eventgrid.azure.us",
    "eventgrid.azure.eaglex.ic.gov",
    "eventgrid.azure.microsoft.scloud",
    "eventgrid.azure.cn",
}
# The extension knows the first name, Event Grid's documentation the second.
_GOODBYES = {"unsubscribe", "subscriptiondeletion"}

_log = logging.getLogger(__name__)


class EventGridWebhook:
    """Answers Event Grid for all functions with an Event Grid trigger."""

    def __init__(self, functions: Mapping[str, Function], invocations: Invocations) -> None:
        self._functions = functions
        self._invocations = invocations

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.Response:
        """Answer one request of Event Grid."""
        name = request.query.get("functionName", "")
        function = self._functions.get(name)
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            origin = request.headers.get("WebHook-Request-Origin", _PUBLIC_ORIGIN)
            allowed = origin if origin in _ORIGINS else _PUBLIC_ORIGIN
            return web.Response(status=200, headers={"WebHook-Allowed-Origin": allowed})
        kind = request.headers.get("aeg-event-type", "").lower()
        if kind in _GOODBYES:
            return web.Response(status=202)
        if kind not in {"notification", "subscriptionvalidation"}:
            return web.Response(status=400, text="the header aeg-event-type says neither a handshake nor a delivery")
        try:
            events = json.loads(body)
        except (ValueError, RecursionError) as error:
            return web.Response(status=400, text=f"the body is not JSON: {error}")
        if not isinstance(events, list):
            events = [events]
        if kind == "subscriptionvalidation":
            return _handshake(function, events)
        return await self._deliver(function, events, request.headers.get("traceparent"))

    async def _deliver(self, function: Function, events: list[object], within: str | None) -> web.Response:
        runs = [self._invocations.run(function, worker.json_datum(_text(event)), within=within) for event in events]
        # Most deliveries hold one event: no need for another task.
        results = [await runs[0]] if len(runs) == 1 else await asyncio.gather(*runs)
        for result in results:
            if not result.ok:
                return web.Response(status=500, text=result.error)
        return web.Response(status=202)


def _handshake(function: Function, events: list[object]) -> web.Response:
    data = events[0].get("data") if events and isinstance(events[0], dict) else None
    if isinstance(data, str):
        # In the CloudEvents schema the data is JSON inside a string.
        try:
            data = json.loads(data)
        except ValueError:
            data = None
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        return web.Response(status=400, text="the validation event has no data.validationCode")
    _log.info("handshake with Event Grid for function %s", function.name)
    return web.json_response({"validationResponse": code})


def _text(event: object) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
