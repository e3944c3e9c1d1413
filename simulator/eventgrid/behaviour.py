"""Microsoft.EventGrid as the rest of the cloud sees it: events in from ARM and from publishers, webhooks out."""

from typing import TYPE_CHECKING, Any, Literal

from simulator.arm.errors import ArmError
from simulator.arm.route import Call, Principal, Route
from simulator.eventgrid.delivery import Chance, Delivery
from simulator.eventgrid.event_subscriptions import EventSubscriptions
from simulator.eventgrid.events import Event, resource_event_body
from simulator.eventgrid.models import EVENT_GRID_SCHEMA
from simulator.eventgrid.operations import Operations
from simulator.eventgrid.publishing import authorize, parse_events, published, refusal, topic_name
from simulator.eventgrid.routes import routes
from simulator.eventgrid.topics import Topics
from simulator.eventgrid.webhooks import Deliver, Preflight, Webhooks
from simulator.http import Request, Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_ODD_CASING = 0.25  # how often an event spells resourceGroups in lower case; that it happens is documented
_NO_CLAIMS = 0.1  # how often an event comes without claims; that it happens is documented


class EventGrid:
    """System topics, custom topics, their event subscriptions, and the delivery they share."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._webhooks = Webhooks()
        self._operations = Operations(cloud)
        self._delivery = Delivery(cloud, self._webhooks)
        self._topics = Topics(cloud, self._operations)
        self._subscriptions = EventSubscriptions(cloud, self._topics, self._operations, self._delivery, self._webhooks)

    @property
    def deliver(self) -> Deliver:
        """How an event is POSTed: `await deliver(url, headers, body) -> (status, headers, body)`. May be replaced."""
        return self._delivery.deliver

    @deliver.setter
    def deliver(self, deliver: Deliver) -> None:
        self._delivery.deliver = deliver

    @property
    def preflight(self) -> Preflight:
        """The OPTIONS request of the CloudEvents handshake: `await preflight(url, headers)`. May be replaced."""
        return self._subscriptions.preflight

    @preflight.setter
    def preflight(self, preflight: Preflight) -> None:
        self._subscriptions.preflight = preflight

    def map_function(self, resource_id: str, webhook_url: str) -> None:
        """Say where an Azure function listens, so that event subscriptions may name it by its resource id."""
        self._subscriptions.function_urls[resource_id.lower()] = webhook_url

    def bind_queues(self, account_id: str, endpoint: str) -> None:
        """Say where the queues of a storage account really are: the URL of a queue service with a shared access
        signature as query."""
        self._delivery.storage_queues.endpoints[account_id.lower()] = endpoint

    def configure(
        self,
        *,
        duplicate: Chance | None = None,
        reorder: bool | None = None,
        delay_seconds: float | None = None,
        lose: Chance | None = None,
    ) -> dict[str, Any]:
        """Disturb deliveries from now on: duplicates and losses by probability (true: always), shuffled order, a
        delay in Azure's seconds. None leaves a switch as it is. Answers how all stand. Raises ValueError."""
        for name, chance in (("duplicate", duplicate), ("lose", lose)):
            if chance is not None and not 0 <= chance <= 1:
                raise ValueError(f"{name} must be true, false or a probability from 0 to 1, not {chance}")
        if delay_seconds is not None and not delay_seconds >= 0:
            raise ValueError(f"delay_seconds must not be negative: {delay_seconds}")
        now = self._delivery.disturbances
        now.duplicate = now.duplicate if duplicate is None else duplicate
        now.reorder = now.reorder if reorder is None else reorder
        now.delay_seconds = now.delay_seconds if delay_seconds is None else delay_seconds
        now.lose = now.lose if lose is None else lose
        return {
            "duplicate": now.duplicate,
            "reorder": now.reorder,
            "delay_seconds": now.delay_seconds,
            "lose": now.lose,
        }

    def dead_letters(self) -> list[dict[str, Any]]:
        """What lies in dead-letter containers, oldest first: whose it is, the blob, and the event as stored."""
        return [
            {
                "eventSubscription": letter.subscription_id,
                "storageAccount": letter.resource_id,
                "container": letter.container,
                "blob": letter.blob,
                "event": dict(letter.event),
            }
            for letter in self._delivery.dead_letters
        ]

    def resource_event(
        self,
        kind: Literal["Write", "Delete", "Action"],
        outcome: Literal["Success", "Failure", "Cancel"],
        resource_id: str,
        operation_name: str,
        principal: Principal,
        *,
        status: str,
        method: str,
        url: str,
        correlation_id: str,
        first_create: bool,
    ) -> None:
        """Tell those who subscribed to the subscription or the resource group about a mutating ARM call, and Resource
        Graph, which lives on the same news."""
        self._cloud.resource_graph.told(resource_id)
        segments = resource_id.strip("/").split("/")
        scopes = ["/" + "/".join(segments[:length]).lower() for length in (2, 4) if len(segments) >= length]
        if not self._subscriptions.on_any(*scopes):
            return
        random, new_uuid = self._cloud.random, self._cloud.new_uuid
        spelled = resource_id
        if random.random() < _ODD_CASING:
            spelled = resource_id.replace("/resourceGroups/", "/resourcegroups/")
        http_request = {
            "clientRequestId": str(new_uuid()),
            "clientIpAddress": "203.0.113.7",
            "method": method,
            "url": url,
        }
        body = resource_event_body(
            event_id=str(new_uuid()),
            event_type=f"Microsoft.Resources.Resource{kind}{outcome}",
            resource_id=spelled,
            subscription_id=segments[1],
            operation_name=operation_name,
            principal=principal,
            status=status,
            http_request=None if first_create else http_request,
            correlation_id=correlation_id,
            with_claims=random.random() >= _NO_CLAIMS,
            moment=self._cloud.clock.now(),
        )
        self._send(Event(EVENT_GRID_SCHEMA, body), *scopes)

    def _send(self, event: Event, *scopes: str) -> None:
        for subscription in self._subscriptions.wanting(event, *scopes):
            self._delivery.send(event, subscription)

    async def respond(self, request: Request) -> Response | None:
        """Answer a request under `/eventgrid/`; None for any other path."""
        return await self.publish(request) if request.path.lower().startswith("/eventgrid/") else None

    async def publish(self, request: Request) -> Response:
        """The data plane of custom topics: `POST /eventgrid/topics/{name}/api/events`."""
        try:
            name = topic_name(request.path)
            topic = self._topics.named(name) if name is not None else None
            if topic is None or topic.provisioning_state == "Creating":
                # In Azure the name would not even resolve.
                raise refusal(404, "NotFound", f"There is no topic at '{request.path}'.")
            if request.method != "POST":
                raise refusal(405, "MethodNotAllowed", f"The method '{request.method}' is not supported.")
            authorize(self._cloud, topic, request)
            for event in parse_events(topic, request):
                self._send(event, topic.id.lower())
        except ArmError as error:
            return error.response()
        return published()

    def delete_topic(self, call: Call) -> Response:
        """Delete a system or custom topic with its event subscriptions."""
        key = call.resource_id.lower()
        topic = self._topics.remove(key)
        if topic is None:
            return Response(204)
        self._forget(key)
        operation = self._operations.start()
        operation.status = "Succeeded"
        return Response(202, None, self._operations.headers(call, operation, topic.location, deleting=True))

    def _forget(self, topic_key: str) -> None:
        self._subscriptions.forget_under(topic_key)
        self._cloud.resources.forget(topic_key)

    def drop_group(self, subscription_id: str, group: str) -> None:
        """A resource group was deleted: its topics and everything subscribed within it go too."""
        scope = f"/subscriptions/{subscription_id}/resourceGroups/{group}".lower()
        for key in [key for key in (*self._topics.system, *self._topics.custom) if key.startswith(scope + "/")]:
            self._topics.remove(key)
            self._forget(key)
        self._subscriptions.forget_under(scope)

    def routes(self) -> list[Route]:
        return routes(self._topics, self._subscriptions, self._operations, self.delete_topic)

    async def close(self) -> None:
        """Close the HTTP client of the deliveries."""
        await self._webhooks.close()
