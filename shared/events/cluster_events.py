"""Event Grid's ARM events about AKS clusters, in either schema (Event Grid: Azure subscription as a source)."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.errors import MalformedEventError
from shared.domain.ids import ClusterId

LARGEST_EVENT = 1024 * 1024
"""Bytes: Event Grid's own limit for one event."""

What = Literal["written", "deleted", "started", "stopped", "tagged"]

TYPES = (
    "Microsoft.Resources.ResourceWriteSuccess",
    "Microsoft.Resources.ResourceDeleteSuccess",
    "Microsoft.Resources.ResourceActionSuccess",
)
"""What an event subscription lets through (Event Grid: Azure subscription as a source)."""
OPERATIONS: dict[str, What] = {
    "Microsoft.ContainerService/managedClusters/write": "written",
    "Microsoft.ContainerService/managedClusters/delete": "deleted",
    "Microsoft.ContainerService/managedClusters/start/action": "started",
    "Microsoft.ContainerService/managedClusters/stop/action": "stopped",
    "Microsoft.Resources/tags/write": "tagged",
}
"""By `data.operationName`, which the same event subscription filters by."""
_FAMILY = "microsoft.resources.resource"
_TYPES = frozenset(kind.lower() for kind in TYPES)
_OPERATIONS = {name.lower(): what for name, what in OPERATIONS.items()}
_TAGS_SUFFIX = "/providers/microsoft.resources/tags/default"


@dataclass(frozen=True, slots=True)
class ClusterChanged:
    """Something was done to a cluster; what it is like now must be read."""

    cluster: ClusterId
    what: What
    event_id: str


def parse_cluster_event(payload: str) -> ClusterChanged | None:
    """None for an event that is not about a cluster itself: a child resource, another operation, another type.
    Raises MalformedEventError, naming what is wrong, for what is no ARM event at all."""
    if len(payload.encode(errors="surrogatepass")) > LARGEST_EVENT:
        raise MalformedEventError(f"the event is larger than {LARGEST_EVENT} bytes")
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError(f"the event is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise MalformedEventError(f"the event is a JSON {type(event).__name__}, not an object")
    event_type = _text(event, "eventType" if "eventType" in event else "type")
    data = event.get("data")
    if not is_of_azure(event_type):
        return None
    if not isinstance(data, dict):
        raise MalformedEventError("the event's field data is not an object")
    what = _OPERATIONS.get(_text(data, "operationName").lower())
    if what is None or event_type.lower() not in _TYPES:
        return None
    resource = data.get("resourceUri") or event.get("subject")
    if not isinstance(resource, str):
        raise MalformedEventError("the event has neither data.resourceUri nor subject")
    arm_id = resource.lower().rstrip("/").removesuffix("/start").removesuffix("/stop").removesuffix(_TAGS_SUFFIX)
    if what == "tagged" and "/microsoft.containerservice/managedclusters/" not in arm_id:
        return None
    try:
        return ClusterChanged(ClusterId.parse(arm_id), what, str(event.get("id", ""))[:200])
    except ValueError as error:
        raise MalformedEventError(str(error)) from error


def is_of_azure(event_type: str) -> bool:
    """Whether Azure itself tells of a resource in such an event, and not the app's own topic."""
    return event_type.lower().startswith(_FAMILY)


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise MalformedEventError(f"the event's field {name} is missing or not a text")
    return value
