"""What Microsoft.Storage remembers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Container:
    """A blob container. `properties` is what the caller set (metadata, publicAccess)."""

    id: str
    name: str
    properties: dict[str, Any]
    etag: str
    last_modified: datetime


@dataclass(slots=True)
class Account:
    """A storage account. `properties` is what the caller set, echoed as it came; `containers` by lower-case
    name; `items` holds the bodies of its queues and tables, by kind and lower-case name."""

    id: str
    name: str
    location: str
    subscription_id: str
    resource_group: str
    sku: dict[str, Any]
    kind: str
    tags: dict[str, str]
    identity: dict[str, Any] | None
    properties: dict[str, Any]
    created: datetime
    provisioning_state: str = "Creating"
    containers: dict[str, Container] = field(default_factory=dict)
    items: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
