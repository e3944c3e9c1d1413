"""The simulated Azure on a port: aiohttp around the one function from request to response."""

import asyncio
import json
import logging
import signal
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from simulator.clock import RealClock
from simulator.cloud import Cloud
from simulator.http import ConnectionLost, Request, Response
from simulator.identity.sign_in import MSI_PATH
from simulator.tls import server_context

_log = logging.getLogger("simulator")
_MOST_BYTES = 8 * 1024 * 1024


async def serve(
    port: int, *, speed: float = 1.0, seed: int = 0, tls: Path | None = None, schedules: bool = True
) -> None:
    """Serve on the loopback until SIGTERM or SIGINT. The first line on stdout is one JSON object with the
    endpoints; `port` 0 takes any free one. Raises OSError when the port is taken."""
    cloud = Cloud(RealClock(speed), seed=seed, schedules=schedules)
    context = server_context(tls) if tls is not None else None
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner, base = await start(cloud, port, context)
    print(json.dumps(endpoints(base)), flush=True)  # noqa: T201 - the contract: the first line on stdout
    try:
        await stopped.wait()
    finally:
        await runner.cleanup()
        await cloud.event_grid.close()


async def start(cloud: Cloud, port: int = 0, context: ssl.SSLContext | None = None) -> tuple[web.AppRunner, str]:
    """Put a cloud on a port of the loopback; answers the runner (clean it up) and the base URL."""
    app = web.Application(client_max_size=_MOST_BYTES)
    app.router.add_route("*", "/{path:.*}", _handler(cloud))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    await web.SockSite(runner, listener, ssl_context=context).start()
    scheme = "http" if context is None else "https"
    return runner, f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"


def endpoints(base: str) -> dict[str, str]:
    """What a program under test needs to know. `identity` is a value for IDENTITY_ENDPOINT; the sign-in endpoints
    are under `arm`, and so are the control's paths (`/simulator/…`) under `control`."""
    return {
        "arm": base,
        "identity": f"{base}{MSI_PATH}",
        "loganalytics": f"{base}/loganalytics",
        "eventgrid": f"{base}/eventgrid",
        "control": base,
    }


def _handler(cloud: Cloud) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(received: web.Request) -> web.StreamResponse:
        try:
            response = await cloud.respond(await _request(received))
        except ConnectionLost:
            _reset(received)
            return web.Response()  # goes nowhere: the connection is cut
        except web.HTTPException:
            raise  # aiohttp's own refusals, such as a body that is too large
        except Exception:  # noqa: BLE001 - the last line of defence of a server: say it loudly, answer 500, live on
            _log.exception("a defect of the simulator: %s %s", received.method, received.path)
            body = {"error": {"code": "InternalServerError", "message": "A defect of the simulator: see its stderr."}}
            response = Response(500, body, {"Content-Type": "application/json"})
        return web.Response(status=response.status, body=response.content(), headers=response.headers)

    return answer


async def _request(received: web.Request) -> Request:
    query: dict[str, str] = {}
    for name, value in received.query.items():
        query.setdefault(name.lower(), value)
    return Request(
        method=received.method,
        path=received.path,
        base_url=f"{received.scheme}://{received.host}",
        query=query,
        headers={name.lower(): value for name, value in received.headers.items()},
        body=await received.read(),
    )


def _reset(received: web.Request) -> None:
    """Cut the connection so that the caller sees a reset, not an orderly end."""
    transport = received.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
