"""What running the Guard costs a month, with the arithmetic: `python -m infra.costs > docs/costs.md`.

`python -m infra.costs --clusters 300 --price executions=0.35 --assume always_ready=0` reckons with your own numbers.
Quantities are measured (benchmarks/results/day.json) or said to be assumed. What Azure Backup itself charges is no part
of it: that is `aks-backup-guard cost`.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "day.json"
PRICED_ON = "2026-11"
PRICES: Mapping[str, tuple[float, str]] = {
    "executions": (0.40, "a million executions, Flex Consumption"),
    "on_demand_gbs": (0.000026, "a GB-s on demand"),
    "ready_gbs": (0.000004, "a GB-s that an always-ready instance waits"),
    "storage_calls": (0.004, "10,000 calls of tables or queues"),
    "event_operations": (0.60, "a million operations of Event Grid"),
    "logs_gb": (2.30, "a GB taken in by Log Analytics"),
    "query_rules": (0.50, "a log search alert rule, every quarter of an hour"),
    "metric_series": (0.10, "a time series watched by a metric alert"),
}
"""List prices in US dollars, to be checked against the pricing pages of your region and agreement."""
ASSUMED: Mapping[str, tuple[float, str]] = {
    "clusters": (1000, "clusters"),
    "subscriptions": (5, "monitored subscriptions"),
    "days": (30.4, "days of a month"),
    "memory_gb": (2, "GB of an instance (`instanceMemoryMB`)"),
    "always_ready": (1, "always-ready instances (`alwaysReady`)"),
    "least_seconds": (1, "seconds that an execution is billed at least, added to what it took"),
    "storage_seconds": (0.01, "seconds of a call of storage"),
    "backups": (1, "backups of a cluster a day"),
    "log_kb": (1.2, "kB of a row in Log Analytics"),
    "rows_an_execution": (4, "rows of an execution: its request, its span, log lines"),
    "metric_rows": (20_000, "rows of metrics a day"),
    "query_rule_count": (5, "log search alert rules (infra/health/alert-rules.bicep)"),
    "metric_rules": (2, "metric alerts of a topic (infra/health/dead-letter-alerts.bicep)"),
}
PERIODIC = ("job_watch", "requeue_overdue", "sweep")
"""Functions that run as often for one cluster as for a thousand."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill. `amount` is in US dollars a month."""

    what: str
    arithmetic: str
    amount: float


def bill(measured: Mapping[str, Any], prices: Mapping[str, float], given: Mapping[str, float]) -> list[Line]:
    """What a month comes to. No free grants are taken off: whether they are left is the subscription's business."""
    size = given["clusters"] / measured["clusters"]
    runs = {name: each["count"] for name, each in measured["executions"].items()}
    seconds = {name: each["seconds"] for name, each in measured["executions"].items()}
    jobs = given["clusters"] * given["backups"]
    executions = sum(count * (1 if name in PERIODIC else size) for name, count in runs.items()) + jobs
    executions *= given["days"]
    working = sum(time * (1 if name in PERIODIC else size) for name, time in seconds.items())
    calls = (measured["calls"]["tables"] + measured["calls"]["queues"]) * size
    # Of each the longer of the two is billed; which, the sums do not tell, and both together are no less.
    billed = given["days"] * (working + calls * given["storage_seconds"]) + executions * given["least_seconds"]
    ready = given["always_ready"] * given["days"] * 86400 * given["memory_gb"]
    storage = calls * given["days"]
    # An event is taken in and delivered; a job's news is published first.
    events = 2 * given["days"] * (given["clusters"] * measured["events_a_cluster"] + jobs)
    arm = measured["calls"]["arm"] * size * given["days"]
    rows = executions * given["rows_an_execution"] + arm + given["metric_rows"] * given["days"]
    gigabytes = rows * given["log_kb"] / 1e6
    series = given["metric_rules"] * (given["subscriptions"] + 1)
    memory = given["memory_gb"]
    return [
        Line(
            "executions",
            f"{executions / 1e6:.2f} million × {prices['executions']:.2f}",
            executions / 1e6 * prices["executions"],
        ),
        Line(
            "time on demand",
            f"{billed:,.0f} s × {memory:g} GB × {prices['on_demand_gbs']:.6f}",
            billed * memory * prices["on_demand_gbs"],
        ),
        Line(
            "always-ready instances",
            f"{ready:,.0f} GB-s × {prices['ready_gbs']:.6f}",
            ready * prices["ready_gbs"],
        ),
        Line(
            "storage calls",
            f"{storage / 1e6:.2f} million ÷ 10,000 × {prices['storage_calls']:.4f}",
            storage / 1e4 * prices["storage_calls"],
        ),
        Line(
            "Event Grid",
            f"{events / 1e6:.2f} million × {prices['event_operations']:.2f}",
            events / 1e6 * prices["event_operations"],
        ),
        Line("Log Analytics", f"{gigabytes:.1f} GB × {prices['logs_gb']:.2f}", gigabytes * prices["logs_gb"]),
        Line(
            "alert rules",
            f"{given['query_rule_count']:g} × {prices['query_rules']:.2f} + {series:g} × {prices['metric_series']:.2f}",
            given["query_rule_count"] * prices["query_rules"] + series * prices["metric_series"],
        ),
    ]


