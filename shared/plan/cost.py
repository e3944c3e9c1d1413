"""What protecting clusters costs a month: quantities from the profile and the cluster's disks, prices from guard.yaml,
and every line with its arithmetic. No price of Azure's is built in; what has none is counted and not reckoned.

What Azure charges for: a fee for each protected namespace, the snapshots in the subscription, and what is kept in the
vault tier by its redundancy (Azure Backup pricing page, Azure Kubernetes Service)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.fleet import Disk
from shared.domain.profile import BackupScope, Prices, ProtectionProfile

NEVER_BACKED_UP = frozenset({"kube-system", "kube-node-lease", "kube-public"})
"""Namespaces that AKS backup leaves out (AKS backup support matrix)."""

Basis = Literal["profile", "disks", "assumed", "nothing"]
"""Where a quantity comes from: guard.yaml says it, the disks show it (for namespaces: at least so many), `prices` of
guard.yaml assumes it, or nobody knows."""
Item = Literal["namespaces", "snapshots", "vault"]

BASIS_WORDS: Mapping[Basis, str] = {
    "profile": "as the profile includes them",
    "disks": "as the disks show it",
    "assumed": "assumed in guard.yaml",
    "nothing": "not known",
}


@dataclass(frozen=True, slots=True)
class CostLine:
    """`quantity` namespaces or GiB-months at `price` each; None: not known, or not given. `how` is the arithmetic in
    words and numbers."""

    item: Item
    quantity: float | None
    unit: str
    price: float | None
    basis: Basis
    how: str

    @property
    def amount(self) -> float | None:
        """A month, in the currency of the prices. Nothing of something costs nothing, whatever its price."""
        if self.quantity == 0:
            return 0.0
        return None if self.quantity is None or self.price is None else self.quantity * self.price


@dataclass(frozen=True, slots=True)
class ClusterCost:
    """One cluster's month."""

    cluster_id: str
    name: str
    profile: str
    lines: tuple[CostLine, ...]
    notes: tuple[str, ...] = ()
    """What is assumed, and what is left out."""


@dataclass(frozen=True, slots=True)
class Total:
    """Of one item over clusters: what is known of it, and of how many clusters it is not."""

    item: Item
    quantity: float
    unit: str
    price: float | None
    """None: not given, or not the same for all."""
    amount: float
    unknown: int = 0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Invoice:
    """What the clusters come to. `amount` is the sum of what could be reckoned; `complete`: that is all of it."""

    clusters: tuple[ClusterCost, ...]
    totals: tuple[Total, ...]
    amount: float
    complete: bool
    assumed: tuple[str, ...] = field(default=())


def cluster_cost(
    cluster_id: str, name: str, profile: ProtectionProfile, disks: Fact[Sequence[Disk]], prices: Prices
) -> ClusterCost:
    """The lines of one cluster. The vault's line is there when the profile keeps copies in the vault tier."""
    scope = profile.scope
    seen = [disk for disk in disks.value if _in_scope(disk, scope)] if isinstance(disks, Present) else []
    gib, gib_basis, gib_how = _volumes(seen, disks, scope, prices)
    lines = [_namespaces(seen, scope, prices), _snapshots(gib, gib_basis, gib_how, profile, prices)]
    if profile.retention.vault_days is not None:
        lines.append(_vault(gib, gib_basis, gib_how, profile, profile.retention.vault_days, prices))
    return ClusterCost(cluster_id, name, profile.name, tuple(lines), tuple(_notes(lines, disks, profile)))


def invoice(clusters: Iterable[ClusterCost]) -> Invoice:
    """All of them, summed item by item."""
    costs = tuple(clusters)
    totals = tuple(_total(item, costs) for item in ("namespaces", "snapshots", "vault") if _has(item, costs))
    assumed = dict.fromkeys(note for cost in costs for note in cost.notes)
    complete = not any(total.unknown or total.unpriced for total in totals)
    return Invoice(costs, totals, sum(total.amount for total in totals), complete, tuple(assumed))


def _namespaces(seen: Sequence[Disk], scope: BackupScope, prices: Prices) -> CostLine:
    price = prices.protected_namespace
    owning = {disk.namespace for disk in seen}
    number: int
    basis: Basis
    if scope.included_namespaces:
        number, basis = len(set(scope.included_namespaces) - set(scope.excluded_namespaces)), "profile"
        how = f"{_n(number, 'namespace')} of the profile's scope"
    elif owning:
        number, basis = len(owning), "disks"
        how = f"at least {_n(number, 'namespace')}: so many own disks; others without disks count too"
    elif prices.namespaces is not None:
        number, basis = prices.namespaces, "assumed"
        how = f"{_n(number, 'namespace')} assumed (prices.namespaces)"
    else:
        how = "how many namespaces there are is not known; give prices.namespaces, or name them in the profile's scope"
        return CostLine("namespaces", None, "namespaces", price, "nothing", how)
    return CostLine("namespaces", float(number), "namespaces", price, basis, how)


