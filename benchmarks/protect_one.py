"""Time to protect one cluster ÷ the least time the simulated Azure needs for it; beside it our model of the order of
`az dataprotection enable-backup` on the same durations, really run against the same simulated Azure."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from benchmarks import virtual_time
from benchmarks.az_enable_backup import EnableBackup
from benchmarks.critical_path import ends, longest, stages
from benchmarks.hosts import Hosts
from benchmarks.report import Report, Sheet, Spread
from shared.domain.ids import ClusterId
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.timings import Timings

TARGET = 1.15
PROPAGATIONS = (120.0, 300.0, 600.0)
SEEDS = range(5)


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds from the event about the cluster: until Azure had it ProtectionConfigured, until its first recovery
    point was there, and until the Guard knew."""

    configured: float
    recovery_point: float
    ready: float


def measure() -> Report:
    figures, times, paths = [], [], []
    for first_of_region in (True, False):
        for propagation in PROPAGATIONS:
            timings = replace(Timings(), role_propagation=propagation)
            path = stages(timings, first_of_region=first_of_region)
            least = ends(path)
            runs = [virtual_time.run(_guard(timings, first_of_region, seed)) for seed in SEEDS]
            ready = Spread.of([run.ready for run in runs])
            ratio = Spread.of([run.ready / least["recovery point"] for run in runs])
            configured = Spread.of([run.configured for run in runs])
            az, az_runs = virtual_time.run(_az(timings, first_of_region))
            scenario = f"{'first of its region' if first_of_region else 'a later one'}, roles {propagation:.0f} s"
            times.append(
                (
                    scenario,
                    least["recovery point"],
                    ready.median,
                    ratio.median,
                    ratio.most,
                    configured.median,
                    az,
                    az_runs,
                    az / configured.median,
                )
            )
            paths.append(" → ".join(longest(path)))
            figures.append(
                {
                    "scenario": scenario,
                    "critical_path_seconds": least["recovery point"],
                    "critical_path": longest(path),
                    "ready_seconds": ready.figures(1),
                    "ready_to_critical_path": ratio.figures(3),
                    "configured_critical_path_seconds": least["protection configured"],
                    "configured_seconds": configured.figures(1),
                    "recovery_point_seconds": Spread.of([run.recovery_point for run in runs]).figures(1),
                    "az_configured_seconds": round(az, 1),
                    "az_runs_of_the_command": az_runs,
                    "az_to_guard_until_configured": round(az / configured.median, 2),
                }
            )
    worst = max(row["ready_to_critical_path"]["most"] for row in figures)  # type: ignore[index]
    columns = (
        *("scenario", "critical path s", "protected s", "÷ path", "worst", "configured s", "az order s", "az runs"),
        "az ÷ Guard",
    )
    return Report(
        {"target": TARGET, "worst": worst, "timings": asdict(Timings()), "scenarios": figures},
        [Sheet(f"Time to protect one cluster (median of {len(SEEDS)}, virtual time)", columns, times)],
        [
            f"Target: at most {TARGET}; worst of all runs: {worst:.3f}. Protected: the recovery point was seen.",
            f"What decides the path: {'; '.join(dict.fromkeys(paths))}.",
            "The az column is our model of the command's order; it ends at ProtectionConfigured and takes no backup.",
        ],
    )


async def _guard(timings: Timings, first_of_region: bool, seed: int) -> Taken:
    hosts = Hosts(timings=timings, seed=seed)
    if not first_of_region:
        await hosts.protect(hosts.create_clusters(1, FIRST_SUBSCRIPTION))
    (cluster,) = hosts.create_clusters(1, FIRST_SUBSCRIPTION)
    start = hosts.clock.now()
    configured = asyncio.create_task(_once(lambda: _is_configured(hosts.cloud, cluster), hosts.clock.now))
    point = asyncio.create_task(_once(lambda: _has_recovery_point(hosts.cloud, cluster), hosts.clock.now))
    (ready,) = await hosts.protect([cluster])
    taken = Taken((await configured - start).total_seconds(), (await point - start).total_seconds(), ready)
    await hosts.close()
    return taken


async def _az(timings: Timings, first_of_region: bool) -> tuple[float, int]:
    clock = virtual_time.LoopClock()
    cloud = Cloud(clock, timings=timings)
    create = cloud.container_service.create_cluster
    if not first_of_region:
        await EnableBackup(cloud, clock).protect(
            ClusterId.parse(create("westeurope", FIRST_SUBSCRIPTION, {"settled": True}))
        )
    command = EnableBackup(cloud, clock)
    seconds = await command.protect(ClusterId.parse(create("westeurope", FIRST_SUBSCRIPTION, {"settled": True})))
    return seconds, command.runs


async def _once(holds: Callable[[], bool], now: Callable[[], datetime]) -> datetime:
    while not holds():  # noqa: ASYNC110 - in virtual time
        await asyncio.sleep(0.5)
    return now()


def _is_configured(cloud: Cloud, cluster: ClusterId) -> bool:
    instances = cloud.data_protection.instances_of(cluster.arm_id)
    return any(instance.state == "ProtectionConfigured" for instance in instances)


def _has_recovery_point(cloud: Cloud, cluster: ClusterId) -> bool:
    return any(instance.recovery_points for instance in cloud.data_protection.instances_of(cluster.arm_id))
