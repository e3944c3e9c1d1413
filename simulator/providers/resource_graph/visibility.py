"""Which rows a caller sees: what they may read; the rest is left out without a word (documented)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from simulator.arm.route import Principal
from simulator.providers.authorization.scopes import subscription_of

if TYPE_CHECKING:
    from simulator.cloud import Cloud


def readable(cloud: "Cloud", caller: Principal, store: str, subscriptions: Iterable[str]) -> str:
    """The rows of a store within the subscriptions that the caller may read, as SQL over the store's columns. A right
    is looked for at the subscription, then the group, then the resource."""
    wanted = {each.lower() for each in subscriptions}
    known: dict[tuple[str, str], bool] = {}

    def may(resource_type: str, scope: str) -> bool:
        found = known.get((resource_type, scope))
        if found is None:
            found = cloud.authorization.allowed(caller.object_id, f"{resource_type}/read", scope)
            known[resource_type, scope] = found
        return found

    held = cloud.kql.distinct(store, "subscriptionId", "type")
    whole = wanted & {subscription for subscription, _ in held}
    whole -= {subscription for subscription, kind in held if not may(kind, f"/subscriptions/{subscription}")}
    parts = [f"subscriptionId IN ({_listed(whole)})"] if whole else []
    partly = wanted & {subscription for subscription, _ in held} - whole
    if partly:
        single = [
            key
            for key, kind in cloud.kql.distinct(store, "_key", "type")
            if subscription_of(key) in partly
            and any(may(kind, scope) for scope in (_subscription(key), "/".join(key.split("/")[:5]), key))
        ]
        parts += [f"_key IN ({_listed(single)})"] if single else []
    return " OR ".join(parts) or "false"


def _subscription(key: str) -> str:
    return "/".join(key.split("/")[:3])


def _listed(texts: Iterable[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in sorted(texts))
