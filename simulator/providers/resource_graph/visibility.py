"""Which rows a caller sees: what they may read; the rest is left out without a word (documented)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from simulator.arm.route import Principal
from simulator.providers.resource_graph.scope import Scope

if TYPE_CHECKING:
    from simulator.cloud import Cloud


def readable(cloud: "Cloud", caller: Principal, store: str, scope: Scope) -> str:
    """The rows of a store within the scope that the caller may read, as SQL over the store's columns. A right is looked
    for at the subscription, then the group, then the resource."""
    known: dict[tuple[str, str], bool] = {}

    def may(resource_type: str, at: str) -> bool:
        found = known.get((resource_type, at))
        if found is None:
            found = cloud.authorization.allowed(caller.object_id, f"{resource_type}/read", at)
            known[resource_type, at] = found
        return found

    held = cloud.kql.distinct(store, "subscriptionId", "type")
    present = {subscription for subscription, _ in held if subscription}
    denied = {subscription for subscription, kind in held if not may(kind, f"/subscriptions/{subscription}")}
    whole = scope.subscriptions & present - denied
    parts = [f"subscriptionId IN ({_listed(whole)})"] if whole else []
    single = [
        key
        for subscription in sorted(scope.subscriptions & present & denied)
        for key, kind in cloud.kql.keys(store, "subscriptionId", subscription, "type")
        if any(may(kind, at) for at in (_subscription(key), "/".join(key.split("/")[:5]), key))
    ]
    if ("" in {subscription for subscription, _ in held}) and (scope.groups or scope.above):
        single += _outside(cloud, caller, store, scope)
    parts += [f"_key IN ({_listed(single)})"] if single else []
    return " OR ".join(parts) or "false"


def _outside(cloud: "Cloud", caller: Principal, store: str, scope: Scope) -> list[str]:
    """Rows that lie in no subscription: management groups, and what is granted at them. Assumed: such a grant is read
    with the right at a subscription below, as a list of role assignments there shows it."""
    places = [f"/subscriptions/{each}" for each in scope.subscriptions]
    return [
        key
        for key, kind in cloud.kql.keys(store, "subscriptionId", "", "type")
        if scope.holds(key)
        and any(
            cloud.authorization.allowed(caller.object_id, f"{kind}/read", at)
            for at in (key, *(places if kind == "microsoft.authorization/roleassignments" else ()))
        )
    ]


def _subscription(key: str) -> str:
    return "/".join(key.split("/")[:3])


def _listed(texts: Iterable[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in sorted(texts))
