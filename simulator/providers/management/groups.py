"""Management groups: which subscriptions lie below which. They are made by control order only; Microsoft.Management
answers no call of ARM here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulator.providers.authorization.scopes import normalised, subscription_of

if TYPE_CHECKING:
    from simulator.cloud import Cloud

GROUP_TYPE = "Microsoft.Management/managementGroups"
DEEPEST = 6  # documented: levels below the root
_ROOT_NAME = "Tenant Root Group"


@dataclass(slots=True)
class ManagementGroup:
    """`parent` is None for the root only, whose name is the tenant's id (documented)."""

    name: str
    display_name: str
    parent: "ManagementGroup | None"
    updated: datetime

    @property
    def id(self) -> str:
        return f"/providers/{GROUP_TYPE}/{self.name}"

    def chain(self) -> Iterator["ManagementGroup"]:
        """This group and those above it, the root last."""
        here: ManagementGroup | None = self
        while here is not None:
            yield here
            here = here.parent


class ManagementGroups:
    """The tree. A subscription that was put nowhere lies below the root."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.root = ManagementGroup(cloud.identity.tenant_id, _ROOT_NAME, None, cloud.clock.now())
        self._groups = {self.root.name.lower(): self.root}
        self._parents: dict[str, ManagementGroup] = {}

    def all(self) -> list[ManagementGroup]:
        return list(self._groups.values())

    def get(self, name: str) -> ManagementGroup | None:
        return self._groups.get(name.lower())

    def put(
        self, name: str, display_name: str | None, parent: ManagementGroup | None, subscriptions: Sequence[str]
    ) -> ManagementGroup:
        """Make or change a group, and move the subscriptions to it. Raises ValueError for a tree that cannot be."""
        found, above = self.get(name), parent or self.root
        if found is self.root or (found is not None and found in above.chain()):
            raise ValueError("a management group cannot lie below itself")
        if sum(1 for _ in above.chain()) > DEEPEST:
            raise ValueError(f"the tree is at most {DEEPEST} levels deep")
        if found is None:
            found = self._groups[name.lower()] = ManagementGroup(name, display_name or name, above, _now(self._cloud))
        elif parent is not None:
            found.parent = parent
        found.display_name, found.updated = display_name or found.display_name, _now(self._cloud)
        for subscription in subscriptions:
            self._parents[subscription.lower()] = found
            self._cloud.resource_graph.told(f"/subscriptions/{subscription}")
        for group in self.all():  # what lies below has another chain now
            if found in group.chain():
                self._cloud.resource_graph.told(group.id)
        for moved in (subscription for subscription, above in self._parents.items() if found in above.chain()):
            self._cloud.resource_graph.told(f"/subscriptions/{moved}")
        return found

    def above(self, subscription_id: str) -> list[ManagementGroup]:
        """The groups above a subscription, its own first, the root last."""
        return list(self._parents.get(subscription_id.lower(), self.root).chain())

    def subscriptions_below(self, name: str) -> list[str]:
        """The subscriptions in a group and in those below it."""
        wanted = self.get(name)
        return [each.id for each in self._cloud.resources.subscriptions() if wanted in self.above(each.id)]

    def ancestors(self, scope: str) -> list[str]:
        """Scopes of the management groups above a scope, lower-case, where what is granted counts for it."""
        subscription = subscription_of(scope)
        if subscription is not None:
            return [normalised(group.id) for group in self.above(subscription)]
        prefix = normalised(f"/providers/{GROUP_TYPE}/")
        inner = normalised(scope)
        group = self.get(inner.removeprefix(prefix + "/").partition("/")[0]) if inner.startswith(prefix + "/") else None
        return [] if group is None else [normalised(each.id) for each in group.chain()]


def chain_json(groups: Sequence[ManagementGroup]) -> list[dict[str, Any]]:
    """`managementGroupAncestorsChain`: the immediate parent first (documented)."""
    return [{"displayName": group.display_name, "name": group.name} for group in groups]


def group_row(group: ManagementGroup, tenant_id: str) -> dict[str, Any]:
    """The body of a group's row in Resource Graph. Documented: displayName, and the chain in `details`; the rest as the
    REST operation Management Groups - Get shapes a group."""
    _, *above = group.chain()
    parent = {"displayName": above[0].display_name, "id": above[0].id, "name": above[0].name} if above else None
    details = {
        "version": 1,
        "updatedTime": group.updated.isoformat(),
        "updatedBy": "",
        "parent": parent,
        "managementGroupAncestorsChain": chain_json(above),
    }
    return {
        "name": group.name,
        "properties": {"tenantId": tenant_id, "displayName": group.display_name, "details": details},
    }


def _now(cloud: "Cloud") -> datetime:
    return cloud.clock.now()
