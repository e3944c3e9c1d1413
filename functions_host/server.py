"""The HTTP side: one loopback socket for webhooks, admin and HTTP functions.

aiohttp's low-level server: three prefixes need no router, and Event Grid deliveries come by the thousand.
"""

import asyncio
import socket

from aiohttp import web

from functions_host.admin import Admin
from functions_host.http_trigger import HttpTriggers
from functions_host.start_error import StartError
from functions_host.webhook import EventGridWebhook

_BACKLOG = 1024
_EVENT_GRID = "/runtime/webhooks/eventgrid"


def bind(port: int) -> socket.socket:
    """Reserve the port before the app is imported, so that the app can be told its own address."""
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reserved.bind(("127.0.0.1", port))
    except OSError as error:
        reserved.close()
        raise StartError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from error
    return reserved


class Server:
    """Takes requests and passes them on."""

    def __init__(self, webhook: EventGridWebhook, admin: Admin, http: HttpTriggers, body_limit: int) -> None:
        self._webhook = webhook
        self._admin = admin
        self._http = http
        self._body_limit = body_limit
        self._runner: web.ServerRunner | None = None

    async def start(self, listening: socket.socket, grace_seconds: float) -> None:
        """Begin to accept; `grace_seconds` is how long `stop` waits for requests under way."""
        # A function gets the body as it was sent, compressed or not.
        server = web.Server(self._answer, access_log=None, auto_decompress=False)
        self._runner = web.ServerRunner(server, shutdown_timeout=grace_seconds)
        await self._runner.setup()
        await web.SockSite(self._runner, listening, backlog=_BACKLOG).start()

    async def stop(self) -> None:
        """Accept no more, and wait until the requests under way are answered."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        # An exception from here on is a fault of the host, not of a function: aiohttp logs it and answers 500.
        try:
            body = await self._body(request)
        except asyncio.IncompleteReadError:
            return web.Response(status=400, text="the body is shorter than its Content-Length")
        if body is None:
            refusal = web.Response(status=413, text=f"the body exceeds {self._body_limit} bytes")
            refusal.force_close()
            return refusal
        path = request.path.lower()
        if path.rstrip("/") == _EVENT_GRID:
            return await self._webhook.answer(request, body)
        if path.startswith("/admin/"):
            return await self._admin.answer(request, body)
        return await self._http.answer(request, body)

    async def _body(self, request: web.BaseRequest) -> bytes | None:
        """The body, b"" without a Content-Length above zero, None if it is too large."""
        if not request.content_length:
            return b""
        if request.content_length > self._body_limit:
            return None
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await request.content.readexactly(request.content_length)
