"""What Event Grid answers over ARM: the shapes of recorded exchanges."""

import re
from typing import Any

from simulator.eventgrid.models import CustomTopic, EventSubscription, SystemTopic

_PROVIDER = re.compile(r"/providers/[^/]+/[^/]+")


def system_topic_body(topic: SystemTopic) -> dict[str, Any]:
    return {
        "properties": {
            "provisioningState": "Succeeded",
            "source": topic.source,
            "topicType": topic.topic_type,
            "metricResourceId": topic.metric_resource_id,
        },
        "systemData": None,
        "identity": dict(topic.identity),
        "location": topic.location,
        "tags": dict(topic.tags) or None,
        "id": topic.id,
        "name": topic.name,
        "type": "Microsoft.EventGrid/systemTopics",
    }


def custom_topic_body(topic: CustomTopic) -> dict[str, Any]:
    creating = topic.provisioning_state == "Creating"
    properties: dict[str, Any] = {
        "provisioningState": topic.provisioning_state,
        "endpoint": None if creating else topic.endpoint,
        "inputSchema": topic.input_schema,
        "publicNetworkAccess": topic.public_network_access,
        "disableLocalAuth": topic.disable_local_auth,
    }
    if not creating:
        properties["metricResourceId"] = topic.metric_resource_id
    return {
        "properties": properties,
        "sku": {"name": "Basic"},
        "identity": dict(topic.identity),
        "kind": "Azure",
        "systemData": None,
        "location": topic.location,
        "tags": dict(topic.tags) or None,
        "id": topic.id,
        "name": topic.name,
        "type": "Microsoft.EventGrid/topics",
    }


def event_subscription_body(subscription: EventSubscription) -> dict[str, Any]:
    """Namespace and type of the topic are answered in lower case (recorded); the full URL only by getFullUrl."""
    return {
        "properties": {
            "topic": _PROVIDER.sub(lambda found: found.group().lower(), subscription.topic),
            "provisioningState": subscription.provisioning_state,
            **subscription.wanted.properties,
        },
        "systemData": None,
        "id": subscription.id,
        "name": subscription.name,
        "type": subscription.type,
    }
