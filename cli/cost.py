"""`cost`: what protecting the fleet, or one cluster, would cost a month, with the arithmetic shown."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from cli.options import ClusterName, ConfigFile, ManagementGroups, OutFile, Output, OutputForm, Subscriptions
from cli.run import COULD_NOT_TELL, run

if TYPE_CHECKING:
    from cli.configuration import Configured
    from cli.sheet import Cell, Sheet
    from shared.domain.fleet import Scope
    from shared.domain.profile import Prices
    from shared.plan.cost import ClusterCost, CostLine, Invoice, Total

_MOST_ROWS = 50
"""Clusters in the table for people; the other forms have all."""
_MOST_LEFT = 20
_TITLES = {"namespaces": "protected namespaces", "snapshots": "snapshots", "vault": "vault tier"}


def cost(
    cluster: ClusterName = None,
    config: ConfigFile = None,
    subscription: Subscriptions = None,
    management_group: ManagementGroups = None,
    output: OutputForm = Output.table,
    out: OutFile = None,
) -> None:
    """What protecting the fleet, or one cluster, would cost a month, at the prices in guard.yaml.

    Exit code 0: all of it is reckoned. 2: a price, a size or a number of namespaces is missing, and the sum is only
    of the rest."""
    from cli.configuration import configured, scope_of
    from cli.sheet import show
    from shared.plan.cost import invoice

    known = configured(config)
    costs, remarks, whole = run(_costs(known, scope_of(known, subscription, management_group), cluster))
    reckoned = invoice(costs)
    show(_sheet(reckoned, known.configuration.prices, remarks, one=cluster is not None, output=output), output, out)
    if not (reckoned.complete and whole):
        raise typer.Exit(COULD_NOT_TELL)


async def _costs(known: "Configured", scope: "Scope", name: str | None) -> tuple[list["ClusterCost"], list[str], bool]:
    """Of each cluster that has a profile; remarks about the rest; and whether that is everything in scope."""
    from cli.azure import signed_in
    from cli.fleet import cluster_named, fleet_reader, not_there, scope_now, unreadable
    from shared.domain.errors import GuardError
    from shared.domain.facts import Absent, Present, Unobserved
    from shared.observe.fields import UnreadableBodyError
    from shared.observe.fleet_disks import read_disks
    from shared.plan.cost import cluster_cost
    from shared.plan.selection import NotSelected, select_profile

    now = datetime.now(UTC)
    costs: list[ClusterCost] = []
    left: list[str] = []
    whole = True
    async with signed_in() as arm:
        reader = fleet_reader(arm)
        found = await scope_now(reader, scope)
        only = await cluster_named(reader, found, name) if name is not None else None
        subscriptions = [each.subscription_id for each in found.subscriptions]
        subscriptions = [only.subscription_id] if only is not None else subscriptions
        disks: dict[Any, Any] = {}
        reason = ""
        try:
            disks = dict(await read_disks(arm, subscriptions))
        except (GuardError, UnreadableBodyError) as error:
            reason = str(error)
        batch = await reader.batch(subscriptions)
    if only is not None and only not in {seen.cluster_id for seen in batch.clusters}:
        not_there(only)
    for seen in sorted(batch.clusters, key=lambda each: each.cluster_id):
        if only is not None and seen.cluster_id != only:
            continue
        selected = select_profile(known.configuration, seen.cluster_id, seen.cluster, now)
        if isinstance(selected, NotSelected):
            left.append(f"Not in it: {seen.cluster.name}. {selected.message}")
            whole = whole and selected.reason != "UnknownProfile"
            continue
        fact: Any = Unobserved(reason) if reason else Absent(now)
        if seen.cluster_id in disks:
            fact = Present(disks[seen.cluster_id], now)
        costs.append(
            cluster_cost(seen.cluster.arm_id, seen.cluster.name, selected.profile, fact, known.configuration.prices)
        )
    more = [f"and {len(left) - _MOST_LEFT} more that are not in it"] if len(left) > _MOST_LEFT else []
    return costs, [*left[:_MOST_LEFT], *more, *unreadable(found)], whole and not found.unreadable


def _sheet(reckoned: "Invoice", prices: "Prices", remarks: Sequence[str], *, one: bool, output: Output) -> "Sheet":
    from cli.sheet import Sheet

    currency = prices.currency
    dearest = sorted(reckoned.clusters, key=lambda each: -sum(line.amount or 0 for line in each.lines))
    shown = dearest if one or output is not Output.table else dearest[:_MOST_ROWS]
    rows = [_row(each, line) for each in shown for line in each.lines]
    wrong = ["" if line.amount is not None else _missing(line) for each in shown for line in each.lines]
    more = (
        [f"and {len(dearest) - len(shown)} more clusters (--output csv has all)"] if len(shown) < len(dearest) else []
    )
    totals = [_total(total, currency) for total in reckoned.totals]
    sum_ = _sum(reckoned, currency)
    return Sheet(
        "What protection would cost a month",
        ("cluster", "profile", "what", "quantity", "unit", "price", f"{currency} a month", "how"),
        tuple(rows),
        _document(reckoned, prices, remarks),
        tuple(wrong),
        (*more, *totals, sum_, *reckoned.assumed, *remarks),
    )


def _sum(reckoned: "Invoice", currency: str) -> str:
    if reckoned.clusters and all(line.price is None for each in reckoned.clusters for line in each.lines):
        return "No sum: guard.yaml gives no prices (`prices:`), and none of Azure's is built in."
    whole = "" if reckoned.complete else " (without what is not known or has no price: the real sum is higher)"
    clusters = "1 cluster" if len(reckoned.clusters) == 1 else f"{len(reckoned.clusters):,} clusters"
    return f"Together {reckoned.amount:,.2f} {currency} a month for {clusters}{whole}."


def _row(cost_: "ClusterCost", line: "CostLine") -> tuple["Cell", ...]:
    price: Cell = "price not given" if line.price is None else f"{line.price:g}"
    amount: Cell = "–" if line.amount is None else f"{line.amount:,.2f}"
    quantity: Cell = "not known" if line.quantity is None else f"{line.quantity:,.2f}".removesuffix(".00")
    return (cost_.name, cost_.profile, _TITLES[line.item], quantity, line.unit, price, amount, line.how)


def _missing(line: "CostLine") -> str:
    return line.how if line.quantity is None else f"no price for {_TITLES[line.item]} in guard.yaml"


def _total(total: "Total", currency: str) -> str:
    quantity = f"{total.quantity:,.2f}".removesuffix(".00")
    if total.price is not None:
        said = f"{quantity} {total.unit} × {total.price:g} = {total.amount:,.2f} {currency}"
    elif total.unpriced:
        said = f"{quantity} {total.unit}, price not given"
        said += f" for {total.unpriced} clusters, the others {total.amount:,.2f} {currency}" if total.amount else ""
    elif not total.quantity:
        said = f"none = 0.00 {currency}"
    else:
        said = f"{quantity} {total.unit} at several prices = {total.amount:,.2f} {currency}"
    unknown = f"; not known of {total.unknown} clusters" if total.unknown else ""
    return f"{_TITLES[total.item].capitalize()}: {said}{unknown}."


def _document(reckoned: "Invoice", prices: "Prices", remarks: Sequence[str]) -> dict[str, Any]:
    return {
        "currency": prices.currency,
        "prices": asdict(prices),
        "amount": reckoned.amount,
        "complete": reckoned.complete,
        "totals": [asdict(total) for total in reckoned.totals],
        "clusters": [
            {
                "id": each.cluster_id,
                "name": each.name,
                "profile": each.profile,
                "lines": [{**asdict(line), "amount": line.amount} for line in each.lines],
                "notes": list(each.notes),
            }
            for each in reckoned.clusters
        ],
        "assumed": list(reckoned.assumed),
        "remarks": list(remarks),
    }
