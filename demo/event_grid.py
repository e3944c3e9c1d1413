"""Lets a subscription tell the Guard about its clusters: a system topic and one event subscription, over ARM."""

from demo.operator import EVENT_GRID, RESOURCES, Operator

_GROUP = "aks-backup-guard"
_TYPES = ("ResourceWriteSuccess", "ResourceDeleteSuccess", "ResourceActionSuccess")
_CLUSTERS = "Microsoft.ContainerService/managedClusters"
_OPERATIONS = (
    f"{_CLUSTERS}/write",
    f"{_CLUSTERS}/delete",
    f"{_CLUSTERS}/start/action",
    f"{_CLUSTERS}/stop/action",
    "Microsoft.Resources/tags/write",
)


def subscribe(operator: Operator, subscription: str, webhook: str) -> None:
    """Returns when Event Grid has shaken hands with the webhook and delivers."""
    group = f"/subscriptions/{subscription}/resourceGroups/{_GROUP}"
    topic = f"{group}/providers/Microsoft.EventGrid/systemTopics/aks-backup-guard"
    operator.put(group, RESOURCES, {"location": "westeurope"})
    source = {"source": f"/subscriptions/{subscription}", "topicType": "Microsoft.Resources.Subscriptions"}
    operator.put(topic, EVENT_GRID, {"location": "global", "properties": source})
    wanted = {
        "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": webhook}},
        "eventDeliverySchema": "EventGridSchema",
        "filter": {
            "includedEventTypes": [f"Microsoft.Resources.{kind}" for kind in _TYPES],
            "advancedFilters": [
                {"operatorType": "StringIn", "key": "data.operationName", "values": list(_OPERATIONS)},
            ],
        },
    }
    name = f"{topic}/eventSubscriptions/cluster-events"
    operator.put(name, EVENT_GRID, {"properties": wanted})
    operator.wait_for(name, EVENT_GRID, "provisioningState=Succeeded")
