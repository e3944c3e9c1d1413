"""The nodes of a cluster: which pools are asked for, what changes in them, and which node can hold a pod."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simulator.control.fields import BadField, Fields
from simulator.providers.container_service.models import Cluster, is_arm64

MOST_NODES = 1_000  # of a pool; documented
_MOST_POOLS = 100  # of a cluster; documented


def asked_pools(overrides: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The agent pools of a cluster that is made to order: `node_pools`, or one pool of `node_count` nodes of
    `node_size`. Raises BadField."""
    given = Fields(overrides, "overrides.")
    pools = given.items("node_pools", most=_MOST_POOLS)
    size, count = given.text("node_size"), given.whole("node_count", least=0, most=MOST_NODES)
    if pools is not None:
        found = [_pool(one, size, count) for one in pools]
        if not found or len({pool["name"].lower() for pool in found}) != len(found):
            raise BadField("overrides.node_pools", "must be pools with names that differ from each other")
        return found
    pool: dict[str, Any] = {"name": "nodepool1", "count": 3 if count is None else count, "osType": "Linux"}
    pool["vmSize"] = size or "Standard_D4s_v5"
    if overrides.get("windows_only"):  # AKS wants a Linux system pool; this stands for one the extension cannot use
        pool |= {"name": "npwin", "osType": "Windows", "osSKU": "Windows2022"}
    if overrides.get("arm64_only"):
        pool["vmSize"] = "Standard_D4ps_v6"
    return [pool]


def _pool(given: Fields, size: str | None, count: int | None) -> dict[str, Any]:
    """One of `node_pools`, in ARM's own words (agentPoolProfiles)."""
    own = given.whole("count", least=0, most=MOST_NODES)
    fields: dict[str, Any] = {
        "name": given.required_text("name"),
        "vmSize": given.text("vmSize") or size,
        "count": own if own is not None else count,
        "osType": given.text("osType", among=("Linux", "Windows")),
        "mode": given.text("mode", among=("System", "User")),
        "nodeImageVersion": given.text("nodeImageVersion"),
        "orchestratorVersion": given.text("orchestratorVersion"),
        "nodeTaints": given.texts("nodeTaints", most=100),
        "nodeLabels": given.mapping("nodeLabels") or None,
        "enableAutoScaling": given.flag("enableAutoScaling"),
        "minCount": given.whole("minCount", least=0, most=MOST_NODES),
        "maxCount": given.whole("maxCount", least=0, most=MOST_NODES),
    }
    given.finish()
    return {name: value for name, value in fields.items() if value is not None}


def changed_pools(
    pools: Iterable[Mapping[str, Any]], only: str | None, changes: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The pools after a change of one of them, or of all."""
    wanted = None if only is None else only.lower()
    return [{**pool, **(changes if wanted in (None, pool["name"].lower()) else {})} for pool in pools]


def largest_node_mi(cluster: Cluster, memory_mi: Callable[[str], float | None]) -> float:
    """The memory in Mi of the largest node that can hold a pod of the extension; 0 when there is none, infinite when a
    size is not known. Assumed: the pod tolerates no taint, and a node has all of its size's memory to give away."""
    sizes = [str(pool["vmSize"]) for pool in cluster.properties["agentPoolProfiles"] if _takes_pods(pool)]
    return max((float("inf") if (found := memory_mi(size)) is None else found for size in sizes), default=0.0)


def _takes_pods(pool: Mapping[str, Any]) -> bool:
    tainted = any(str(taint).endswith((":NoSchedule", ":NoExecute")) for taint in pool.get("nodeTaints") or ())
    grows = pool.get("enableAutoScaling") and (pool.get("maxCount") or 0) > 0
    x86_linux = pool.get("osType", "Linux") == "Linux" and not is_arm64(str(pool.get("vmSize", "")))
    return x86_linux and not tainted and bool(pool.get("count", 1) or grows)
