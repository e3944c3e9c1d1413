"""The arithmetic of `cost`, against numbers reckoned by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.facts import UNOBSERVED, Absent, Present
from shared.domain.fleet import Disk
from shared.domain.profile import BackupScope, Prices, ProtectionProfile, Retention, VaultSettings
from shared.plan.cost import ClusterCost, CostLine, cluster_cost, invoice

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PRICES = Prices(
    "EUR", protected_namespace=5.0, snapshot_gib=0.05, vault_gib={"GeoRedundant": 0.04, "LocallyRedundant": 0.02}
)
SHOP = (Disk("shop", 100.0, 2), Disk("billing", 32.0), Disk("kube-system", 8.0))


def profile(**changes: Any) -> ProtectionProfile:
    return replace(ProtectionProfile("standard", VaultSettings("On"), retention=Retention(7, 90)), **changes)


def cost(disks: Any = Present(SHOP, NOW), prices: Prices = PRICES, **changes: Any) -> ClusterCost:  # noqa: B008
    return cluster_cost("/clusters/a", "a", profile(**changes), disks, prices)


def line(of: ClusterCost, item: str) -> CostLine:
    [found] = [each for each in of.lines if each.item == item]
    return found


def test_a_cluster_by_hand() -> None:
    """Two namespaces with disks (kube-system is never backed up): 2 × 5 = 10. 132 GiB: snapshots
    132 × (1 + 0.02 × 7) = 150.48 GiB at 0.05 = 7.524; vault 132 × (1 + 0.02 × 90) = 369.6 GiB at 0.04 = 14.784."""
    reckoned = cost()

    assert (line(reckoned, "namespaces").quantity, line(reckoned, "namespaces").amount) == (2, 10)
    assert line(reckoned, "snapshots").quantity == pytest.approx(150.48)
    assert line(reckoned, "snapshots").amount == pytest.approx(7.524)
    assert line(reckoned, "vault").quantity == pytest.approx(369.6)
    assert line(reckoned, "vault").amount == pytest.approx(14.784)
    assert "132 GiB in 3 disks: 132 × (1 + 0.02 × 7 days kept)" in line(reckoned, "snapshots").how
    assert "at least 2 namespaces" in line(reckoned, "namespaces").how
    total = invoice([reckoned])
    assert total.amount == pytest.approx(32.308)
    assert total.complete


def test_the_profiles_namespaces_are_exact_and_bound_the_disks() -> None:
    """Three named, of which one owns a disk of 100 GiB: 3 × 5 = 15; 100 × 1.14 × 0.05 = 5.70."""
    scope = BackupScope(included_namespaces=("shop", "web", "api"))
    reckoned = cost(scope=scope, retention=Retention(7))

    assert line(reckoned, "namespaces").basis == "profile"
    assert [each.amount for each in reckoned.lines] == [15, pytest.approx(5.70)]


def test_excluded_namespaces_are_out() -> None:
    reckoned = cost(scope=BackupScope(excluded_namespaces=("shop",)), retention=Retention(7))
    assert [each.quantity for each in reckoned.lines] == [1, pytest.approx(32 * 1.14)]


@pytest.mark.parametrize(
    "scope", [BackupScope(snapshot_volumes=False), BackupScope(volume_types=("AzureFileShareSMB",))]
)
def test_without_snapshots_of_disks_only_the_fee_is_left(scope: BackupScope) -> None:
    reckoned = cost(scope=scope)
    assert [each.amount for each in reckoned.lines] == [10, 0, 0]


def test_without_copies_in_the_vault_there_is_no_line_of_it() -> None:
    assert [each.item for each in cost(retention=Retention(7)).lines] == ["namespaces", "snapshots"]


def test_the_vaults_price_goes_by_its_redundancy() -> None:
    local = cost(vault=VaultSettings("On", redundancy="LocallyRedundant"))
    assert line(local, "vault").amount == pytest.approx(7.392)
    zone = cost(vault=VaultSettings("On", redundancy="ZoneRedundant"))
    assert (line(zone, "vault").price, line(zone, "vault").amount) == (None, None)
    assert line(zone, "vault").quantity == pytest.approx(369.6), "counted all the same"


def test_what_nobody_knows_is_assumed_only_when_guard_yaml_says_so() -> None:
    nothing = cost(UNOBSERVED)
    assert [each.quantity for each in nothing.lines] == [None, None, None]
    assert not invoice([nothing]).complete
    assert invoice([nothing]).amount == 0

    assumed = cost(UNOBSERVED, replace(PRICES, namespaces=4, volume_gib=50), retention=Retention(7))
    assert [each.basis for each in assumed.lines] == ["assumed", "assumed"]
    assert [each.amount for each in assumed.lines] == [20, pytest.approx(2.85)]
    assert any("prices.namespaces" in note for note in assumed.notes)
    assert any("prices.volume_gib" in note for note in assumed.notes)


@pytest.mark.parametrize("disks", [Present((), NOW), Absent(NOW)])
def test_no_disks_is_not_unknown_disks(disks: Any) -> None:
    """A size that is known to be nothing is never replaced by an assumption."""
    reckoned = cost(disks, replace(PRICES, namespaces=4, volume_gib=50))
    assert [each.quantity for each in reckoned.lines] == [4, 0, 0]


def test_no_price_is_no_number() -> None:
    """Nothing of Azure's is built in: with empty prices there are quantities and no sum that could be mistaken."""
    reckoned = cost(prices=Prices())
    assert [each.price for each in reckoned.lines] == [None, None, None]
    assert [each.amount for each in reckoned.lines] == [None, None, None]
    total = invoice([reckoned])
    assert [each.unpriced for each in total.totals] == [1, 1, 1]
    assert (total.amount, total.complete) == (0, False)


def test_the_sum_over_the_fleet_says_what_it_lacks() -> None:
    """10 + 7.524 of one, and of one whose disks nobody could read nothing: 17.524, not complete."""
    known, unread = cost(retention=Retention(7)), cost(UNOBSERVED, retention=Retention(7))
    total = invoice([known, unread])
    assert total.amount == pytest.approx(17.524)
    assert not total.complete
    assert [(each.item, each.unknown) for each in total.totals] == [("namespaces", 1), ("snapshots", 1)]
    assert [each.price for each in total.totals] == [5.0, 0.05]


def test_two_redundancies_have_no_one_price() -> None:
    geo, local = cost(), cost(vault=VaultSettings("On", redundancy="LocallyRedundant"))
    [vault] = [each for each in invoice([geo, local]).totals if each.item == "vault"]
    assert vault.price is None
    assert vault.amount == pytest.approx(14.784 + 7.392)


def test_a_fleet_of_none_costs_nothing() -> None:
    assert invoice([]).amount == 0
    assert invoice([]).complete
