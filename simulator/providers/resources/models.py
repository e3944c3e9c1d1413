"""What ARM itself holds: subscriptions, resource groups, and an index of the resources its providers hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

REGISTRATION_FREE = ("microsoft.resources", "microsoft.authorization", "microsoft.features")
"""Namespaces every subscription may use without registering (documented)."""

UNSERVED = (
    "Microsoft.Compute",
    "Microsoft.Features",
    "Microsoft.Kubernetes",
    "Microsoft.Network",
)
"""Namespaces a subscription can register although nothing of them is modelled; they list no resource types."""

NOT_REGISTERED_BY_DEFAULT = ("microsoft.kubernetes", "microsoft.kubernetesconfiguration", "microsoft.dataprotection")
"""A new subscription here lacks what protection needs; the rest is Registered, as in a subscription in use."""


@dataclass(slots=True)
class Subscription:
    """`registrations` holds the registration state of the namespaces (lower case) that ever differed from default."""

    id: str
    display_name: str
    tags: dict[str, str] = field(default_factory=dict)
    registrations: dict[str, str] = field(default_factory=dict)

    def registration_state(self, namespace: str) -> str:
        """Registered, Registering, NotRegistered, Unregistering or Unregistered."""
        key = namespace.lower()
        if key in REGISTRATION_FREE:
            return "Registered"
        return self.registrations.get(key, "NotRegistered" if key in NOT_REGISTERED_BY_DEFAULT else "Registered")


@dataclass(slots=True)
class Group:
    """A resource group. `deleting` lasts from the DELETE until everything in it is gone."""

    id: str
    name: str
    subscription_id: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    managed_by: str | None = None
    deleting: bool = False


@dataclass(frozen=True, slots=True)
class Tracked:
    """A top-level resource some provider holds. `body` gives its JSON as of now."""

    id: str
    type: str
    location: str
    tags: Mapping[str, str]
    body: Callable[[], dict[str, Any]]

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]
