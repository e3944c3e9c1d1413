"""ARM as the rest of the app sees it: a path goes in, a JSON body or a GuardError comes out."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from shared.arm.answer import ArmAnswer, AzureError, JsonObject, parse_json, read_error, retry_after_seconds
from shared.arm.errors import NOT_PROOF_OF_ABSENCE, Hiccup, translate
from shared.arm.pipeline import Pipeline
from shared.arm.quota_estimate import kind_of, resource_type
from shared.arm.retry import Sleep, repeated
from shared.arm.throttle import CLIENT_THROTTLED, Throttle, ThrottleSettings
from shared.domain.errors import AmbiguousEffectError, BlockedError, GuardError, TransientError
from shared.domain.ids import subscription_of
from shared.ports import Clock, SharedQuota
from shared.telemetry import span
from shared.telemetry.catalogue import ARM

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.core.rest import HttpRequest

UNREADABLE = "UnreadableAnswer"
NO_ANSWER = "NoAnswer"
_WAIT_UNSAID = 10.0  # Azure's seconds, for a 429 without Retry-After
_MAX_PAGES = 1000


class ArmClient:
    """`scale` as in `shared.domain.time.Moment`: the `retry_after` of every error it raises is in Azure's seconds."""

    def __init__(
        self,
        arm_endpoint: str,
        credential: "AsyncTokenCredential",
        scopes: tuple[str, ...],
        *,
        quota: SharedQuota,
        clock: Clock,
        instance: str,
        scale: float = 1.0,
        throttle: ThrottleSettings | None = None,
        transport: "AsyncHttpTransport[Any, Any] | None" = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._endpoint = arm_endpoint.rstrip("/")
        self._pipeline = Pipeline(self._endpoint, credential, scopes, transport)
        self._throttle = Throttle(quota, clock, instance, scale=scale, settings=throttle)
        self._clock, self._scale, self._sleep = clock, scale, sleep

    async def close(self) -> None:
        await self._pipeline.close()

    async def get(self, path: str, api_version: str, query: Mapping[str, str] | None = None) -> JsonObject | None:
        """The resource, or None when ARM says that it is not there. Raises GuardError."""
        return await self._read(self._url(path, api_version, query))

    async def get_status(self, url: str) -> JsonObject | None:
        """Where an operation stands, by the whole status URL that its start answered with; None when it is gone.
        Raises BlockedError for a URL that does not lead to ARM: a token never goes anywhere else."""
        return await self._read(self._own(url))

    async def list(
        self, path: str, api_version: str, query: Mapping[str, str] | None = None, *, first_pages: int | None = None
    ) -> list[JsonObject] | None:
        """All pages of a list, or the first ones; None when ARM says that what is listed is not there. Raises
        GuardError: a list is whole, as far as it was asked for, or it is an error."""
        page = await self._read(self._url(path, api_version, query))
        return None if page is None else [item async for item in self._items(page, first_pages)]

    async def put(self, path: str, api_version: str, body: JsonObject) -> ArmAnswer:
        """Raises GuardError."""
        return await repeated(lambda: self._send("PUT", self._url(path, api_version), body), self._sleep)

    async def patch(self, path: str, api_version: str, body: JsonObject) -> ArmAnswer:
        """Sent a single time: what it changes may restart. Raises GuardError."""
        return await self._send("PATCH", self._url(path, api_version), body)

    async def delete(self, path: str, api_version: str) -> ArmAnswer:
        """What is gone already answers as what is deleted. Raises GuardError."""
        return await repeated(lambda: self._send("DELETE", self._url(path, api_version), None), self._sleep)

    async def post(self, path: str, api_version: str, body: JsonObject | None = None, *, once: bool) -> ArmAnswer:
        """Raises GuardError. `once`: doing it twice is not doing it once; then it is sent a single time, and an
        answer that was lost raises AmbiguousEffectError."""
        url = self._url(path, api_version)
        if not once:
            return await repeated(lambda: self._send("POST", url, body), self._sleep)
        return await self._send("POST", url, body, once=True)

    async def pause(self, seconds: float, longest: float) -> None:
        """Wait as long as an answer's header asks, on the wall. Raises TransientError when that is longer than
        `longest`: whoever asked comes back later."""
        if seconds > longest:
            message = f"Held back: Azure asks for a pause of {seconds:g} s."
            raise TransientError(CLIENT_THROTTLED, message, retry_after=seconds * self._scale)
        await self._sleep(seconds)

    async def wait_as_told(self, error: GuardError, longest: float) -> None:
        """Wait as long as the error asks, on the wall. Raises it when it does not say, or asks for longer."""
        if error.retry_after is None or error.retry_after / self._scale > longest:
            raise error
        await self._sleep(error.retry_after / self._scale)

    def now(self) -> datetime:
        return self._clock.now()

    async def _items(self, page: JsonObject, first_pages: int | None) -> AsyncIterator[JsonObject]:
        for number in range(1, _MAX_PAGES + 1):
            items = page.get("value")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise TransientError(UNREADABLE, "Azure answered with a list that is none.")
            for item in items:
                yield item
            link = page.get("nextLink")
            if not link or number == first_pages:
                return
            following = await self._read(self._own(str(link)))
            if following is None:
                raise TransientError(UNREADABLE, "A page of a list was gone before it was read.")
            page = following
        raise BlockedError(UNREADABLE, f"A list has more than {_MAX_PAGES} pages.")

    async def _read(self, url: str) -> JsonObject | None:
        answer = await repeated(lambda: self._send("GET", url, None), self._sleep)
        if answer.status == 404:
            return None
        body = answer.json_object()
        if body is None:
            raise TransientError(UNREADABLE, f"Azure answered {answer.status} without a JSON object.")
        return body

    async def _send(self, method: str, url: str, body: JsonObject | None, *, once: bool = False) -> ArmAnswer:
        """One call. A 404 that proves absence answers a GET or DELETE; everything else from 400 up is raised."""
        from azure.core.rest import HttpRequest

        path = urlsplit(url).path
        about = resource_type(path).removeprefix("/")
        request = HttpRequest(method, url) if body is None else HttpRequest(method, url, json=dict(body))
        with span(ARM, f"{method} {about}", method=method, resource_type=about) as note:
            answer = await self._admitted(request, path, once)
            note.say(status=answer.status, request_id=answer.request_id or None)
            return answer if answer.status < 400 else await self._absence(answer, request, path, once)

    async def _admitted(self, request: "HttpRequest", path: str, once: bool) -> ArmAnswer:
        """The answer, when the quota lets the call be sent."""
        kind, subscription_id = kind_of(request.method), _subscription_or_tenant(path)
        async with self._throttle.admitted(subscription_id, kind, path):
            headers: Mapping[str, str] = {}
            try:
                answer = await self._answer(request, once)
                headers = answer.headers
            finally:
                self._throttle.answered(subscription_id, kind, path, headers)
        return answer

    async def _absence(self, answer: ArmAnswer, request: "HttpRequest", path: str, once: bool) -> ArmAnswer:
        """An answer from 400 up that proves absence. Raises GuardError for every other."""
        wait = retry_after_seconds(answer.headers, self._clock.now())
        said = read_error(answer.body)
        if answer.status == 429:
            wait = _WAIT_UNSAID / self._scale if wait is None else wait
            kind, subscription_id = kind_of(request.method), _subscription_or_tenant(path)
            await self._throttle.refused(subscription_id, kind, path, said.code if said else "", wait)
        if (
            request.method in ("GET", "DELETE")
            and answer.status == 404
            and said
            and said.code.lower() not in NOT_PROOF_OF_ABSENCE
        ):
            return answer
        error = self._error(answer, said, wait, once)
        error.request_id = answer.request_id
        error.details = said.details if said else ()
        raise error

    def _error(self, answer: ArmAnswer, said: AzureError | None, wait: float | None, once: bool) -> GuardError:
        error = said or AzureError(f"HttpStatus{answer.status}", answer.text[:500])
        if once and (answer.status >= 500 or answer.status == 408):
            return AmbiguousEffectError(error.code, f"{error.message} (It may have taken effect all the same.)")
        return translate(error, answer.status, None if wait is None else wait * self._scale)

    async def _answer(self, request: "HttpRequest", once: bool) -> ArmAnswer:
        """Send it and read the whole answer. Raises GuardError when there was none."""
        from azure.core.exceptions import AzureError as SdkError
        from azure.core.exceptions import ClientAuthenticationError

        try:
            response = await self._pipeline.send(request)
            # Read already: azure-core would read an empty body (a bare 202) twice, and fail.
            content = response.content
        except ClientAuthenticationError as error:
            raise TransientError(
                "NoToken",
                f"No token for Azure: {_words(error)}",
                recommended_action="See that the app's managed identity exists and is assigned to it.",
            ) from error
        except SdkError as error:
            if once and not _never_connected(error):
                raise AmbiguousEffectError(
                    NO_ANSWER, f"The answer was lost, the call may have taken effect: {_words(error)}"
                ) from error
            raise Hiccup(NO_ANSWER, f"Azure did not answer: {_words(error)}") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        text = content[:2000].decode("utf-8", "replace")
        return ArmAnswer(response.status_code, headers, parse_json(content), text)

    def _url(self, path: str, api_version: str, query: Mapping[str, str] | None = None) -> str:
        values = {"api-version": api_version, **(query or {})}
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
        return f"{self._endpoint}{quote(path, safe='/()!@:,;=$')}?{asked}"

    def _own(self, url: str) -> str:
        """The URL when it leads to the ARM endpoint. Raises BlockedError otherwise."""
        given, own = urlsplit(url), urlsplit(self._endpoint)
        if (given.scheme.lower(), given.netloc.lower()) != (own.scheme.lower(), own.netloc.lower()):
            place = f"{given.scheme}://{given.netloc}"[:200]
            raise BlockedError("ForeignUrl", f"An answer led away from Azure Resource Manager, to {place!r}.")
        return url.replace("{", "%7B").replace("}", "%7D")  # the SDK's clients take braces for a template


def _subscription_or_tenant(path: str) -> str:
    try:
        return subscription_of(path)
    except ValueError:
        return "tenant"


def _words(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__)[:500]


def _never_connected(error: Exception) -> bool:
    """Whether the request surely did not leave: azure-core's ServiceRequestError alone does not say so, it also stands
    for a connection that broke after sending."""
    from aiohttp import ClientConnectorError, ConnectionTimeoutError

    return isinstance(getattr(error, "inner_exception", None), ClientConnectorError | ConnectionTimeoutError)
