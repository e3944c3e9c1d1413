"""How often ARM is asked: to protect one cluster, and for one that is protected, a day."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from benchmarks import virtual_time
from benchmarks.hosts import Hosts
from benchmarks.report import Report, Sheet
from shared.reconcile import requeue_overdue
from shared.sweep import roll_call
from simulator.arm.calls import LoggedCall
from simulator.arm.path import arm_path
from simulator.cloud import FIRST_SUBSCRIPTION

TARGET = 80
IDLE = 20
DAY = 86400.0
DAYS = 3
"""A look a day comes up to a tenth of a day late, so several days are counted, after a first one."""
TIMER = 300.0
"""Seconds between two runs of the timer that finds whom no event told of."""

QUESTION = "POST resourcegraph/resources"


def measure() -> Report:
    first, later, idle = virtual_time.run(_count())
    kinds = sorted(first | later, key=lambda kind: -later[kind])
    rows = [(kind, later[kind], first[kind]) for kind in kinds]
    rows.append(("all", later.total(), first.total()))
    questions = idle.pop(QUESTION, 0) // DAYS
    own = idle.total()
    days = [(kind, number / IDLE / DAYS) for kind, number in idle.most_common()]
    days.append(("all", own / IDLE / DAYS))
    return Report(
        {
            "target": TARGET,
            "protect_a_later_cluster": {"all": later.total(), "by_kind": dict(later.most_common())},
            "protect_the_first_of_a_region": {"all": first.total(), "by_kind": dict(first.most_common())},
            "idle_cluster_a_day": {
                "all": round(own / IDLE / DAYS, 2),
                "by_kind": {kind: round(number / IDLE / DAYS, 2) for kind, number in idle.items()},
                "clusters": IDLE,
                "of_one_region_its_part_included": True,
            },
            "roll_call_questions_a_day": questions,
        },
        [
            Sheet("ARM calls to protect one cluster", ("kind", "a later one", "first of its region"), rows),
            Sheet("ARM calls a day for one that is protected", ("kind", "calls"), days),
        ],
        [
            f"Target: at most {TARGET} for a later one: {later.total()}.",
            f"The roll call asks Resource Graph {questions:,} questions a day, a page for each 1,000 clusters.",
        ],
    )


async def _count() -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Of the first cluster of a region, of a later one, and of a day of idle ones (in all)."""
    hosts = Hosts()
    calls = hosts.cloud.front_door.calls
    counted: list[Counter[str]] = []
    for _ in range(2):
        clusters = hosts.create_clusters(1, FIRST_SUBSCRIPTION)
        calls.clear()
        await hosts.protect(clusters)
        counted.append(_by_kind(calls.all()))
    await hosts.protect(hosts.create_clusters(IDLE - 2, FIRST_SUBSCRIPTION))
    await asyncio.sleep(DAY)
    calls.clear()
    for _ in range(int(DAYS * DAY / TIMER)):
        await asyncio.sleep(TIMER)
        await requeue_overdue(hosts.worlds[0])
        await roll_call(hosts.worlds[0])
    idle = _by_kind(calls.all())
    await hosts.close()
    return counted[0], counted[1], idle


def _by_kind(calls: Sequence[LoggedCall]) -> Counter[str]:
    """By method and resource type, a list apart from one resource."""
    return Counter(_kind(call) for call in calls)


def _kind(call: LoggedCall) -> str:
    path = arm_path(call.path)
    name = path.resource_type if path.types else f"{path.namespace} registration"
    namespace, _, types = name.partition("/")
    spelled = f"{namespace.rpartition('.')[2].lower()}/{types}" if types else name
    return f"{call.method} {spelled}{' list' if path.open_ended and call.method == 'GET' and path.types else ''}"