def page(measured: Mapping[str, Any]) -> str:
    """docs/costs.md."""
    prices = {name: price for name, (price, _) in PRICES.items()}
    assumed = {name: value for name, (value, _) in ASSUMED.items()}
    lines = bill(measured, prices, assumed)
    total = sum(line.amount for line in lines)
    small = sum(line.amount for line in bill(measured, prices, {**assumed, "memory_gb": 0.5, "always_ready": 0}))
    hundred = sum(line.amount for line in bill(measured, prices, {**assumed, "clusters": 100, "subscriptions": 1}))
    runs = ", ".join(f"{name} {each['count']:,}" for name, each in measured["executions"].items())
    calls = ", ".join(f"{name} {count:,}" for name, count in measured["calls"].items())
    billed = "".join(f"| {line.what} | {line.arithmetic} | {line.amount:,.2f} |\n" for line in lines)
    wait, least = assumed["storage_seconds"], assumed["least_seconds"]
    return f"""# What it costs to run

About **{total:,.0f} US dollars a month for 1,000 clusters** that are protected and quiet, {total / 1000:.2f} a
cluster; {hundred:,.0f} for 100 clusters in one subscription. With instances of 512 MB and none that is always ready:
{small:,.0f} for the thousand. What it works is reckoned high: every execution as if it had an instance for itself, and
for a second more than it took; no free grant is taken off.

**Not in it is what Azure Backup charges**: its fee for each protected namespace, snapshots, the vault tier. That is
usually many times more, and it is the same with and without the Guard;
[`aks-backup-guard cost`](terminal.md#how-cost-reckons) reckons it from your disks and prices. The storage account that
the backup extension writes to, and the diagnostic logs of vaults, are the backup's too.

This page is made by `python -m infra.costs > docs/costs.md`. With numbers of your own:

```
.venv/bin/python -m infra.costs --clusters 300 --price executions=0.35 --price logs_gb=2.76 --assume always_ready=0
```

## The bill

| what | arithmetic | USD a month |
|---|---|---|
{billed}| **sum** | | **{total:,.2f}** |

Calls of Azure Resource Manager and Resource Graph, and Azure's own metrics, are free. Key Vault, the data in tables
(some kilobytes a cluster, and two lines a change), mails of the action group, and dead letters are cents. Not reckoned:
the private network (each of its four private endpoints, and what passes them), zone redundancy, `logStorageAccess` (a
row for every storage call above: more than all else together), and retention beyond what is free.

## What is measured

`make bench` (benchmark `day`, [performance](performance.md#day)) runs the real loop for a day over
{measured["clusters"]} protected clusters in the simulated Azure, each with {measured["events_a_cluster"]} events that
pass the filters and one scheduled backup.

- Executions that day: {runs}. A message that a newer one made stale counts too.
- Calls that day: {calls}.

Looks and events follow the number of clusters, the timers ({", ".join(PERIODIC)}) do not.

## What is assumed

| `--assume` | value | meaning |
|---|---|---|
{"".join(f"| `{name}` | {value:g} | {what} |\n" for name, (value, what) in ASSUMED.items())}
| `--price` | USD | for |
|---|---|---|
{"".join(f"| `{name}` | {price:g} | {what} |\n" for name, (price, what) in PRICES.items())}
List prices of an American region as of {PRICED_ON}, free grants not taken off: check them against the pricing pages of
[Functions](https://azure.microsoft.com/pricing/details/functions/),
[Storage](https://azure.microsoft.com/pricing/details/storage/),
[Event Grid](https://azure.microsoft.com/pricing/details/event-grid/) and
[Azure Monitor](https://azure.microsoft.com/pricing/details/monitor/).

## The formula

A day of the measured fleet is scaled to *n* clusters; timers are not.

```
executions = days × (looks(n) + events(n) + timers + backups × n)
on demand  = (days × (seconds(n) + storage calls(n) × {wait:g} s) + executions × {least:g} s) × memory × price
ready      = instances × days × 86,400 s × memory × price
storage    = days × storage calls(n) ÷ 10,000 × price
Event Grid = 2 × days × (events(n) + backups × n) × price
logs       = (executions × {assumed["rows_an_execution"]:g} + days × (ARM calls(n) + metric rows)) × kB × price
alerts     = rules × price + metric rules × (subscriptions + 1) × price
```

## To spend less

- `azd env set GUARD_INSTANCE_MEMORY_MB 512`: the host weighs about 100 MB after its first look, without what Azure runs
  beside it; judging 1,000 clusters takes 84 MB in all, 10,000 take 144 MB ([performance](performance.md#sweep)).
- `azd env set GUARD_ALWAYS_READY 0`: the first event after a pause then meets a cold start, and Event Grid may have to
  deliver it again. With `GUARD_EVENT_DELIVERY` `queue` no instance is kept ready in any case.
- `OTEL_TRACES_SAMPLER` ([telemetry](telemetry.md#app-settings)) keeps a part of the traces.
- Fewer events: a cluster whose tags some other tool writes every minute is looked at every time.
"""


