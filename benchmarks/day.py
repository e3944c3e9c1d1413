"""A quiet day of a protected fleet: how often the app runs, how long, and what it asks of storage and of Azure. The
running costs are reckoned from it (infra/costs.py)."""

import asyncio
import functools
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from benchmarks import virtual_time
from benchmarks.hosts import Hosts
from benchmarks.report import Report, Sheet
from shared.domain.record import ReconcileRequest
from shared.job_watch import watch_jobs
from shared.reconcile import requeue_overdue
from shared.sweep import roll_call, sweep
from shared.wake import request_look
from shared.world import World
from simulator.cloud import FIRST_SUBSCRIPTION

CLUSTERS = 100
DAY, TIMER = 86400, 300
"""Seconds."""
TROUBLED = 50
"""One in so many backups ends with warnings."""
EVENTS = 4
"""Of a cluster, a day, that pass the filters: writes and tags, starts and stops (assumed)."""
TABLES = (
    *("records", "rollouts", "history", "alert_book", "outbox", "destinations", "watermarks", "sweeps", "breaker"),
    "audit",
)
QUEUES = ("queue", "notify_queue")


class _Counted:
    """Stands before a part of the world and counts the calls of its methods."""

    def __init__(self, part: Any, name: str, counts: Counter[str]) -> None:
        self._part, self._name, self._counts = part, name, counts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not (inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found)):
            return found

        @functools.wraps(found)
        def counted(*given: Any, **named: Any) -> Any:
            self._counts[self._name] += 1
            return found(*given, **named)

        return counted


class _CountingHosts(Hosts):
    """One host that counts calls of storage, and the seconds that looks take."""

    def __post_init__(self) -> None:
        self.storage, self.looks = Counter[str](), list[float]()
        super().__post_init__()

    def _world(self, instance: str) -> World:
        world = super()._world(instance)
        parts: dict[str, Any] = {
            name: _Counted(getattr(world, name), kind, self.storage)
            for kind, names in (("tables", TABLES), ("queues", QUEUES))
            for name in names
        }
        return replace(world, **parts)

    async def _work(self, request: ReconcileRequest, world: World) -> None:
        began = self.clock.now()
        await super()._work(request, world)
        self.looks.append((self.clock.now() - began).total_seconds())


def measure() -> Report:
    figures = virtual_time.run(_day())
    rows = [(name, each["count"], each["seconds"]) for name, each in figures["executions"].items()]
    return Report(
        figures,
        [
            Sheet(f"Executions of a day, {CLUSTERS} clusters", ("function", "count", "seconds in all"), rows),
            Sheet("Calls of that day", ("of", "calls"), list(figures["calls"].items())),
        ],
        ["Seconds are virtual: what ARM takes (0.2 s a call). Storage answers at once; infra/costs.py adds its time."],
    )


async def _day() -> dict[str, Any]:
    hosts = _CountingHosts()
    clusters = hosts.create_clusters(CLUSTERS, FIRST_SUBSCRIPTION)
    await hosts.protect(clusters)
    await asyncio.sleep(DAY)
    calls = hosts.cloud.front_door.calls
    calls.clear()
    hosts.storage.clear()
    hosts.looks.clear()
    taken: dict[str, list[float]] = {name: [] for name in ("cluster_events", "job_watch", "requeue_overdue", "sweep")}

    async def run(name: str, work: Callable[[], Awaitable[object]]) -> None:
        began = hosts.clock.now()
        await work()
        taken[name].append((hosts.clock.now() - began).total_seconds())

    world = hosts.worlds[0]

    async def overdue() -> None:
        await requeue_overdue(world)
        await roll_call(world)
        await sweep(world, begin=False)

    events = [cluster for _ in range(EVENTS) for cluster in clusters]
    ticks = DAY // TIMER
    for tick in range(ticks):
        for number, cluster in enumerate(clusters):
            if number % ticks == tick:  # the scheduled backups end spread over the day
                outcome = "completed" if number % TROUBLED else "warnings"
                hosts.cloud.data_protection.add_job(cluster.arm_id, "Backup", outcome)
        for cluster in events[tick::ticks]:
            await run("cluster_events", functools.partial(request_look, cluster, world))
        await run("job_watch", functools.partial(watch_jobs, world))
        await run("requeue_overdue", overdue)
        if tick == 0:
            await run("sweep", functools.partial(sweep, world, begin=True))
        await asyncio.sleep(TIMER)
    assert not hosts.failures, hosts.failures[:3]
    taken["reconcile"] = list(hosts.looks)
    arm = len(calls.all())
    await hosts.close()
    return {
        "clusters": CLUSTERS,
        "events_a_cluster": EVENTS,
        "executions": {
            name: {"count": len(seconds), "seconds": round(sum(seconds), 1)} for name, seconds in taken.items()
        },
        "calls": {"arm": arm, **dict(sorted(hosts.storage.items()))},
    }
