"""A thousand clusters at once ÷ the least time that Azure's token buckets allow."""

import time
from collections import Counter
from dataclasses import dataclass

from benchmarks import virtual_time
from benchmarks.critical_path import ends, stages
from benchmarks.hosts import BATCH, THRESHOLD, Hosts
from benchmarks.quota import Bound, bound, least_calls
from benchmarks.report import Report, Sheet, Spread
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.timings import Timings

TARGET = 1.25
CLUSTERS = 1000
HOSTS = 4
FURTHER = ("00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003")


@dataclass(frozen=True, slots=True)
class Protected:
    """Seconds each cluster took, the bounds of the least calls and of those really made, and how much was asked."""

    seconds: list[float]
    least: Bound
    made: Bound
    calls: int
    refused: int
    passes: int
    wall: float


def measure() -> Report:
    path = ends(stages(Timings(), first_of_region=True))["recovery point"]
    scenarios = {
        "1 subscription": (FIRST_SUBSCRIPTION,),
        "3 subscriptions": (FIRST_SUBSCRIPTION, *FURTHER),
    }
    rows, buckets, figures = [], [], []
    for name, subscriptions in scenarios.items():
        run = virtual_time.run(_protect(subscriptions))
        whole, median = max(run.seconds), Spread.of(run.seconds).median
        least, made = run.least.seconds + path, run.made.seconds + path
        rows.append(
            (
                *(name, whole, median, least, whole / least, made, whole / made, whole / run.least.seconds),
                *(run.calls / CLUSTERS, run.refused, run.wall),
            )
        )
        buckets += [(name, bucket, seconds, run.made.all.get(bucket, 0.0)) for bucket, seconds in run.least.all.items()]
        figures.append(
            {
                "scenario": name,
                "clusters": CLUSTERS,
                "all_protected_seconds": round(whole, 1),
                "median_cluster_seconds": round(median, 1),
                "critical_path_seconds": path,
                "bound_of_least_calls": {"bucket": run.least.bucket, "seconds": round(least, 1)},
                "to_bound_of_least_calls": round(whole / least, 3),
                "bound_of_calls_made": {"bucket": run.made.bucket, "seconds": round(made, 1)},
                "to_bound_of_calls_made": round(whole / made, 3),
                "to_slowest_bucket_alone": round(whole / run.least.seconds, 3),
                "calls_per_cluster": round(run.calls / CLUSTERS, 1),
                "answered_429_per_cluster": round(run.refused / CLUSTERS, 2),
                "passes_per_cluster": round(run.passes / CLUSTERS, 1),
                "buckets_seconds_for_least_calls": {n: round(s, 1) for n, s in run.least.all.items()},
                "buckets_seconds_for_calls_made": {n: round(s, 1) for n, s in run.made.all.items()},
                "wall_seconds": round(run.wall, 1),
            }
        )
    columns = (
        *(
            "scenario",
            "all protected s",
            "median s",
            "bound, least calls s",
            "÷ bound",
            "bound, calls made s",
            "÷ bound",
            "÷ bucket alone",
        ),
        *("calls a cluster", "429s", "wall s"),
    )
    return Report(
        {"target": TARGET, "hosts": HOSTS, "messages_at_once_per_host": BATCH + THRESHOLD, "scenarios": figures},
        [
            Sheet(f"{CLUSTERS:,} clusters at once on {HOSTS} hosts (virtual time)", columns, rows),
            Sheet("What each bucket alone takes", ("scenario", "bucket", "least calls s", "calls made s"), buckets),
        ],
        [
            f"Target: at most {TARGET} of the bound: the slowest bucket + one critical path ({path:.0f} s).",
            "Calls made are those that were let through; a refused call takes no token of the bucket that refused it.",
        ],
    )


async def _protect(subscriptions: tuple[str, ...]) -> Protected:
    wall, hosts = time.perf_counter(), Hosts(HOSTS)
    for further in subscriptions[1:]:
        hosts.cloud.resources.add_subscription(further)
    shares = Counter(subscriptions[number % len(subscriptions)] for number in range(CLUSTERS))
    clusters = [cluster for s, count in shares.items() for cluster in hosts.create_clusters(count, s)]
    hosts.cloud.front_door.calls.clear()
    seconds = await hosts.protect(clusters)
    logged = hosts.cloud.front_door.calls.all()
    let_through = [(call.method, call.path) for call in logged if call.status != 429]
    routes = hosts.cloud.front_door.routes
    run = Protected(
        seconds,
        bound(least_calls(shares), routes),
        bound(let_through, routes),
        len(logged),
        len(logged) - len(let_through),
        hosts.passes,
        time.perf_counter() - wall,
    )
    assert not hosts.failures, hosts.failures[0]
    await hosts.close()
    return run
