"""The app's own Event Grid topic: a custom topic with the input schema CloudEventSchemaV1_0."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.arm.answer import retry_after_seconds
from shared.arm.errors import Hiccup
from shared.arm.retry import Sleep, repeated
from shared.domain.alerts import Announcement
from shared.domain.compliance import SweepSummary, VerdictChange
from shared.domain.errors import BlockedError, GuardError, TransientError
from shared.events.app_events import (
    announcement_event,
    as_cloud_event,
    changed_event,
    news_event,
    sweep_event,
)
from shared.events.synthetic import synthetic_event
from shared.ports import Clock, News
from shared.telemetry import current_traceparent, span
from shared.telemetry.catalogue import JOB

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.core.pipeline.transport import AsyncHttpTransport
    from azure.eventgrid.aio import EventGridPublisherClient

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MOST_BYTES = 1_000_000
"""Of one request: Event Grid takes 1 MB (1,048,576 bytes, all events of an array together)."""
_CONNECT_TIMEOUT, _READ_TIMEOUT = 10.0, 30.0  # seconds
_REFUSALS = {
    400: "See that the topic's input schema is CloudEventSchemaV1_0.",
    401: "Give the app's identity the role EventGrid Data Sender on the topic.",
    403: "Give the app's identity EventGrid Data Sender on the topic, and let the topic's network rules admit the app.",
    404: "See that the app setting AKS_BACKUP_GUARD_EVENT_TOPIC is the endpoint of a topic that exists.",
}


class TopicDeniedError(BlockedError):
    """The topic does not let us publish: a right is missing, or has not spread yet."""


class EventGridTopic:
    """`ports.EventTopic`. `endpoint` is what the portal shows: https://NAME.REGION-1.eventgrid.azure.net/api/events.
    `scale` as in `shared.domain.time.Moment`; `sleep` takes seconds on the wall."""

    def __init__(
        self,
        endpoint: str,
        credential: "AsyncTokenCredential",
        *,
        clock: Clock,
        scale: float = 1.0,
        transport: "AsyncHttpTransport[Any, Any] | None" = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Raises ValueError for an endpoint that would send tokens in the clear to another machine."""
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError(f"the topic's endpoint must be https, or http on this machine, not {endpoint[:200]!r}")
        self._endpoint, self._plain_http = endpoint, parts.scheme == "http"
        self._credential, self._transport = credential, transport
        self._clock, self._scale, self._sleep = clock, scale, sleep
        self._client: EventGridPublisherClient | None = None

    async def publish_news(self, news: Sequence[News]) -> None:
        """Each event carries the trace that begins here (CloudEvents' extension for distributed tracing)."""
        events = []
        for one in news:
            event = as_cloud_event(news_event(one))
            with span(JOB, alone=True, subject=one.cluster.arm_id, key=one.key):
                traceparent = current_traceparent()
            events.append({**event, "traceparent": traceparent} if traceparent else event)
        await self._publish(events)

    async def publish_announcements(self, announcements: Sequence[Announcement]) -> None:
        await self._publish(as_cloud_event(announcement_event(one)) for one in announcements)

    async def publish_changes(self, changed: Sequence[Sequence[VerdictChange]]) -> None:
        await self._publish(as_cloud_event(changed_event(changes)) for changes in changed)

    async def publish_sweep(self, summary: SweepSummary) -> None:
        await self._publish([as_cloud_event(sweep_event(summary))])

    async def publish_synthetic(self, event_id: str) -> None:
        """Whoever listens sees that events arrive. Raises GuardError."""
        await self._publish([as_cloud_event(synthetic_event(event_id, self._clock.now()))])

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _publish(self, events: Iterable[dict[str, Any]]) -> None:
        for batch in _batches(events):
            # Twice is as good as once: readers know an event by its source and id.
            await repeated(lambda batch=batch: self._send(batch), self._sleep)  # type: ignore[misc]

    async def _send(self, batch: Sequence[dict[str, Any]]) -> None:
        from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
        from azure.core.messaging import CloudEvent

        if self._client is None:
            self._client = self._new_client()
        try:
            await self._client.send([CloudEvent.from_dict(event) for event in batch])
        except HttpResponseError as error:
            if error.status_code is None and isinstance(error, ClientAuthenticationError):
                raise TransientError(
                    "NoToken",
                    f"No token for Event Grid: {_words(error)}",
                    recommended_action="See that the app's managed identity exists and is assigned to it.",
                ) from error
            raise self._translated(error) from error
        except AzureError as error:
            raise Hiccup("NoAnswer", f"Event Grid did not answer: {_words(error)}") from error

    def _translated(self, error: "HttpResponseError") -> GuardError:
        from azure.core.exceptions import ResourceNotFoundError

        if isinstance(error, ResourceNotFoundError):  # the client leaves the answer out of this one
            return BlockedError("TopicNotFound", "Event Grid knows no such topic.", recommended_action=_REFUSALS[404])
        status = error.status_code
        if status is None or error.response is None:
            return Hiccup("UnreadableAnswer", f"Event Grid's answer cannot be read: {_words(error)}")
        said: Any = error.error  # Event Grid's error has the form of OData's, which azure-core reads
        code = said.code if said and said.code else f"HttpStatus{status}"
        words = said.message if said and said.message else _words(error)
        message = f"Event Grid did not take the events: {words}"
        if status in (408, 429) or status >= 500:
            answer: Any = error.response
            headers = {name.lower(): value for name, value in answer.headers.items()}
            wait = retry_after_seconds(headers, self._clock.now())
            if wait is None and status != 429:
                return Hiccup(code, message)
            return TransientError(code, message, retry_after=None if wait is None else wait * self._scale)
        kind = TopicDeniedError if status in (401, 403) else BlockedError
        return kind(code, message, recommended_action=_REFUSALS.get(status, ""))

    def _new_client(self) -> "EventGridPublisherClient":
        from azure.core.pipeline.policies import SansIOHTTPPolicy
        from azure.core.pipeline.transport import AioHttpTransport
        from azure.eventgrid.aio import EventGridPublisherClient

        class AllowHttp(SansIOHTTPPolicy[Any, Any]):
            """azure-core refuses a token over http, which is right but for this machine."""

            def on_request(self, request: Any) -> None:
                request.context.options["enforce_https"] = False

        transport = self._transport or AioHttpTransport(
            connection_timeout=_CONNECT_TIMEOUT, read_timeout=_READ_TIMEOUT, use_env_settings=not self._plain_http
        )
        return EventGridPublisherClient(
            self._endpoint,
            self._credential,
            transport=transport,
            retry_total=0,
            permit_redirects=False,
            per_call_policies=[AllowHttp()] if self._plain_http else [],
        )


def _batches(events: Iterable[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """As many events at a time as a request may hold."""
    batch: list[dict[str, Any]] = []
    size = 0
    for event in events:
        its_size = len(json.dumps(event)) + 2
        if batch and size + its_size > _MOST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += its_size
    if batch:
        yield batch


def _words(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__)[:500]
