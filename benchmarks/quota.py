"""The token buckets a fleet shares, and the least time in which they let a number of calls through.

The sizes are the simulated Azure's own (its sources say where each is from). Every call draws from ARM's bucket of its
kind; calls to resource providers that count for themselves draw from theirs too."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.arm.path import arm_path
from simulator.arm.route import Bucket
from simulator.arm.routing import RouteTable
from simulator.arm.throttle import SIZES, kind_of
from simulator.providers.container_service.throttles import ALL_OTHER

_ALL_OTHER_AKS = Bucket("AKS, all other operations", ALL_OTHER.size, ALL_OTHER.refill_per_second)
_ARM = {kind: Bucket(f"ARM {kind}", size, refill) for kind, (size, refill) in SIZES.items()}
_AKS_OTHER = re.compile(r"/managedclusters/[^/]+/trustedaccessrolebindings", re.IGNORECASE)

_CLUSTER = "/subscriptions/{s}/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c"
_VAULT = "/subscriptions/{s}/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v"
_ACCOUNT = "/subscriptions/{s}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
_ROLES = "/providers/Microsoft.Authorization/roleAssignments"
_EXTENSIONS = f"{_CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions"
_INSTANCES = f"{_CLUSTER}/providers/Microsoft.DataProtection/backupInstances"

LEAST_CALLS = (
    # what is there already: nothing is done twice, nothing is made beside what a person made
    ("GET", _CLUSTER),
    ("GET", _EXTENSIONS),
    ("GET", f"{_CLUSTER}/trustedAccessRoleBindings"),
    ("GET", _INSTANCES),
    ("GET", f"{_CLUSTER}{_ROLES}"),
    ("GET", f"/subscriptions/{{s}}/resourceGroups/g{_ROLES}"),
    ("GET", f"{_ACCOUNT}{_ROLES}"),
    # what is made
    ("PUT", f"{_ACCOUNT}/blobServices/default/containers/c"),
    ("PUT", f"{_CLUSTER}/trustedAccessRoleBindings/b"),
    ("PUT", f"{_CLUSTER}{_ROLES}/1"),
    ("PUT", f"/subscriptions/{{s}}/resourceGroups/g{_ROLES}/2"),
    ("PUT", f"{_ACCOUNT}{_ROLES}/3"),
    ("PUT", f"{_EXTENSIONS}/e"),
    ("POST", f"{_VAULT}/validateForBackup"),
    ("PUT", f"{_VAULT}/backupInstances/i"),
    ("POST", f"{_VAULT}/backupInstances/i/backup"),
    # one look, at the right moment, at the end of each that takes time
    ("GET", f"{_CLUSTER}/trustedAccessRoleBindings"),
    ("GET", f"{_EXTENSIONS}/e"),
    ("GET", f"{_VAULT}/operationStatus/o"),
    ("GET", _INSTANCES),
    ("GET", f"{_VAULT}/operationStatus/o"),
    ("GET", f"{_VAULT}/backupJobs/j"),
    ("GET", f"{_VAULT}/backupInstances/i/recoveryPoints"),
)
"""The fewest calls that protect one cluster in a region that is ready, without asking on behalf of several at once."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The bucket that lets the calls through last, and after how many seconds; `all` by bucket, slowest first."""

    bucket: str
    seconds: float
    all: Mapping[str, float]


def least_calls(clusters_in: Mapping[str, int]) -> list[tuple[str, str]]:
    """For so many clusters in each subscription."""
    return [
        (method, path.format(s=subscription))
        for subscription, count in clusters_in.items()
        for method, path in LEAST_CALLS * count
    ]


def bound(calls: Iterable[tuple[str, str]], routes: RouteTable) -> Bound:
    """(calls - size) / refill of each bucket, for calls as (method, path)."""
    counted: Counter[tuple[str, Bucket]] = Counter()
    for (method, path), number in Counter(calls).items():
        subscription = (arm_path(path).subscription_id or "").lower()
        for bucket in _buckets(method, path, routes):
            counted[subscription, bucket] += number
    seconds: dict[str, float] = {}
    for (_, bucket), number in counted.items():
        needed = max(0.0, (number - bucket.size) / bucket.refill_per_second)
        seconds[bucket.name] = max(seconds.get(bucket.name, 0.0), needed)
    slowest = dict(sorted(seconds.items(), key=lambda item: -item[1]))
    name = next(iter(slowest))
    return Bound(name, slowest[name], slowest)


def _buckets(method: str, path: str, routes: RouteTable) -> list[Bucket]:
    drawn = [_ARM[kind_of(method)]]
    if _AKS_OTHER.search(path):
        drawn.append(_ALL_OTHER_AKS)
    own = next((match.route.bucket for match in routes.matches(path) if match.route.method == method), None)
    return [*drawn, own] if own is not None else drawn
