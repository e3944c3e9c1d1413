"""What is deployed, hosted: it starts, it has the functions it promises, and each of them runs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from croniter import croniter

from demo import rest
from demo.processes import CHECKOUT
from demo.stack import Stack
from shared.settings import read_settings
from tests.e2e.conftest import NewStack
from tests.package.built import built_package

PROMISED = {
    "cluster_events",
    "job_events",
    "reconcile",
    "requeue_overdue",
    "job_watch",
    "compliance_sweep",
    "notifications",
    "poison",
    "restore_drills",
    "health",
}
BESIDE = {"alert_of_azure_monitor", "api", "dashboard", "events_poison", "notify_poison", "queued_events"}
"""Functions that nobody was promised (docs/decisions/0009)."""
PRESENT = {
    "cluster_events",
    "job_events",
    "reconcile",
    "requeue_overdue",
    "job_watch",
    "notifications",
    "notify_poison",
    "poison",
    "queued_events",
    "events_poison",
    "health",
}


@pytest.mark.xdist_group("package")
@pytest.mark.timeout(600)
def test_the_package_starts_and_every_function_runs(new_stack: NewStack, until: Callable[..., None]) -> None:
    stack = new_stack(app=built_package().folder)
    stack.start_host()
    listed = rest.call("GET", f"{stack.api}/admin/functions").body
    names = {function["name"] for function in listed}
    assert names >= PRESENT
    assert names - BESIDE <= PROMISED

    health = rest.call("GET", f"{stack.api}/api/health")
    assert (health.status, health.body["status"]) == (200, "healthy")
    assert health.body["profiles"] == {"standard": "enforce"}
    [cluster] = stack.create_clusters("westeurope", settled=True)
    message, delivery = {"subject": cluster.lower(), "wake_id": "stale"}, {"destination": "route:nobody|NOBODY"}
    for name, given in {
        "cluster_events": _event(cluster),
        "job_events": {"specversion": "1.0", "type": "Somebody.Else"},
        "job_watch": "",
        "notifications": delivery,
        "notify_poison": delivery,
        "requeue_overdue": "",
        "queued_events": _event(cluster),
        "events_poison": _event(cluster),
        "reconcile": message,
        "poison": message,
    }.items():
        answer = rest.call("POST", f"{stack.api}/admin/functions/{name}", {"input": given})
        assert answer.status == 202, name

    def outcomes() -> dict[str, str]:
        return {line["function"]: line["outcome"] for line in stack.host_log() if "outcome" in line}

    until(lambda: outcomes().keys() >= PRESENT, "every function to have run")
    assert {name: outcomes()[name] for name in PRESENT} == dict.fromkeys(PRESENT, "Succeeded")
    assert cluster.lower() in stack.tables.conditions()


def test_the_bindings_are_those_the_outside_relies_on(new_stack: NewStack) -> None:
    bindings = _bindings(new_stack())
    assert bindings["cluster_events"]["type"] == "eventGridTrigger"
    for function, queue in (("reconcile", "reconcile"), ("poison", "reconcile-poison")):
        assert (bindings[function]["type"], bindings[function]["queueName"]) == ("queueTrigger", queue)
        assert bindings[function]["connection"] == "AzureWebJobsStorage"
    assert (bindings["health"]["type"], bindings["health"]["route"]) == ("httpTrigger", "health")
    fires = croniter(
        bindings["requeue_overdue"]["schedule"], datetime(2026, 1, 1, tzinfo=UTC), second_at_beginning=True
    )
    times = [fires.get_next(datetime) for _ in range(288)]
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=5)}


def test_host_json_fits_what_the_loop_counts_on() -> None:
    host = json.loads((CHECKOUT / "host.json").read_text(encoding="utf-8"))
    queues = host["extensions"]["queues"]
    assert host["version"] == "2.0"
    loop = read_settings({}).loop
    timeout = _duration(host["functionTimeout"])
    assert timeout >= timedelta(seconds=loop.pass_seconds + 60), "a pass that is out of time still writes its record"
    assert timeout + timedelta(minutes=2) <= timedelta(seconds=loop.lease_seconds), "none acts after its lease"
    assert _duration(queues["visibilityTimeout"]) == timedelta(seconds=30)
    assert queues["messageEncoding"] == "base64", "what shared/record/queue.py sends"
    assert queues["maxDequeueCount"] == 5, "what functions/poison.py says"
    assert 0 < queues["newBatchThreshold"] < queues["batchSize"] <= 32
    assert host["extensions"]["http"]["routePrefix"] == "api"


def _bindings(stack: Stack) -> dict[str, dict[str, Any]]:
    stack.start_host()
    listed = rest.call("GET", f"{stack.api}/admin/functions").body
    return {
        function["name"]: binding
        for function in listed
        for binding in function["config"]["bindings"]
        if binding["type"].endswith("Trigger")
    }


def _event(cluster: str) -> dict[str, Any]:
    data = {"operationName": "Microsoft.ContainerService/managedClusters/write", "resourceUri": cluster}
    return {"id": "1", "subject": cluster, "eventType": "Microsoft.Resources.ResourceWriteSuccess", "data": data}


def _duration(text: str) -> timedelta:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
