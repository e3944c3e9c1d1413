"""An event names a cluster, or it is none: nothing in it leads anywhere else."""

import json

import pytest

from shared.domain.errors import MalformedEventError
from shared.events.cluster_events import parse_cluster_event

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"


def event(group: str, name: str, operation: str = "write") -> str:
    resource = f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}"
    data = {"operationName": f"Microsoft.ContainerService/managedClusters/{operation}", "resourceUri": resource}
    return json.dumps({"id": "1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "data": data})


@pytest.mark.parametrize(("group", "name"), [("Apps_(1).x", "Shop-1"), ("über", "a"), ("a..b", "c")])
def test_a_cluster_is_named_by_its_lower_case_id(group: str, name: str) -> None:
    changed = parse_cluster_event(event(group, name))
    assert changed is not None
    assert (changed.cluster.resource_group, changed.cluster.name) == (group.lower(), name.lower())


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("..", "shop"),
        (".", "shop"),
        ("apps", ".."),
        ("apps\n", "shop"),
        ("apps", "sh op"),
        ("apps", "%2e%2e"),
        ("", "a"),
    ],
)
def test_a_name_that_would_lead_elsewhere_is_malformed(group: str, name: str) -> None:
    with pytest.raises(MalformedEventError):
        parse_cluster_event(event(group, name))


@pytest.mark.parametrize("payload", ["", "null", "[]", "{", "[" * 100_000, '{"a": ' + "1" * 5000 + "}", '{"type": 1}'])
def test_what_is_no_event_is_malformed_and_no_crash(payload: str) -> None:
    with pytest.raises(MalformedEventError):
        parse_cluster_event(payload)


def test_a_child_of_a_cluster_is_not_the_cluster() -> None:
    payload = json.loads(event("apps", "shop"))
    payload["data"]["operationName"] = "Microsoft.ContainerService/managedClusters/agentPools/write"
    payload["data"]["resourceUri"] += "/agentPools/one"
    assert parse_cluster_event(json.dumps(payload)) is None
