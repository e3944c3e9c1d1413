"""HTTP triggers: requests to `/<routePrefix>/...`.

What the function sees is what GrpcMessageConversionExtensions.ToRpcHttp of azure-functions-host sends: lower-case
header names, repeated headers and query values joined by a comma, empty query values left out, and a body (as bytes)
only when the request says Content-Length > 0. A function that fails is answered 500 without a body; a method no
function takes is answered 404. Keys (`authLevel`) are not asked for locally.

Of several functions whose routes and methods fit, the first one by name answers, whatever the routes look like
(https://github.com/Azure/azure-functions-host/issues/9876).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from azure_functions_runtime.bindings.datumdef import Datum
from multidict import CIMultiDict

from functions_host import worker
from functions_host.bindings import Function
from functions_host.invocations import Invocations
from functions_host.routes import Route
from functions_host.start_error import StartError

_RESERVED = ("admin", "runtime")
# The server sets these itself.
_HOP_HEADERS = {"content-length", "transfer-encoding", "connection"}


@dataclass(frozen=True, slots=True)
class _Endpoint:
    function: Function
    methods: frozenset[str]
    route: Route

    def takes(self, method: str) -> bool:
        return not self.methods or method in self.methods


class HttpTriggers:
    """All HTTP functions, in the order in which they are tried."""

    def __init__(self, functions: Iterable[Function], prefix: str, invocations: Invocations) -> None:
        self._invocations = invocations
        self._endpoints = [_endpoint(function, prefix) for function in sorted(functions, key=_by_name)]

    def url_template(self, function: Function) -> str | None:
        """The path of a function's route, for the list of functions."""
        return next((f"/{e.route.template}" for e in self._endpoints if e.function is function), None)

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.Response:
        """Run the function whose route and methods fit."""
        path = request.rel_url.raw_path
        for endpoint in self._endpoints:
            if not endpoint.takes(request.method):
                continue
            parameters = endpoint.route.match(path)
            if parameters is not None:
                data = worker.http_datum(_request(request, body, parameters))
                within = request.headers.get("traceparent")
                result = await self._invocations.run(endpoint.function, data, within=within)
                return _response(result.returned) if result.ok else web.Response(status=500)
        return web.Response(status=404)


def _by_name(function: Function) -> str:
    """As StringComparer.OrdinalIgnoreCase has it: by the upper-case letters."""
    return function.name.upper()


def _endpoint(function: Function, prefix: str) -> _Endpoint:
    route = function.trigger.text("route", function.where).strip("/")
    if route.lower().startswith(_RESERVED):
        raise StartError(f"{function.where}: the route {route!r} conflicts with the host's own, which begin so")
    if not any(output.type == "http" for output in function.outputs):
        raise StartError(f"{function.where}: an HTTP trigger needs the http output $return")
    methods = frozenset(str(method).upper() for method in function.trigger.properties.get("methods") or ())
    return _Endpoint(function, methods, Route(f"{prefix}/{route}" if prefix else route, function.where))


def _request(request: web.BaseRequest, body: bytes, parameters: dict[str, str]) -> dict[str, Any]:
    text = worker.string_datum
    query = {key: ",".join(request.query.getall(key)) for key in request.query}
    headers = {key.lower(): ",".join(request.headers.getall(key)) for key in request.headers}
    return {
        "method": text(request.method),
        "url": text(f"http://{request.host}{request.rel_url.raw_path_qs}"),
        "headers": {key: text(value) for key, value in headers.items()},
        "body": worker.bytes_datum(body),
        "params": {key: text(value) for key, value in parameters.items()},
        "query": {key: text(value) for key, value in query.items() if value},
    }


def _response(returned: Datum | None) -> web.Response:
    if returned is None or returned.value is None:
        return web.Response(status=204)
    if returned.type != "http":
        return web.Response(text=str(returned.value))
    value = returned.value
    headers = CIMultiDict(
        (name, datum.value) for name, datum in value["headers"].items() if name.lower() not in _HOP_HEADERS
    )
    for cookies in value.get("cookies") or ():
        for morsel in cookies.values():
            headers.add("Set-Cookie", morsel.OutputString())
    return web.Response(status=int(value["status_code"].value), headers=headers, body=value["body"].value)
