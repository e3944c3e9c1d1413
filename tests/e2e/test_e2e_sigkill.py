"""SIGKILL: the host gets no chance to clean up, again and again, while it works on twenty clusters."""

import re
from collections.abc import Callable

import pytest

from demo import azure_now
from demo.stack import Stack
from tests.e2e.conftest import FAST, NewStack

CLUSTERS = 20
ON_ITS_WAY = 60
"""Azure's seconds that each changing call takes before it reaches Azure: kills meet calls whose answer nobody hears."""
BACKUP_JOB = 1440
"""Azure's seconds of a backup: still running when its dead starter's lease ends, so a second could be started."""
KILLED_DURING = {
    "a vault is being made": r"PUT .*/backupVaults/[^/]+$",
    "an extension is being installed": r"PUT .*/extensions/[^/]+$",
    "a backup instance is being made": r"PUT .*/backupInstances/[^/]+$",
    "a first backup is being started": r"POST .*/backup$",
}


def under_way(stack: Stack, pattern: str) -> bool:
    """Whether such a call has been sent and not answered yet; whose it is shows only once it has arrived."""
    calls = stack.control("GET", "calls")
    return any(call["status"] is None and re.search(pattern, f"{call['method']} {call['path']}") for call in calls)


@pytest.mark.timeout(400)
def test_a_host_killed_again_and_again_leads_to_the_same_world(new_stack: NewStack, until: Callable[..., None]) -> None:
    stack = new_stack(pace=FAST)
    stack.start_host()
    stack.subscribe()
    for method in ("PUT", "POST"):
        stack.control("POST", "faults", {"match": {"method": method}, "then": {"latency_seconds": ON_ITS_WAY}})
    stack.control("POST", "timings", {"backup_job": BACKUP_JOB})
    clusters = [
        *stack.create_clusters("westeurope", CLUSTERS // 2, settled=True),
        *stack.create_clusters("eastus", CLUSTERS // 2, settled=True),
    ]
    for what, pattern in KILLED_DURING.items():
        until(lambda pattern=pattern: under_way(stack, pattern), what, stack)
        stack.start_host(port=stack.kill_host())

    def protected() -> bool:
        conditions = stack.tables.conditions()
        return all(
            (said := conditions.get(cluster.lower(), {}).get("Ready")) is not None and said.status == "True"
            for cluster in clusters
        )

    until(protected, "all clusters to be protected", stack)
    azure = azure_now.read(stack.operator, stack.subscription)
    assert azure.doubled() == []
    assert sorted(azure.vaults.values()) == ["eastus", "westeurope"]
    assert len(azure.instances) == CLUSTERS
    for cluster in clusters:
        [instance] = azure.instances_of(cluster)
        assert (instance.state, instance.on_demand_jobs, instance.recovery_points) == ("ProtectionConfigured", 1, 1)
