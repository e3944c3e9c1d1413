"""What Event Grid holds: topics and event subscriptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.eventgrid.filters import Filter

EVENT_GRID_SCHEMA = "EventGridSchema"
CLOUD_EVENT_SCHEMA = "CloudEventSchemaV1_0"


@dataclass(slots=True)
class SystemTopic:
    """Where Azure's own events about `source` (a subscription or a resource group) come out."""

    id: str
    name: str
    location: str
    tags: Mapping[str, str]
    source: str
    topic_type: str
    metric_resource_id: str
    identity: Mapping[str, Any]


@dataclass(slots=True)
class CustomTopic:
    """A topic applications publish to, at `endpoint`, in one input schema."""

    id: str
    name: str
    location: str
    tags: Mapping[str, str]
    input_schema: str
    endpoint: str
    disable_local_auth: bool
    public_network_access: str
    keys: dict[str, str]
    metric_resource_id: str
    identity: Mapping[str, Any]
    provisioning_state: str = "Creating"


@dataclass(frozen=True, slots=True)
class Destination:
    """`kind` is WebHook, AzureFunction or StorageQueue. `resource_id` is the function's or the storage account's, None
    for a webhook; `url` is "" for a queue. `principal_id` is the topic's identity that Event Grid delivers as."""

    kind: str
    url: str
    resource_id: str | None = None
    queue: str = ""
    message_seconds: int = -1
    principal_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterDestination:
    """A blob container, named as the subscription names it; `principal_id` is the topic's identity that writes there,
    None when Event Grid does so in its own name."""

    resource_id: str
    container: str
    principal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Specification:
    """What an event subscription asks for. `properties` is the accepted body, as answered again."""

    destination: Destination
    filter: Filter
    schema: str
    max_delivery_attempts: int
    time_to_live_minutes: int
    dead_letter: DeadLetterDestination | None
    expires: datetime | None
    properties: Mapping[str, Any]


@dataclass(slots=True)
class EventSubscription:
    """`source` is the lower-case scope whose events it wants; `parent` the lower-case id of its topic or scope.
    `wanted` is what the last PUT said, `active` what passed its handshake and is delivered to."""

    id: str
    name: str
    type: str
    topic: str
    parent: str
    source: str
    wanted: Specification
    provisioning_state: str = "Creating"
    active: Specification | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that could not be delivered, as it lies in the blob container."""

    subscription_id: str
    resource_id: str
    container: str
    blob: str
    event: Mapping[str, Any] = field(default_factory=dict)
