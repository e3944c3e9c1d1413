"""Where Microsoft.EventGrid answers."""

from simulator.arm.route import Call, Handler, Route
from simulator.eventgrid.event_subscriptions import EventSubscriptions
from simulator.eventgrid.operations import Operations
from simulator.eventgrid.topics import Topics
from simulator.http import Response

_PREVIEWS = {
    "2020-10-15-preview",
    "2021-06-01-preview",
    "2021-10-15-preview",
    "2023-06-01-preview",
    "2023-12-15-preview",
    "2024-06-01-preview",
    "2024-12-15-preview",
    "2025-04-01-preview",
}
SYSTEM_TOPIC_VERSIONS = frozenset({"2021-12-01", "2022-06-15", "2025-02-15"} | _PREVIEWS)
TOPIC_VERSIONS = SYSTEM_TOPIC_VERSIONS | {"2018-01-01", "2019-01-01", "2019-06-01", "2020-06-01"}
NESTED_VERSIONS = frozenset({"2022-06-15", "2025-02-15"} | _PREVIEWS)  # topics/eventSubscriptions came later

_SUBSCRIPTION = "/subscriptions/{subscription_id}"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}"
_PROVIDER = "/providers/Microsoft.EventGrid"


def routes(
    topics: Topics, subscriptions: EventSubscriptions, operations: Operations, delete_topic: Handler
) -> list[Route]:
    """Every ARM route of the provider."""
    system, custom = _GROUP + _PROVIDER + "/systemTopics", _GROUP + _PROVIDER + "/topics"
    found = [
        Route("PUT", system + "/{topic}", SYSTEM_TOPIC_VERSIONS, topics.put_system),
        Route("GET", system + "/{topic}", SYSTEM_TOPIC_VERSIONS, topics.get_system),
        Route("PATCH", system + "/{topic}", SYSTEM_TOPIC_VERSIONS, topics.patch_system),
        Route("DELETE", system + "/{topic}", SYSTEM_TOPIC_VERSIONS, delete_topic),
        Route("PUT", custom + "/{topic}", TOPIC_VERSIONS, topics.put_custom),
        Route("GET", custom + "/{topic}", TOPIC_VERSIONS, topics.get_custom),
        Route("PATCH", custom + "/{topic}", TOPIC_VERSIONS, topics.patch_custom),
        Route("DELETE", custom + "/{topic}", TOPIC_VERSIONS, delete_topic),
        Route("POST", custom + "/{topic}/listKeys", TOPIC_VERSIONS, topics.list_keys),
        Route("POST", custom + "/{topic}/regenerateKey", TOPIC_VERSIONS, topics.regenerate_key),
    ]
    for scope in (_SUBSCRIPTION, _GROUP):
        found.append(Route("GET", scope + _PROVIDER + "/systemTopics", SYSTEM_TOPIC_VERSIONS, topics.list_system))
        found.append(Route("GET", scope + _PROVIDER + "/topics", TOPIC_VERSIONS, topics.list_custom))
    for parent, versions in (
        (system + "/{topic}", SYSTEM_TOPIC_VERSIONS),
        (custom + "/{topic}", NESTED_VERSIONS),
        ("{scope*}" + _PROVIDER, TOPIC_VERSIONS),
    ):
        found += _event_subscriptions(parent + "/eventSubscriptions", versions, subscriptions)
    for place in (_PROVIDER, _PROVIDER + "/locations/{location}"):
        root = _SUBSCRIPTION + place
        found.append(Route("GET", root + "/operationsStatus/{operation_id}", TOPIC_VERSIONS, operations.status))
        found.append(Route("GET", root + "/operationResults/{operation_id}", TOPIC_VERSIONS, operations.result))
    return found


def _event_subscriptions(root: str, versions: frozenset[str], subscriptions: EventSubscriptions) -> list[Route]:
    one = root + "/{name}"
    return [
        Route("GET", root, versions, subscriptions.list_under),
        Route("PUT", one, versions, subscriptions.put),
        Route("GET", one, versions, subscriptions.get),
        Route("PATCH", one, versions, subscriptions.patch),
        Route("DELETE", one, versions, subscriptions.delete),
        Route("POST", one + "/getFullUrl", versions, subscriptions.full_url),
        Route("POST", one + "/getDeliveryAttributes", versions, _no_attributes),
    ]


def _no_attributes(_call: Call) -> Response:
    """Delivery attributes are refused on the way in, so there are none."""
    return Response(200, {"value": []})
