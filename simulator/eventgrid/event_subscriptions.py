"""Event subscriptions over ARM: under a topic, or on any scope as an extension resource."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulator.arm.errors import ArmError
from simulator.arm.route import Call
from simulator.eventgrid.delivery import Delivery
from simulator.eventgrid.events import Event
from simulator.eventgrid.handshake import cloud_events_handshake, event_grid_handshake, failure_message
from simulator.eventgrid.models import CLOUD_EVENT_SCHEMA, EVENT_GRID_SCHEMA, EventSubscription, Specification
from simulator.eventgrid.operations import Operation, Operations
from simulator.eventgrid.responses import event_subscription_body
from simulator.eventgrid.specifications import check_name, parse_specification, refused
from simulator.eventgrid.topics import Topics, listed, not_found
from simulator.eventgrid.webhooks import Preflight, Webhooks
from simulator.http import Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud

MOST_PER_TOPIC = 500  # documented
_WITH_IDENTITY = (
    ("destination", "deliveryWithResourceIdentity"),
    ("deadLetterDestination", "deadLetterWithResourceIdentity"),
)
_EITHER = (*_WITH_IDENTITY, *((after, before) for before, after in _WITH_IDENTITY))
"""Of each pair an event subscription has one."""


class EventSubscriptions:
    """Event subscriptions by lower-case id. `preflight` may be replaced, as `delivery.deliver` may."""

    def __init__(
        self, cloud: "Cloud", topics: Topics, operations: Operations, delivery: Delivery, webhooks: Webhooks
    ) -> None:
        self._cloud, self._topics, self._operations, self._delivery = cloud, topics, operations, delivery
        self.preflight: Preflight = webhooks.preflight
        self.function_urls: dict[str, str] = {}
        self.all: dict[str, EventSubscription] = {}

    def on_any(self, *scopes: str) -> bool:
        """Whether anybody listens to any of the (lower-case) scopes."""
        return any(subscription.source in scopes for subscription in self.all.values())

    def wanting(self, event: Event, *scopes: str) -> list[EventSubscription]:
        """Active subscriptions on any of the (lower-case) scopes whose filter lets the event through."""
        now = self._cloud.clock.now()
        return [
            subscription
            for subscription in self.all.values()
            if subscription.source in scopes
            and subscription.active is not None
            and (subscription.active.expires is None or now < subscription.active.expires)
            and subscription.active.filter.matches(event.body)
        ]

    def put(self, call: Call) -> Response:
        return self._write(call, call.body())

    def patch(self, call: Call) -> Response:
        """The update body is the properties themselves; what it leaves out stays as it is."""
        existing, changes = self._found(call), call.body()
        kept = dict(existing.wanted.properties)
        for name, other in _EITHER:
            if changes.get(name) is not None:
                kept.pop(other, None)
        if existing.wanted.destination.kind == "WebHook" and "destination" in kept:  # the answer hides the URL
            destination = kept["destination"]
            with_url = destination["properties"] | {"endpointUrl": existing.wanted.destination.url}
            kept["destination"] = destination | {"properties": with_url}
        return self._write(call, {"properties": kept | changes})

    def _write(self, call: Call, body: Mapping[str, object]) -> Response:
        topic_id, source, input_schema, location = self._topic(call)
        check_name(call.params["name"])
        wanted = parse_specification(
            body,
            input_schema=input_schema,
            identity=self._topics.identity_of(topic_id),
            function_url=lambda resource_id: self.function_urls.get(resource_id.lower()),
            now=self._cloud.clock.now(),
        )
        key = call.resource_id.lower()
        subscription = self.all.get(key)
        if subscription is None:
            if sum(one.parent == topic_id.lower() for one in self.all.values()) >= MOST_PER_TOPIC:
                raise refused(f"The limit of {MOST_PER_TOPIC} event subscriptions per topic is reached.")
            subscription = EventSubscription(
                call.resource_id, call.params["name"], _type_of(call), topic_id, topic_id.lower(), source, wanted
            )
            self.all[key] = subscription
        else:
            subscription.wanted, subscription.provisioning_state = wanted, "Updating"
        operation = self._operations.start()
        seconds = self._cloud.timings.event_grid_write
        self._cloud.clock.call_later(seconds, lambda: self._settle(subscription, wanted, operation))
        headers = self._operations.headers(call, operation, location)
        return Response(201, event_subscription_body(subscription), headers)

    async def _settle(self, subscription: EventSubscription, wanted: Specification, operation: Operation) -> None:
        """The handshake; what passed it becomes active. An update that fails leaves what was active (assumed)."""
        reason = await self._handshake(subscription, wanted)
        if subscription.wanted is not wanted or self.all.get(subscription.id.lower()) is not subscription:
            operation.status = "Canceled"  # overtaken by another write or a delete
            return
        if reason is None:
            subscription.active = wanted
            subscription.provisioning_state = operation.status = "Succeeded"
            return
        clock = self._cloud.clock
        message = failure_message(wanted.destination.url, wanted.schema, reason, self._cloud.new_uuid(), clock.now())
        subscription.provisioning_state = operation.status = "Failed"
        operation.error = {"code": "Url validation", "message": message}

    async def _handshake(self, subscription: EventSubscription, wanted: Specification) -> str | None:
        if wanted.destination.kind != "WebHook":
            return None  # Azure knows a function of its own: nothing to prove
        url = wanted.destination.url
        if wanted.schema == CLOUD_EVENT_SCHEMA:
            return await cloud_events_handshake(url, self.preflight)
        code, moment = self._cloud.new_uuid(), self._cloud.clock.now()
        return await event_grid_handshake(
            url, subscription.name, subscription.topic, code, moment, self._delivery.deliver
        )

    def get(self, call: Call) -> Response:
        return Response(200, event_subscription_body(self._found(call)))

    def full_url(self, call: Call) -> Response:
        destination = self._found(call).wanted.destination
        if destination.kind != "WebHook":
            raise refused("The full URL is known for WebHook destinations only.")  # assumed text
        return Response(200, {"endpointUrl": destination.url})

    def delete(self, call: Call) -> Response:
        subscription = self.all.get(call.resource_id.lower())
        if subscription is None:
            return Response(204)
        _, _, _, location = self._topic(call)
        self.forget(subscription)
        operation = self._operations.start()
        operation.status = "Succeeded"
        return Response(202, None, self._operations.headers(call, operation, location, deleting=True))

    def list_under(self, call: Call) -> Response:
        parent, _, _, _ = self._topic(call)
        found = [event_subscription_body(one) for one in self.all.values() if one.parent == parent.lower()]
        return listed(call, found)

    def forget(self, subscription: EventSubscription) -> None:
        """Gone, with everything that was still on its way to it."""
        subscription.active = None
        self.all.pop(subscription.id.lower(), None)

    def forget_under(self, parent: str) -> None:
        """Forget those of a topic, or of any scope within `parent` (lower-case)."""
        for subscription in list(self.all.values()):
            if subscription.parent == parent or subscription.parent.startswith(parent + "/"):
                self.forget(subscription)

    def _topic(self, call: Call) -> tuple[str, str, str, str]:
        """Id of the topic (or scope), the scope whose events it carries, its input schema and its location."""
        path = call.request.path
        scope = call.params["scope"] if "scope" in call.params else path[: path.lower().index("/eventsubscriptions")]
        key = scope.lower()
        if (custom := self._topics.custom.get(key)) is not None:
            return custom.id, key, custom.input_schema, custom.location
        if (system := self._topics.system.get(key)) is not None:
            return system.id, system.source.lower(), EVENT_GRID_SCHEMA, system.location
        if "/providers/microsoft.eventgrid/" in key:
            raise not_found(scope)
        if len(key.strip("/").split("/")) in (2, 4):  # a subscription or a resource group
            return scope, key, EVENT_GRID_SCHEMA, "global"
        raise refused(f"The source '{scope}' emits no events in this simulator.")

    def _found(self, call: Call) -> EventSubscription:
        subscription = self.all.get(call.resource_id.lower())
        if subscription is None:
            raise ArmError(404, "ResourceNotFound", "Event subscription doesn't exist.")  # assumed text
        return subscription


def _type_of(call: Call) -> str:
    if "scope" in call.params:
        return "Microsoft.EventGrid/eventSubscriptions"
    kind = "systemTopics" if "/systemtopics/" in call.request.path.lower() else "topics"
    return f"Microsoft.EventGrid/{kind}/eventSubscriptions"
