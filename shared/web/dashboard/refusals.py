"""What a page says when it cannot be shown: as a page too, since a person asked for it."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from shared.domain.errors import GuardError
from shared.web.api_errors import ApiError
from shared.web.dashboard.assets import page


class NotShownError(Exception):
    """There is nothing to show; `name` is what was asked for, and may be hostile text."""

    def __init__(self, title: str, message: str, name: str = "") -> None:
        super().__init__(message)
        self.title, self.message, self.name = title, message, name


class PageRoute(APIRoute):
    """Every known error has its page; others are the app's."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        shown = super().get_route_handler()

        async def route(request: Request) -> Response:
            try:
                return await shown(request)
            except NotShownError as error:
                return page("missing.html", 404, title=error.title, message=error.message, name=error.name)
            except ApiError as error:
                return page("missing.html", error.status, title="Not for you", message=error.message, name="")
            except GuardError as error:
                message = f"What the Guard knows cannot be read just now. Try again in a minute. {error}"
                return page("missing.html", 503, title="Not to be had just now", message=message, name="")

        return route
