"""Lets a subscription tell the Guard about its clusters, and the Guard tell itself and others about jobs and alerts:
a system topic, a topic of its own, and an event subscription for each, over ARM."""

from collections.abc import Mapping

from demo.operator import EVENT_GRID, RESOURCES, Operator

_GROUP = "aks-backup-guard"
_TYPES = ("ResourceWriteSuccess", "ResourceDeleteSuccess", "ResourceActionSuccess")
_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
"""EventGrid Data Sender."""
_JOBS = (
    "BackupJobCompleted",
    "BackupJobCompletedWithWarnings",
    "BackupJobFailed",
    "SyntheticEvent",
)
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
    _subscribed(operator, f"{topic}/eventSubscriptions/cluster-events", wanted)


def create_topic(operator: Operator, subscription: str, sender: str) -> str:
    """The Guard's own topic, to which the principal `sender` may send. Answers its endpoint."""
    group = f"/subscriptions/{subscription}/resourceGroups/{_GROUP}"
    operator.put(group, RESOURCES, {"location": "westeurope"})
    topic = _own_topic(subscription)
    wanted = {"inputSchema": "CloudEventSchemaV1_0", "disableLocalAuth": True}
    operator.put(topic, EVENT_GRID, {"location": "westeurope", "properties": wanted})
    body = operator.wait_for(topic, EVENT_GRID, "provisioningState=Succeeded")
    operator.grant(_SENDER, sender, topic)
    return str(body["properties"]["endpoint"])


def subscribe_jobs(operator: Operator, subscription: str, webhook: str) -> None:
    """From now on the Guard hears of the jobs it publishes."""
    wanted = {
        "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": webhook}},
        "eventDeliverySchema": "CloudEventSchemaV1_0",
        "filter": {"includedEventTypes": [f"AksBackupGuard.{kind}" for kind in _JOBS]},
    }
    _subscribed(operator, f"{_own_topic(subscription)}/eventSubscriptions/job-events", wanted)


def _own_topic(subscription: str) -> str:
    group = f"/subscriptions/{subscription}/resourceGroups/{_GROUP}"
    return f"{group}/providers/Microsoft.EventGrid/topics/aks-backup-guard"


def _subscribed(operator: Operator, name: str, wanted: Mapping[str, object]) -> None:
    operator.put(name, EVENT_GRID, {"properties": wanted})
    operator.wait_for(name, EVENT_GRID, "provisioningState=Succeeded")
