"""ARM ids. Azure compares them without regard to case, so these keep them lower-case."""

import hashlib
import re
from dataclasses import dataclass

_CLUSTER = re.compile(
    r"/subscriptions/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"/resourcegroups/(?!\.+/)([\w.()-]{1,90})"
    r"/providers/microsoft\.containerservice/managedclusters/(?!\.+$)([\w.()-]{1,63})",
)
"""No name is dots alone: in a path they would lead elsewhere."""


@dataclass(frozen=True, slots=True, order=True)
class ClusterId:
    """An AKS cluster. The names are lower-case; `ObservedCluster` knows how Azure spells them."""

    subscription_id: str
    resource_group: str
    name: str

    @classmethod
    def parse(cls, arm_id: str) -> "ClusterId":
        """Raises ValueError when `arm_id` is not the ARM id of a managed cluster."""
        match = _CLUSTER.fullmatch(arm_id.strip().rstrip("/").lower())
        if not match:
            raise ValueError(f"not the ARM id of an AKS cluster: {arm_id[:300]!r}")
        return cls(*match.groups())

    @property
    def arm_id(self) -> str:
        return (
            f"/subscriptions/{self.subscription_id}/resourcegroups/{self.resource_group}"
            f"/providers/microsoft.containerservice/managedclusters/{self.name}"
        )

    @property
    def key(self) -> str:
        return self.arm_id

    def __str__(self) -> str:
        return self.arm_id


@dataclass(frozen=True, slots=True, order=True)
class RegionId:
    """What the clusters of one subscription and region share, by vault class: vault, account, groups, policies."""

    subscription_id: str
    location: str
    vault_class: str

    @classmethod
    def parse(cls, key: str) -> "RegionId":
        """Raises ValueError when `key` is not `subscription|location|vault class`."""
        parts = key.lower().split("|")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"not a region key (subscription|location|vault class): {key[:300]!r}")
        return cls(*parts)

    @property
    def key(self) -> str:
        return f"{self.subscription_id}|{self.location}|{self.vault_class}"

    def __str__(self) -> str:
        return self.key


Subject = ClusterId | RegionId
"""What one pass of the loop is about."""


def parse_subject(key: str) -> Subject:
    """The inverse of `.key`. Raises ValueError."""
    return ClusterId.parse(key) if key.startswith("/") else RegionId.parse(key)


def row_key(key: str) -> str:
    """SHA-256 hex of the lower-cased key: ARM ids hold characters that Table Storage keys may not."""
    return hashlib.sha256(key.lower().encode()).hexdigest()


def subscription_of(arm_id: str) -> str:
    """The subscription an ARM id lies in. Raises ValueError when it names none."""
    parts = arm_id.split("/")
    if len(parts) < 3 or parts[1].lower() != "subscriptions" or not parts[2]:
        raise ValueError(f"no subscription in the ARM id {arm_id[:300]!r}")
    return parts[2].lower()


def same_id(one: str, other: str) -> bool:
    """Whether two ARM ids name the same resource."""
    return one == other or one.rstrip("/").lower() == other.rstrip("/").lower()
