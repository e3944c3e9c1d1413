"""Event Grid's events through the real app: the local Functions host with Microsoft's worker library, Azurite as the
storage, the simulated Azure behind it. CPU an event, how fast a burst is answered, and what the process weighs."""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.report import Report, Sheet, Spread
from demo.processes import Program
from demo.stack import Pace, Stack

EVENT_GRID_WAITS = 30.0
"""Seconds Event Grid gives a webhook before it counts the delivery as failed."""
EVENTS = 1000
CONNECTIONS = 250
ROUNDS = 3
CONFIGURATION = """
revision: 1
profiles:
  standard: { mode: enforce, vault: { soft_delete: AlwaysOn } }
rules:
  - profile: standard
"""


@dataclass(frozen=True, slots=True)
class Burst:
    """Seconds from the burst's beginning until each answer, the host's CPU until the last, and how many were
    answered with an error (Event Grid brings those again)."""

    answers: list[float]
    cpu: float
    refused: int

    def share(self, part: float) -> float:
        """The answer that this part of all did not exceed."""
        return sorted(self.answers)[max(0, -int(-part * len(self.answers) // 1) - 1)]


def measure() -> Report:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), CONFIGURATION, pace=Pace(1.0)) as stack:
        alone = _bursts(stack, stack.start_host(settings={"AzureWebJobs.reconcile.Disabled": "true"}))
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), CONFIGURATION, pace=Pace(1.0)) as stack:
        host = stack.start_host()
        started = _megabytes(host)
        looked = _first_look(stack)
        reconciled = _megabytes(host)
        working = _bursts(stack, host)
    rows: list[Sequence[str | float]] = []
    for name, bursts in (("only taking events", alone), ("looking at clusters too", working)):
        shares = [Spread.of([burst.share(part) for burst in bursts]) for part in (0.5, 0.99, 0.999)]
        refused = sum(burst.refused for burst in bursts)
        rows.append((name, 1000 * _cpu(bursts).median, *(s.median for s in shares), shares[-1].most, refused))
    slowest = max(burst.share(0.999) for burst in (*alone, *working))
    return Report(
        {
            "event_grid_waits_seconds": EVENT_GRID_WAITS,
            "events": EVENTS,
            "connections": CONNECTIONS,
            "cpu_ms_per_event": {k: round(1000 * v, 3) for k, v in _cpu(alone).figures(6).items() if k != "count"},
            "answer_seconds_99_9": {
                "taking_events_only": Spread.of([burst.share(0.999) for burst in alone]).figures(3),
                "while_it_looks_at_clusters": Spread.of([burst.share(0.999) for burst in working]).figures(3),
            },
            "answered_with_an_error": sum(burst.refused for burst in (*alone, *working)),
            "slowest_99_9_to_30_s": round(slowest / EVENT_GRID_WAITS, 4),
            "host_rss_mb": {"started": round(started, 1), "after_first_reconcile": round(reconciled, 1)},
            "first_event_to_end_of_third_look_seconds": round(looked, 2),
        },
        [
            Sheet(
                f"A burst of {EVENTS:,} events (median of {ROUNDS})",
                ("the host is", "CPU ms an event", "50 % s", "99 % s", "99.9 % s", "worst 99.9 % s", "answered 500"),
                rows,
            ),
            Sheet("The host's memory", ("moment", "RSS MB"), [("started", started), ("first reconcile", reconciled)]),
        ],
        [
            f"Event Grid waits {EVENT_GRID_WAITS:.0f} s; the slowest 99.9 % was {slowest:.2f} s after the burst began.",
            "The second line's CPU holds the looks as well; host, Azurite, simulator and sender share the machine.",
        ],
    )


def _bursts(stack: Stack, host: Program) -> list[Burst]:
    asyncio.run(_burst(stack.webhook("cluster_events"), host, "warm-up"))
    return [asyncio.run(_burst(stack.webhook("cluster_events"), host, f"round-{number}")) for number in range(ROUNDS)]


async def _burst(webhook: str, host: Program, name: str) -> Burst:
    """Every event about a cluster of its own, each in a delivery of its own, as Event Grid does."""
    cpu = _cpu_seconds(host)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        started, statuses = time.perf_counter(), list[int]()

        async def deliver(number: int) -> float:
            headers = {"aeg-event-type": "Notification"}
            async with session.post(webhook, json=[_event(f"{name}-{number}")], headers=headers) as answer:
                statuses.append(answer.status)
                return time.perf_counter() - started

        answers = await asyncio.gather(*(deliver(number) for number in range(EVENTS)))
    return Burst(list(answers), _cpu_seconds(host) - cpu, sum(status >= 300 for status in statuses))


def _first_look(stack: Stack) -> float:
    """Seconds from the first event until three looks have ended: the cluster, its region, the cluster again."""
    (cluster,) = stack.create_clusters("westeurope", settled=True)
    before, started = len(_looks(stack)), time.perf_counter()

    async def notice() -> None:
        async with aiohttp.ClientSession() as session:
            await session.post(
                stack.webhook("cluster_events"), json=[_event(cluster)], headers={"aeg-event-type": "Notification"}
            )

    asyncio.run(notice())
    while len(_looks(stack)) < before + 3:
        time.sleep(0.05)
        assert time.perf_counter() - started < 60, "no look within a minute"
    return time.perf_counter() - started


def _looks(stack: Stack) -> list[dict[str, Any]]:
    return [line for line in stack.host_log() if line.get("function") == "reconcile" and "outcome" in line]


def _event(cluster: str) -> dict[str, Any]:
    """The write of a cluster, by ARM id or by a name that no cluster has."""
    group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/burst"
    arm_id = (
        cluster
        if cluster.startswith("/")
        else f"{group}/providers/Microsoft.ContainerService/managedClusters/{cluster}"
    )
    return {
        "id": cluster[-60:],
        "topic": "/subscriptions/00000000-0000-0000-0000-000000000001",
        "subject": arm_id,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-03-01T12:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {
            "operationName": "Microsoft.ContainerService/managedClusters/write",
            "resourceUri": arm_id,
            "resourceProvider": "Microsoft.ContainerService",
            "status": "Succeeded",
        },
    }


def _cpu(bursts: list[Burst]) -> Spread:
    return Spread.of([burst.cpu / EVENTS for burst in bursts])


def _cpu_seconds(host: Program) -> float:
    """User and system time of the host's process so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{host.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(host: Program) -> float:
    """Resident memory of the host's process."""
    pages = int(Path(f"/proc/{host.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
