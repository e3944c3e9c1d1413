"""Two hosts on one storage account. Each has an identity of its own, so the simulator can tell whose a call is."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from demo import azure_now, rest
from demo.stack import Stack
from simulator.identity.models import APP, OPERATOR
from tests.e2e.conftest import NewStack

CLUSTERS = 8
IN_FLIGHT = 24
"""Azure's seconds that each changing call takes on its way, so that two actions at once would overlap."""


@dataclass(frozen=True)
class Act:
    """One step on one subject, from the line before the call to the line after it, and who called its target then."""

    subject: str
    step: str
    began: datetime
    ended: datetime
    hosts: frozenset[str]


def acts(stack: Stack) -> list[Act]:
    """The audit trail's pairs of lines; the simulator's log says which host's call lies between them. A target that
    several clusters share (the vault that validates them all) tells nothing about whose call it was: left out."""
    calls = [
        (str(call["path"]).lower(), datetime.fromisoformat(call["time"]), str(call["principal"]))
        for call in stack.control("GET", "calls")
        if call["method"] != "GET"
    ]
    lines = stack.tables.actions()
    subjects = defaultdict(set)
    for line in lines:
        subjects[line.target].add(line.subject)
    open_lines: dict[tuple[str, str], datetime] = {}
    found = []
    for line in lines:
        key = (line.subject, line.step)
        if line.outcome == "Started":
            assert key not in open_lines, f"{key} was started twice at once"
            open_lines[key] = line.at
            continue
        began = open_lines.pop(key)
        if len(subjects[line.target]) == 1:
            whose = (who for path, at, who in calls if path == line.target.lower() and began <= at <= line.at)
            found.append(Act(*key, began, line.at, frozenset(whose)))
    return found


def tell(stack: Stack, clusters: list[str]) -> None:
    """The same event about each cluster to both hosts, as a busy Event Grid might."""
    for host in stack.hosts:
        for number, cluster in enumerate(clusters):
            event = {
                "id": f"again-{number}",
                "topic": f"/subscriptions/{stack.subscription}",
                "subject": cluster,
                "eventType": "Microsoft.Resources.ResourceWriteSuccess",
                "eventTime": "2026-01-01T00:00:00Z",
                "dataVersion": "2",
                "data": {"operationName": "Microsoft.ContainerService/managedClusters/write", "resourceUri": cluster},
            }
            url = f"{host.said['api']}/runtime/webhooks/eventgrid?functionName=cluster_events"
            assert rest.call("POST", url, [event], {"aeg-event-type": "Notification"}).status == 202


def test_no_cluster_is_acted_on_by_two_hosts_at_once(new_stack: NewStack, until: Callable[..., None]) -> None:
    stack = new_stack()
    stack.start_host()
    stack.start_host(settings={"IDENTITY_HEADER": OPERATOR.secret or ""})
    stack.subscribe()
    for method in ("PUT", "POST"):
        stack.control("POST", "faults", {"match": {"method": method}, "then": {"latency_seconds": IN_FLIGHT}})
    stack.control("DELETE", "calls")
    clusters = stack.create_clusters("westeurope", CLUSTERS, settled=True)

    def protected() -> bool:
        tell(stack, clusters)
        conditions = stack.tables.conditions()
        return all(
            (said := conditions.get(cluster.lower(), {}).get("Ready")) is not None and said.status == "True"
            for cluster in clusters
        )

    until(protected, "all clusters to be protected", stack)
    done = acts(stack)
    assert {host for act in done for host in act.hosts} == {APP.principal.object_id, OPERATOR.principal.object_id}
    by_subject = defaultdict(list)
    for act in done:
        assert len(act.hosts) == 1, act
        by_subject[act.subject].append(act)
    for one, other in (pair for acted in by_subject.values() for pair in combinations(acted, 2)):
        apart = one.ended <= other.began or other.ended <= one.began
        assert apart or one.hosts == other.hosts, (one, other)

    azure = azure_now.read(stack.operator, stack.subscription)
    assert azure.doubled() == []
    assert len(azure.instances) == CLUSTERS
    assert len(azure.vaults) == 1
