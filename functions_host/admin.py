"""`/admin/...`: the list of functions, running one now, and the state of the host.

Imitates FunctionsController and HostController of azure-functions-host. As there, a run is answered 202 at once and
its outcome is in the log; names are not case sensitive. The real ones want the master key.
"""

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping
from typing import Any

from aiohttp import web

from functions_host import queues, worker
from functions_host.bindings import Function
from functions_host.http_trigger import HttpTriggers
from functions_host.invocations import Invocations
from functions_host.timers import Timer
from functions_host.worker import Result

HOST_VERSION = "4.0.0-local"


class Admin:
    """The admin endpoints."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        timers: Mapping[str, Timer],
        http: HttpTriggers,
        invocations: Invocations,
    ) -> None:
        self._functions = {name.lower(): function for name, function in functions.items()}
        self._timers = timers
        self._http = http
        self._invocations = invocations
        self._runs: set[asyncio.Task[Result]] = set()
        self._began = time.monotonic()

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.Response:
        """Answer one request below /admin."""
        match [request.method, *request.path.lower().strip("/").split("/")[1:]]:
            case ["GET", "host", "status"]:
                return web.json_response(self._status())
            case ["GET" | "POST", "host", "ping"]:
                return web.Response()
            case ["GET", "functions"]:
                return web.json_response([self._described(f, request.host) for f in self._functions.values()])
            case ["GET", "functions", name] if name in self._functions:
                return web.json_response(self._described(self._functions[name], request.host))
            case ["POST", "functions", name] if name in self._functions:
                return self._start(self._functions[name], body)
        return web.Response(status=404)

    async def finished(self) -> None:
        """Wait for the runs that were started here."""
        if self._runs:
            await asyncio.wait(self._runs)

    def _start(self, function: Function, body: bytes) -> web.Response:
        try:
            document = json.loads(body) if body else {}
        except (ValueError, RecursionError) as error:
            return web.Response(status=400, text=f"the body is not JSON: {error}")
        if not isinstance(document, dict):
            return web.Response(status=400, text='the body must be an object: {"input": ...}')
        # ASP.NET binds the key in any case.
        given = next((value for key, value in document.items() if key.lower() == "input"), "")
        text = given if isinstance(given, str) else json.dumps(given)
        run: Coroutine[Any, Any, Result]
        match function.trigger.type:
            case "timerTrigger":
                run = self._timers[function.name].fire()
            case "queueTrigger":
                run = queues.run_message(self._invocations, function, text.encode())
            case "eventGridTrigger":
                run = self._invocations.run(function, worker.json_datum(text))
            case _:
                return web.Response(status=400, text=f"{function.name} is an HTTP function: call its route")
        task = asyncio.create_task(run)
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        return web.Response(status=202)

    def _status(self) -> dict[str, object]:
        return {
            "id": "local",
            "state": "Running",
            "version": HOST_VERSION,
            "versionDetails": HOST_VERSION,
            "processUptime": round((time.monotonic() - self._began) * 1000),
        }

    def _described(self, function: Function, host: str) -> dict[str, object]:
        route = self._http.url_template(function)
        return {
            "name": function.name,
            "href": f"http://{host}/admin/functions/{function.name}",
            "invoke_url_template": f"http://{host}{route}" if route else None,
            "language": "python",
            "isDisabled": function.disabled,
            "config": {
                "name": function.name,
                "language": "python",
                "bindings": [dict(binding.properties) for binding in function.bindings],
            },
        }
