"""The HTTP side: `/api/v1` and `/api/dashboard` as one ASGI app. Imported when the first request comes: FastAPI costs
half a second, which no other function should pay."""

import os
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.settings import Hosting, read_hosting
from shared.web import api, dashboard
from shared.web.api_errors import answer_errors_of, unexpected
from shared.web.api_schema import describe
from shared.world import World

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Unless an answer brings its own."""


def create_app(world: Callable[[], Awaitable[World]], hosting: Hosting | None = None) -> FastAPI:
    """`world` is asked for by the requests that need it. `hosting`: where the app runs, of the environment if not
    given."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.world = world
    app.state.hosting = hosting or read_hosting(os.environ)
    app.state.snapshots = None
    answer_errors_of(app)
    app.include_router(api.router)
    app.include_router(dashboard.public)
    app.include_router(dashboard.router)
    app.add_middleware(Shell)
    describe(app)
    return app


class Shell:
    """Around every answer: headers that browsers obey, and an answer even where the Guard fails. A slash at an
    address's end is as if it were not there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        path = scope["path"].rstrip("/") or "/"
        try:
            await self._app({**scope, "path": path}, receive, sent)
        except Exception as error:  # noqa: BLE001 - logged, and answered
            failed = unexpected(error, path)
            if not begun:
                await failed(scope, receive, sent)