def main(arguments: list[str]) -> None:
    """Without arguments the page; with some, the bill alone."""
    parser = argparse.ArgumentParser(prog="python -m infra.costs", description=__doc__)
    parser.add_argument("--clusters", metavar="NUMBER")
    parser.add_argument("--price", action="append", default=[], metavar="NAME=USD")
    parser.add_argument("--assume", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    if not arguments:
        sys.stdout.write(page(measured))
        return
    prices = _with(PRICES, options.price, parser)
    clusters = [] if options.clusters is None else [f"clusters={options.clusters}"]
    given = _with(ASSUMED, [*options.assume, *clusters], parser)
    lines = bill(measured, prices, given)
    for line in lines:
        print(f"{line.what:24}{line.amount:12,.2f}   {line.arithmetic}")
    print(f"{'sum':24}{sum(line.amount for line in lines):12,.2f}   USD a month, {given['clusters']:,.0f} clusters")


def _with(
    known: Mapping[str, tuple[float, str]], changes: list[str], parser: argparse.ArgumentParser
) -> dict[str, float]:
    values = {name: value for name, (value, _) in known.items()}
    for change in changes:
        name, _, value = change.partition("=")
        if name not in values:
            parser.error(f"{name!r} is none of {', '.join(values)}")
        try:
            values[name] = float(value)
        except ValueError:
            parser.error(f"{change!r}: {value!r} is no number")
        if not 0 <= values[name] < math.inf:
            parser.error(f"{change!r}: {value!r} is no number from 0")
    return values


if __name__ == "__main__":
    main(sys.argv[1:])
