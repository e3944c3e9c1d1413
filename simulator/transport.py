"""The official SDKs on top of a `Cloud` without a socket: an azure-core transport, a credential, a policy for http.

With a `VirtualClock` the SDKs' own waits (`transport.sleep`: retries, polling) pass in virtual time, so somebody has to
move the clock.
"""

import asyncio
import time
from collections.abc import AsyncIterator, MutableMapping
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AsyncHttpResponse as LegacyAsyncHttpResponse
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.pipeline.transport import HttpRequest as LegacyHttpRequest
from azure.core.rest import HttpRequest
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from requests.structures import CaseInsensitiveDict

from simulator.arm.route import Principal
from simulator.cloud import Cloud
from simulator.http import ConnectionLost, Request, Response

BASE_URL = "http://127.0.0.1"


class AllowHttp(SansIOHTTPPolicy[Any, Any]):
    """Lets a bearer token go over http (`per_call_policies=[AllowHttp()]`); azure-core refuses it otherwise."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options["enforce_https"] = False


class SimulatedCredential:
    """Tokens of one principal (by default the app), fresh for every call: the cloud's clock may jump by weeks."""

    def __init__(self, cloud: Cloud, principal: Principal | None = None) -> None:
        self._cloud, self._principal = cloud, principal or cloud.identity.app

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        audience = scopes[0].removesuffix("/.default")
        # reported as about to end, so that the pipeline keeps none of them
        return AccessToken(self._cloud.identity.token(self._principal, audience), int(time.time()))

    async def close(self) -> None:
        """Nothing is held."""

    async def __aenter__(self) -> "SimulatedCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held."""


class SimulatedTransport(AsyncHttpTransport[Any, Any]):
    """`transport=SimulatedTransport(cloud)`. A connection that is cut raises ServiceRequestError whether the call
    happened or not, as azure-core's aiohttp transport does."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> "SimulatedTransport":
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Nothing to close."""

    async def sleep(self, duration: float) -> None:
        """Sleep by the cloud's clock. `duration` is seconds on the wall (it may come from a Retry-After)."""
        await self._cloud.clock.sleep(duration / self._cloud.clock.shorten(1.0))

    async def send(self, request: Any, **_: Any) -> Any:
        """Answer one request of either of azure-core's two kinds."""
        try:
            response = await self._cloud.respond(simulated(request))
        except ConnectionLost as lost:
            raise ServiceRequestError(str(lost), error=lost) from lost
        await asyncio.sleep(0)  # as a socket would: others get their turn
        if isinstance(request, LegacyHttpRequest):
            return _LegacyResponse(request, response)
        return _RestResponse(request, response)


def simulated(request: HttpRequest | LegacyHttpRequest) -> Request:
    """An SDK's request as the cloud takes it."""
    url = urlsplit(request.url)
    query: dict[str, str] = {}
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        query.setdefault(name.lower(), value)
    return Request(
        method=request.method,
        path=unquote(url.path),
        base_url=f"{url.scheme}://{url.netloc}",
        query=query,
        headers={name.lower(): str(value) for name, value in request.headers.items()},
        body=_body(request),
    )


def _body(request: HttpRequest | LegacyHttpRequest) -> bytes:
    content = request.body if isinstance(request, LegacyHttpRequest) else request.content
    if content is None:
        return b""
    if isinstance(content, dict):
        raise TypeError("form bodies are not modelled in this transport")
    return content.encode() if isinstance(content, str) else bytes(content)


class _Content:
    """What azure-core expects behind a response: something to close."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def close(self) -> None:
        """Nothing is held."""


def _headers(response: Response) -> MutableMapping[str, str]:
    return CaseInsensitiveDict(response.headers)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in {known.value for known in HTTPStatus} else ""


class _RestResponse(AsyncHttpResponseImpl):
    def __init__(self, request: HttpRequest, response: Response) -> None:
        body = response.content()
        headers = _headers(response)
        super().__init__(
            request=request,
            internal_response=_Content(body),
            status_code=response.status,
            reason=_reason(response.status),
            content_type=headers.get("content-type"),
            headers=headers,
            stream_download_generator=_stream,
        )
        self._content = body
        self._is_stream_consumed = True


class _LegacyResponse(LegacyAsyncHttpResponse):
    def __init__(self, request: LegacyHttpRequest, response: Response) -> None:
        content = _Content(response.content())
        super().__init__(request, content)
        self.status_code = response.status
        self.headers = _headers(response)
        self.reason = _reason(response.status)
        self.content_type = self.headers.get("content-type")

    def body(self) -> bytes:
        return bytes(self.internal_response.body)

    def stream_download(self, pipeline: Any, **_: Any) -> AsyncIterator[bytes]:
        return _stream(pipeline, self)


async def _stream(pipeline: Any, response: Any, **_: Any) -> AsyncIterator[bytes]:
    yield response.internal_response.body
