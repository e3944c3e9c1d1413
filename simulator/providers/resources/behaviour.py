"""What ARM itself does: keeps subscriptions and resource groups, registers providers, knows which resources exist."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulator.arm.operations import Operation, OperationFailed
from simulator.arm.route import Principal, Route
from simulator.providers.authorization.scopes import subscription_of
from simulator.providers.resources.models import UNSERVED, Group, Subscription, Tracked
from simulator.providers.resources.responses import deletion_blocked
from simulator.providers.resources.routes import routes

if TYPE_CHECKING:
    from simulator.cloud import Cloud

CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ROLE_BASED_ACCESS_CONTROL_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


class Resources:
    """Microsoft.Resources. Ids compare without regard to case and are answered as their creator wrote them."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._subscriptions: dict[str, Subscription] = {}
        self._groups: dict[str, dict[str, Group]] = defaultdict(dict)  # by subscription, then name
        self._tracked: dict[str, dict[str, Tracked]] = defaultdict(dict)  # by subscription, then id

    def routes(self) -> list[Route]:
        return routes()

    def subscription(self, subscription_id: str) -> Subscription | None:
        return self._subscriptions.get(subscription_id.lower())

    def subscriptions(self) -> list[Subscription]:
        return list(self._subscriptions.values())

    def add_subscription(self, subscription_id: str, display_name: str | None = None) -> Subscription:
        """A new subscription of the tenant, with the app as Contributor and Role Based Access Control Administrator
        and the operator as Owner, all in effect. One that is there already is returned as it is."""
        found = self.subscription(subscription_id)
        if found is not None:
            return found
        added = Subscription(subscription_id.lower(), display_name or f"Subscription {subscription_id[-4:]}")
        self._subscriptions[added.id] = added
        scope = f"/subscriptions/{added.id}"
        app, operator = self._cloud.identity.app.object_id, self._cloud.identity.operator.object_id
        self._cloud.authorization.grant(app, CONTRIBUTOR, scope)
        self._cloud.authorization.grant(app, ROLE_BASED_ACCESS_CONTROL_ADMINISTRATOR, scope)
        self._cloud.authorization.grant(operator, OWNER, scope)
        return added

    def namespaces(self) -> list[str]:
        """Every namespace that can be registered, in Azure's spelling."""
        return sorted({*self._cloud.front_door.routes.namespaces(), *UNSERVED})

    def registered(self, subscription_id: str, namespace: str) -> bool:
        found = self.subscription(subscription_id)
        return found is not None and found.registration_state(namespace) == "Registered"

    def register(self, subscription_id: str, namespace: str, state: str) -> None:
        """Set a registration state at once (Registered, NotRegistered and so on); for handlers and the control."""
        found = self._subscriptions[subscription_id.lower()]
        found.registrations[namespace.lower()] = state

    def change_registration(self, found: Subscription, namespace: str, during: str, after: str) -> None:
        """Registering or unregistering: `during` holds until the registration time has passed, then `after`."""
        key = namespace.lower()
        found.registrations[key] = during

        def settle() -> None:
            if found.registrations.get(key) == during:
                found.registrations[key] = after

        self._cloud.clock.call_later(self._cloud.timings.provider_registration, settle)

    def group(self, subscription_id: str, name: str) -> Group | None:
        return self._groups[subscription_id.lower()].get(name.lower())

    def groups(self, subscription_id: str) -> list[Group]:
        return list(self._groups[subscription_id.lower()].values())

    def add_group(self, subscription_id: str, name: str, location: str, managed_by: str | None = None) -> Group:
        """A new resource group, or the one that is there."""
        held, key = self._groups[subscription_id.lower()], name.lower()
        if key not in held:
            group_id = f"/subscriptions/{subscription_id}/resourceGroups/{name}"
            held[key] = Group(group_id, name, subscription_id, location, managed_by=managed_by)
        return held[key]

    def delete_group(self, group: Group, deleted_by: Principal, correlation_id: str) -> Operation:
        """Begin to delete a group with all that lies in it. When a provider will not let go of something, the
        operation ends Failed and everything stays (assumed: Azure deletes what it can)."""
        group.deleting = True

        def finish() -> None:
            refusals = [
                (resource_id, why)
                for provider in self._cloud.front_door.providers
                if (refuses := getattr(provider, "refuses_drop", None)) is not None
                for resource_id, why in refuses(group.subscription_id, group.name)
            ]
            if refusals:
                group.deleting = False
                raise OperationFailed(deletion_blocked(group.name, refusals, str(self._cloud.new_uuid())))
            self._drop(group, deleted_by, correlation_id)

        return self._cloud.operations.start(group.id, group.location, self._cloud.timings.resource_group_delete, finish)

    def _drop(self, group: Group, deleted_by: Principal, correlation_id: str) -> None:
        """Forget a group and all that lies in it, at once; every resource in it gives a delete event."""
        held = self.tracked_in(group.subscription_id, group.name)
        for provider in self._cloud.front_door.providers:
            drop = getattr(provider, "drop_group", None)
            if drop is not None and provider is not self:
                drop(group.subscription_id, group.name)
        for resource in held:
            self.forget(resource.id)
            self._tell_deleted(resource.id, f"{resource.type}/delete", deleted_by, correlation_id)
        self._groups[group.subscription_id.lower()].pop(group.name.lower(), None)
        action = "Microsoft.Resources/subscriptions/resourceGroups/delete"
        self._tell_deleted(group.id, action, deleted_by, correlation_id)

    def _tell_deleted(self, resource_id: str, action: str, principal: Principal, correlation_id: str) -> None:
        self._cloud.event_grid.resource_event(
            "Delete",
            "Success",
            resource_id,
            action,
            principal,
            status="Succeeded",
            method="DELETE",
            url=f"https://management.azure.com{resource_id}",
            correlation_id=correlation_id,
            first_create=False,
        )

    def track(
        self, resource_id: str, type: str, location: str, tags: Mapping[str, str], body: Callable[[], dict[str, Any]]
    ) -> None:
        """A provider holds a top-level resource (again): generic lists and group deletion know it from now on."""
        key = resource_id.lower()
        tracked = self._tracked[_owner(key)]
        held = tracked.get(key)
        tracked[key] = Tracked(held.id if held else resource_id, type, location, tags, body)

    def forget(self, resource_id: str) -> None:
        """The provider holds it no longer. Assumed: what was granted on it goes with it, so that a resource made again
        under the same id starts without."""
        key = resource_id.lower()
        if self._tracked[_owner(key)].pop(key, None) is not None:
            self._cloud.authorization.drop_scope(resource_id)

    def tracked(self, resource_id: str) -> Tracked | None:
        key = resource_id.lower()
        return self._tracked[_owner(key)].get(key)

    def tracked_in(self, subscription_id: str, group: str | None = None) -> list[Tracked]:
        """The tracked resources of a subscription, or of one group of it."""
        held = self._tracked[subscription_id.lower()]
        if group is None:
            return list(held.values())
        prefix = f"/subscriptions/{subscription_id}/resourcegroups/{group}/".lower()
        return [resource for key, resource in held.items() if key.startswith(prefix)]


def _owner(key: str) -> str:
    """The subscription of a lower-case id."""
    return subscription_of(key) or ""
