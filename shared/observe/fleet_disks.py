"""The disks of clusters' volumes, from Resource Graph: what their claims' namespaces are and how large they are.

The disk driver makes them in the cluster's node resource group and tags them. A disk that somebody made by hand, or
that a storage class puts into another group, is not among them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from shared.arm.client import ArmClient
from shared.arm.resource_graph import query
from shared.domain.fleet import Disk
from shared.domain.ids import ClusterId
from shared.observe.fields import needed_text, number, text
from shared.observe.queries import disks_in_graph, node_groups_in_graph


async def read_disks(arm: ArmClient, subscriptions: Sequence[str]) -> Mapping[ClusterId, tuple[Disk, ...]]:
    """Every cluster of the subscriptions with its disks, one entry a namespace; empty when it has none. Raises
    GuardError and UnreadableBodyError: an answer with holes would look like a lower price."""
    clusters = await query(arm, node_groups_in_graph(), subscriptions)
    disks = await query(arm, disks_in_graph(), subscriptions)
    by_group: dict[tuple[str, str], dict[str, Disk]] = defaultdict(dict)
    for row in disks:
        namespace, gib = needed_text(row, "namespace"), number(row, "gib")
        known = by_group[needed_text(row, "subscriptionId").lower(), needed_text(row, "nodeGroup")]
        before = known.get(namespace, Disk(namespace, 0.0, 0))
        known[namespace] = Disk(namespace, before.gib + gib, before.count + 1)
    found: dict[ClusterId, tuple[Disk, ...]] = {}
    for row in clusters:
        cluster = ClusterId.parse(needed_text(row, "id"))
        own = by_group.get((cluster.subscription_id, text(row, "nodeGroup")), {})
        found[cluster] = tuple(own[name] for name in sorted(own))
    return found
