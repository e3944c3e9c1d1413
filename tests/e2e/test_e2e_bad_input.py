"""What the Guard must survive: events that are none, a configuration that cannot be read, a storage that is down."""

from collections.abc import Callable
from typing import Any

from demo import rest
from demo.stack import Stack
from tests.e2e.conftest import ENFORCE, NewStack

NO_TIMER = {"AzureWebJobs.requeue_overdue.Disabled": "true"}
"""Then only events make clusters known."""
WRITE = "Microsoft.ContainerService/managedClusters/write"


def event(resource: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "topic": "/subscriptions/00000000-0000-0000-0000-000000000001",
        "subject": resource,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-01-01T00:00:00Z",
        "dataVersion": "2",
        "data": {"operationName": WRITE, "resourceUri": resource, **changes},
    }


def deliver(stack: Stack, body: object) -> int:
    return rest.call("POST", stack.webhook("cluster_events"), body, {"aeg-event-type": "Notification"}).status


def known(stack: Stack, cluster: str) -> bool:
    return "Ready" in stack.tables.conditions().get(cluster.lower(), {})


ROOT = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups"
CLUSTERS = "providers/Microsoft.ContainerService/managedClusters"
MALFORMED = {
    "a word": "no event",
    "a list in a list": [1, 2],
    "null": None,
    "no fields": {},
    "data is a text": event("x") | {"data": "text"},
    "no operation": event("x") | {"data": {"resourceUri": "x"}},
    "a number for an id": event(7),
    "no cluster": event(f"{ROOT}/rg"),
    "no such subscription id": event(f"/subscriptions/../resourceGroups/rg/{CLUSTERS}/c"),
    "climbing out": event(f"{ROOT}/rg/../../x/{CLUSTERS}/c"),
    "a quote for the table": event(f"{ROOT}/rg/{CLUSTERS}/c' or PartitionKey ne '"),
    "another host": event(f"https://evil.example{ROOT}/rg/{CLUSTERS}/c"),
    "control characters": event(f"{ROOT}/rg/{CLUSTERS}/c\x00\r\nSet-Cookie: x"),
    "a name without end": event(f"{ROOT}/rg/{CLUSTERS}/{'c' * 5000}"),
    "more than a megabyte": event(f"{ROOT}/rg/{CLUSTERS}/c", padding="x" * 1_200_000),
}
NO_JSON = (b"", b"{", b"\xff\xfe\x00", b"[" * 100_000)


def test_events_that_are_none_are_dropped_and_good_ones_still_work(
    new_stack: NewStack, until: Callable[..., None]
) -> None:
    stack = new_stack(settings=NO_TIMER)
    stack.start_host()
    stack.subscribe()
    for name, body in MALFORMED.items():
        assert deliver(stack, [body]) == 202, name
    assert deliver(stack, list(MALFORMED.values())) == 202
    for content in NO_JSON:
        assert deliver(stack, content) == 400
    assert deliver(stack, b'"' + b"x" * 5_000_000 + b'"') == 413

    dropped = [line for line in stack.host_log() if "dropped a malformed event" in line["message"]]
    assert len(dropped) == 2 * len(MALFORMED)
    assert stack.tables.conditions() == {}
    assert stack.calls() == []
    [cluster] = stack.create_clusters("westeurope", settled=True)
    until(lambda: known(stack, cluster), "the good event to be heard")
    assert list(stack.tables.conditions()) == [cluster.lower()]


def test_an_unreadable_configuration_is_said_by_line_and_no_event_is_lost(
    new_stack: NewStack, until: Callable[..., None]
) -> None:
    stack = new_stack(settings=NO_TIMER)
    broken = {"AKS_BACKUP_GUARD_CONFIGURATION_YAML": ENFORCE.replace("mode: enforce", "mode: enforced")}
    stack.start_host(settings=broken)
    stack.subscribe()
    health = rest.call("GET", f"{stack.api}/api/health")
    assert health.status == 503
    [problem] = health.body["problems"]
    assert ":4: profiles.standard.mode: 'enforced' is not one of" in problem

    [cluster] = stack.create_clusters("westeurope", settled=True)
    until(lambda: _failed(stack, "cluster_events"), "the event to be refused")
    assert stack.tables.conditions() == {}
    stack.start_host(port=stack.kill_host())
    assert rest.call("GET", f"{stack.api}/api/health").status == 200
    until(lambda: known(stack, cluster), "Event Grid to bring the event again")


def test_a_storage_that_is_down_costs_no_event(new_stack: NewStack, until: Callable[..., None]) -> None:
    stack = new_stack(settings=NO_TIMER, storage_on_disk=True)
    stack.start_host()
    stack.subscribe()
    [first] = stack.create_clusters("westeurope", settled=True)
    until(lambda: known(stack, first), "the first cluster to be known")

    stack.stop_azurite()
    assert rest.call("GET", f"{stack.api}/api/health").status == 503
    [second] = stack.create_clusters("westeurope", settled=True)
    until(lambda: _failed(stack, "cluster_events"), "the event to be refused")
    assert deliver(stack, [event(second)]) == 500
    stack.start_azurite()
    until(lambda: known(stack, second), "Event Grid to bring the event again")
    assert rest.call("GET", f"{stack.api}/api/health").status == 200
    assert known(stack, first)


def _failed(stack: Stack, function: str) -> bool:
    return any(line.get("function") == function and line.get("outcome") == "Failed" for line in stack.host_log())
