"""Delivery: at least once, in no order, with the documented retries and dead-lettering; the same for every topic."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulator.eventgrid.events import Event, timestamp
from simulator.eventgrid.handshake import ORIGIN
from simulator.eventgrid.models import (
    CLOUD_EVENT_SCHEMA,
    DeadLetter,
    DeadLetterDestination,
    EventSubscription,
    Specification,
)
from simulator.eventgrid.retries import Outcome, outcome_of, wait_before_retry
from simulator.eventgrid.storage_queues import StorageQueues
from simulator.eventgrid.webhooks import Answer, Deliver, Unanswered, Webhooks

if TYPE_CHECKING:
    from simulator.cloud import Cloud

REORDER_WINDOW = 10.0  # seconds (Azure's) over which reordered events are spread
DEAD_LETTER_DELAY = 300.0  # documented: five minutes
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_BLOB_RIGHTS = (f"{_BLOBS}/write", f"{_BLOBS}/add/action")

Chance = float | bool


@dataclass(slots=True)
class Disturbances:
    """What may be done to deliveries on request. Chances are true, false or a probability; seconds are Azure's."""

    duplicate: Chance = False
    reorder: bool = False
    delay_seconds: float = 0.0
    lose: Chance = False


@dataclass(slots=True)
class _Parcel:
    """One event on its way to one subscription."""

    event: Event
    subscription: EventSubscription
    published: datetime
    expires: datetime
    attempts: int = 0
    last_attempt: datetime | None = None
    last: Outcome | None = None


class Delivery:
    """Sends events and remembers what could not be delivered. `deliver` may be replaced."""

    def __init__(self, cloud: "Cloud", webhooks: Webhooks) -> None:
        self._cloud = cloud
        self.deliver: Deliver = webhooks.deliver
        self.storage_queues = StorageQueues(cloud)
        self.disturbances = Disturbances()
        self.dead_letters: list[DeadLetter] = []

    def send(self, event: Event, subscription: EventSubscription) -> None:
        """Put an event on its way to an active subscription. Returns before anything is sent."""
        active, clock = subscription.active, self._cloud.clock
        if active is None or self._happens(self.disturbances.lose):
            return
        for _ in range(2 if self._happens(self.disturbances.duplicate) else 1):
            expires = clock.after(active.time_to_live_minutes * 60)
            parcel = _Parcel(event, subscription, clock.now(), expires)
            delay = self.disturbances.delay_seconds
            if self.disturbances.reorder:
                delay += self._cloud.random.uniform(0, REORDER_WINDOW)
            self._attempt_after(delay, parcel)

    def _happens(self, chance: Chance) -> bool:
        return chance is True or (chance is not False and self._cloud.random.random() < chance)

    def _attempt_after(self, seconds: float, parcel: _Parcel) -> None:
        self._cloud.clock.call_later(seconds, lambda: self._attempt(parcel))

    async def _attempt(self, parcel: _Parcel) -> None:
        active = parcel.subscription.active
        if active is None:
            return  # deleted meanwhile: nobody waits for it
        # The time to live is looked at when an attempt is due, not in between.
        if parcel.attempts and self._cloud.clock.now() >= parcel.expires:
            self._give_up(parcel, active, "TimeToLiveExceeded")
            return
        parcel.attempts += 1
        parcel.last_attempt = self._cloud.clock.now()
        try:
            status, _, _ = await self._sent(parcel, active)
            parcel.last = outcome_of(status)
        except TimeoutError:
            parcel.last = Outcome(None, "TimedOut")
        except Unanswered:
            parcel.last = Outcome(None, "SocketError")  # assumed name
        if parcel.last.delivered:
            return
        wait = wait_before_retry(parcel.last, parcel.attempts, active.destination.kind)
        if wait is None:
            self._give_up(parcel, active, f"UndeliverableDueToHttp{parcel.last.name}")
        elif parcel.attempts >= active.max_delivery_attempts:
            self._give_up(parcel, active, "MaxDeliveryAttemptsExceeded")
        else:
            self._attempt_after(wait, parcel)

    async def _sent(self, parcel: _Parcel, active: Specification) -> Answer:
        if active.destination.kind == "StorageQueue":
            event = json.dumps(parcel.event.rendered(active.schema)).encode()  # one object in either schema (assumed)
            return await self.storage_queues.put(active.destination, event, self.deliver)
        headers, body = _message(parcel, active.schema)
        return await self.deliver(active.destination.url, headers, body)

    def _give_up(self, parcel: _Parcel, active: Specification, reason: str) -> None:
        """Without a dead-letter destination the event is gone, as in Azure."""
        destination = active.dead_letter
        if destination is None or not self._may_leave(destination):
            return
        event = parcel.event.rendered(active.schema) | _epitaph(parcel, reason, active.schema)

        def store() -> None:
            now = self._cloud.clock.now()
            name = parcel.subscription.name.upper()
            blob = f"{name}/{now.year}/{now.month}/{now.day}/{now.hour}/{self._cloud.new_uuid()}.json"
            self.dead_letters.append(
                DeadLetter(parcel.subscription.id, destination.resource_id, destination.container, blob, event)
            )

        self._cloud.clock.call_later(DEAD_LETTER_DELAY, store)

    def _may_leave(self, destination: DeadLetterDestination) -> bool:
        """Whether the identity may write the blob. If not, Azure tries for four hours and then drops the event
        (documented); here it is dropped at once."""
        if destination.principal_id is None:
            return True
        container = f"{destination.resource_id}/blobServices/default/containers/{destination.container}"
        return self._cloud.identity.principal_exists(destination.principal_id) and any(
            self._cloud.authorization.allowed(destination.principal_id, right, container, data=True)
            for right in _BLOB_RIGHTS
        )


def _message(parcel: _Parcel, schema: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of one attempt. Events go one by one, whatever batch size the subscription allows (it is an
    upper bound); in the Event Grid schema one event is still an array."""
    body = parcel.event.rendered(schema)
    headers = {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": parcel.subscription.name.upper(),
        "aeg-delivery-count": str(parcel.attempts - 1),  # those before this one
        "aeg-output-event-id": parcel.event.id,
    }
    if schema == CLOUD_EVENT_SCHEMA:
        headers |= {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "aeg-metadata-version": "1.0",
            "WebHook-Request-Origin": ORIGIN,
        }
        return headers, json.dumps(body).encode()
    headers |= {
        "Content-Type": "application/json; charset=utf-8",
        "aeg-data-version": str(body.get("dataVersion", "")),
        "aeg-metadata-version": str(body.get("metadataVersion", "1")),
    }
    return headers, json.dumps([body]).encode()


def _epitaph(parcel: _Parcel, reason: str, schema: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "deadLetterReason": reason,
        "deliveryAttempts": parcel.attempts,
        "lastDeliveryOutcome": parcel.last.name if parcel.last else None,
        "publishTime": timestamp(parcel.published),
        "lastDeliveryAttemptTime": timestamp(parcel.last_attempt) if parcel.last_attempt else None,
    }
    if parcel.last and parcel.last.status is not None:
        facts["lastHttpStatusCode"] = parcel.last.status
    # CloudEvents allow only lower-case names for extension attributes.
    return {name.lower(): value for name, value in facts.items()} if schema == CLOUD_EVENT_SCHEMA else facts