def _volumes(
    seen: Sequence[Disk], disks: Fact[Sequence[Disk]], scope: BackupScope, prices: Prices
) -> tuple[float | None, Basis, str]:
    """GiB of volumes that are backed up by snapshots."""
    if not scope.snapshot_volumes or "AzureDisk" not in scope.volume_types:
        return 0.0, "profile", "0 GiB: the profile makes no snapshots of disks"
    if isinstance(disks, Present):
        gib, number = sum(disk.gib for disk in seen), sum(disk.count for disk in seen)
        return gib, "disks", f"{gib:g} GiB in {_n(number, 'disk')}"
    if isinstance(disks, Absent):
        return 0.0, "disks", "0 GiB in 0 disks"
    if prices.volume_gib is not None:
        return prices.volume_gib, "assumed", f"{prices.volume_gib:g} GiB assumed (prices.volume_gib)"
    return None, "nothing", "the size of the volumes is not known; give prices.volume_gib"


def _snapshots(gib: float | None, basis: Basis, how: str, profile: ProtectionProfile, prices: Prices) -> CostLine:
    return _kept("snapshots", gib, basis, how, profile.retention.operational_days, prices.snapshot_gib, prices)


def _vault(
    gib: float | None, basis: Basis, how: str, profile: ProtectionProfile, days: int, prices: Prices
) -> CostLine:
    price = prices.vault_gib.get(profile.vault.redundancy)
    return _kept("vault", gib, basis, f"{how}, {profile.vault.redundancy}", days, price, prices)


def _kept(
    item: Item, gib: float | None, basis: Basis, how: str, days: int, price: float | None, prices: Prices
) -> CostLine:
    """One full copy and what changes in the days that are kept: incremental snapshots, and copies of them."""
    if gib is None:
        return CostLine(item, None, "GiB", price, basis, how)
    quantity = gib * (1 + prices.daily_change * days)
    return CostLine(
        item, quantity, "GiB", price, basis, f"{how}: {gib:g} × (1 + {prices.daily_change:g} × {days} days kept)"
    )


def _in_scope(disk: Disk, scope: BackupScope) -> bool:
    if disk.namespace in NEVER_BACKED_UP or disk.namespace in scope.excluded_namespaces:
        return False
    return not scope.included_namespaces or disk.namespace in scope.included_namespaces


def _notes(lines: Iterable[CostLine], disks: Fact[Sequence[Disk]], profile: ProtectionProfile) -> Iterable[str]:
    by_item = {line.item: line for line in lines}
    yield from (
        "A disk counts with its provisioned size; Azure charges for what is used, so snapshots cost at most this.",
        "Not in it: the storage account with the Kubernetes resources, snapshots of deleted disks, restores.",
    )
    if by_item["namespaces"].basis == "disks":
        yield "Namespaces are counted by their disks: the fee is at least this."
    if by_item["namespaces"].basis == "assumed":
        yield "Namespaces are assumed (prices.namespaces) where neither the profile nor a disk names any."
    if by_item["snapshots"].basis == "assumed":
        yield "Volumes are assumed (prices.volume_gib) where the disks could not be read."
    if isinstance(disks, Unobserved):
        yield f"Disks could not be read: {disks.reason}."
    if "AzureFileShareSMB" in profile.scope.volume_types:
        yield "Not in it: snapshots of Azure Files shares."
    if "vault" in by_item and profile.vault.soft_delete_days > 14:
        yield "Not in it: deleted copies in the vault tier beyond the 14 days of soft delete that are free."
    if "vault" in by_item and profile.vault.cross_region_restore:
        yield "Cross-region restore has a price of its own: give it as the price of the redundancy."


def _has(item: Item, costs: Iterable[ClusterCost]) -> bool:
    return any(line.item == item for cost in costs for line in cost.lines)


def _total(item: Item, costs: Iterable[ClusterCost]) -> Total:
    lines = [line for cost in costs for line in cost.lines if line.item == item]
    prices = {line.price for line in lines if line.quantity != 0}
    return Total(
        item,
        sum(line.quantity or 0.0 for line in lines),
        lines[0].unit,
        prices.pop() if len(prices) == 1 else None,
        sum(line.amount or 0.0 for line in lines),
        unknown=sum(line.quantity is None for line in lines),
        unpriced=sum(line.quantity is not None and line.amount is None for line in lines),
    )


def _n(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
