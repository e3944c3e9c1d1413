"""The control endpoint: what it makes happen, and how it refuses bad input."""

import json
from typing import Any

import pytest

from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.http import Request
from tests.contract.arm_caller import SUBSCRIPTION, ArmCaller
from tests.contract.data_protection_world import CLUSTER as CLUSTER_OF_WORLD
from tests.contract.data_protection_world import VAULT, World

SECOND = "00000000-0000-0000-0000-0000000000b2"


@pytest.fixture
def arm() -> ArmCaller:
    return ArmCaller()


async def test_clusters_appear_and_become_ready(arm: ArmCaller) -> None:
    made = await arm.control("POST", "clusters", {"count": 3, "location": "North Europe"})
    ids = made.body["ids"]
    assert len(set(ids)) == 3
    assert all(each.startswith(f"{SUBSCRIPTION}/") for each in ids)
    await arm.clock.advance(arm.cloud.timings.cluster_write)
    for cluster_id in ids:
        cluster = arm.cloud.container_service.cluster(cluster_id)
        assert cluster is not None
        assert (cluster.location, cluster.provisioning_state) == ("northeurope", "Succeeded")


async def test_clusters_in_another_subscription_with_overrides(arm: ArmCaller) -> None:
    await arm.control("POST", "subscriptions", {"id": SECOND})
    order = {"count": 1, "location": "westeurope", "subscription": SECOND, "overrides": {"tags": {"team": "red"}}}
    (cluster_id,) = (await arm.control("POST", "clusters", order)).body["ids"]
    cluster = arm.cloud.container_service.cluster(cluster_id)
    assert cluster is not None
    assert (cluster.subscription_id, cluster.tags) == (SECOND, {"team": "red"})


async def test_a_subscription_comes_with_registrations(arm: ArmCaller) -> None:
    wanted = {"id": SECOND, "display_name": "B", "registrations": {"Microsoft.DataProtection": "Registered"}}
    assert (await arm.control("POST", "subscriptions", wanted)).body == {"id": SECOND}
    assert arm.cloud.resources.registered(SECOND, "microsoft.dataprotection")
    assert not arm.cloud.resources.registered(SECOND, "microsoft.kubernetesconfiguration")
    again = {"id": FIRST_SUBSCRIPTION, "registrations": {"Microsoft.DataProtection": "Registered"}}
    await arm.control("POST", "subscriptions", again)
    assert arm.cloud.resources.registered(FIRST_SUBSCRIPTION, "Microsoft.DataProtection")


async def test_timings_change_what_comes_after(arm: ArmCaller) -> None:
    answer = await arm.control("POST", "timings", {"provider_registration": 5, "role_propagation": 7.5})
    assert (answer.body["provider_registration"], answer.body["role_propagation"]) == (5, 7.5)
    assert arm.cloud.timings.provider_registration == 5
    path = f"{SUBSCRIPTION}/providers/Microsoft.DataProtection"
    await arm.call("POST", f"{path}/register")
    await arm.clock.advance(5)
    assert (await arm.call("GET", path)).body["registrationState"] == "Registered"


async def test_event_grid_disturbances_stand_until_changed(arm: ArmCaller) -> None:
    first = await arm.control("POST", "eventgrid", {"duplicate": True, "delay_seconds": 30})
    assert (first.body["duplicate"], first.body["delay_seconds"]) == (True, 30)
    second = await arm.control("POST", "eventgrid", {"lose": 0.5, "reorder": True})
    assert second.body == {"duplicate": True, "reorder": True, "delay_seconds": 30, "lose": 0.5}


async def test_health_tells_the_fixed_ids(arm: ArmCaller) -> None:
    body = (await arm.control("GET", "health")).body
    assert body["status"] == "ok"
    assert body["subscriptions"] == [FIRST_SUBSCRIPTION]
    assert body["app"]["object_id"] == arm.cloud.identity.app.object_id
    assert body["tenant"] == arm.cloud.identity.tenant_id


async def test_jobs_end_as_asked_and_the_schedule_runs_now() -> None:
    world = World()
    await world.ready()
    await world.protect()

    async def control(name: str, body: dict[str, Any]) -> Any:
        request = Request("POST", f"/simulator/{name}", body=json.dumps(body).encode())
        answer = await world.cloud.respond(request)
        assert answer.status == 200, answer.body
        return answer.body

    order = {"cluster": CLUSTER_OF_WORLD, "operation": "backup", "outcome": "failed", "code": "SomeCode"}
    failed = (await control("jobs", order))["id"]
    await world.clock.advance(3600)
    (scheduled,) = (await control("schedule/run", {"cluster": CLUSTER_OF_WORLD}))["ids"]
    await world.clock.advance(3600)
    assert (await world.read(failed))["properties"]["status"] == "Failed"
    assert (await world.read(scheduled))["properties"]["status"] == "Completed"
    assert len((await control("schedule/run", {}))["ids"]) == 1


@pytest.mark.parametrize("warnings", [0, -1, True, [], "many", [7]])
async def test_warnings_that_say_nothing_are_refused(warnings: Any) -> None:
    world = World()
    await world.ready()
    await world.protect()
    order = {"cluster": CLUSTER_OF_WORLD, "operation": "Backup", "outcome": "warnings", "warnings": warnings}
    request = Request("POST", "/simulator/jobs", body=json.dumps(order).encode())
    answer = await world.cloud.respond(request)
    assert (answer.status, answer.body["error"]["target"]) == (400, "warnings")
    assert (await world.read(f"{VAULT}/backupJobs"))["value"] == []


async def test_a_job_of_a_cluster_without_protection_is_refused(arm: ArmCaller) -> None:
    (cluster,) = (await arm.control("POST", "clusters", {"count": 1, "location": "westeurope"})).body["ids"]
    answer = await arm.control("POST", "jobs", {"cluster": cluster, "operation": "backup", "outcome": "completed"})
    assert answer.status == 404


async def test_control_calls_are_not_logged(arm: ArmCaller) -> None:
    await arm.control("GET", "health")
    assert (await arm.control("GET", "calls")).body == []


CLUSTER = {"count": 1, "location": "westeurope"}
BAD: list[tuple[str, Any, str]] = [
    ("clusters", {}, "location"),
    ("clusters", {"location": "westeurope"}, "count"),
    ("clusters", {**CLUSTER, "count": 0}, "count"),
    ("clusters", {**CLUSTER, "count": True}, "count"),
    ("clusters", {**CLUSTER, "count": "1"}, "count"),
    ("clusters", {**CLUSTER, "count": 10**6}, "count"),
    ("clusters", {**CLUSTER, "location": "atlantis"}, "location"),
    ("clusters", {**CLUSTER, "subscription": SECOND}, "subscription"),
    ("clusters", {**CLUSTER, "overrides": []}, "overrides"),
    ("clusters", {"count": 2, "location": "westeurope", "overrides": {"name": "x"}}, "overrides.name"),
    ("clusters", {**CLUSTER, "colour": "red"}, "colour"),
    ("subscriptions", {"id": "x"}, "id"),
    ("subscriptions", {"id": SECOND, "registrations": {"A.B": "Maybe"}}, "registrations.A.B"),
    ("timings", {"role_propagation": -1}, "role_propagation"),
    ("timings", {"role_propagation": "1"}, "role_propagation"),
    ("timings", {"no_such_time": 1}, "no_such_time"),
    ("timings", {"scope": "/subscriptions/x"}, "scope"),
    ("timings", {"scope": "/subscriptions/x", "vault_write": 1, "role_propagation": 1}, "scope"),
    ("faults", {}, "then"),
    ("faults", {"then": {"status": 99}}, "then.status"),
    ("faults", {"then": {"status": 500, "reset": True}}, "then.reset"),
    ("faults", {"then": {"reset": True, "lose_answer": True}}, "then.lose_answer"),
    ("faults", {"then": {"reset": True, "code": "X"}}, "then.code"),
    ("faults", {"then": {"latency_seconds": 1, "retry_after": 1}}, "then.retry_after"),
    ("faults", {"then": {"latency_seconds": -1}}, "then.latency_seconds"),
    ("faults", {"then": {"statuss": 500}}, "then.statuss"),
    ("faults", {"match": {"path_regex": "("}, "then": {"status": 500}}, "match.path_regex"),
    ("faults", {"match": {"nth": 0}, "then": {"status": 500}}, "match.nth"),
    ("faults", {"match": {"verb": "GET"}, "then": {"status": 500}}, "match.verb"),
    ("faults", {"match": "x", "then": {"status": 500}}, "match"),
    ("jobs", {"cluster": "/x", "operation": "backup", "outcome": "completed"}, "cluster"),
    ("jobs", {"cluster": "/x", "operation": "backup", "outcome": "great"}, "outcome"),
    ("jobs", {"cluster": "/x", "outcome": "completed"}, "operation"),
    ("jobs", {"cluster": "/x", "operation": "resize", "outcome": "completed"}, "operation"),
    ("schedule/run", {"cluster": "/x"}, "cluster"),
    ("eventgrid", {"lose": 2}, "lose"),
    ("eventgrid", {"reorder": 1}, "reorder"),
    ("eventgrid", {"delay_seconds": "soon"}, "delay_seconds"),
    ("eventgrid", {"drop": True}, "drop"),
    ("clusters", [], "body"),
]


@pytest.mark.parametrize(("name", "body", "field"), BAD)
async def test_bad_input_names_the_field_and_changes_nothing(arm: ArmCaller, name: str, body: Any, field: str) -> None:
    answer = await arm.control("POST", name, body)
    assert (answer.status, answer.body["error"]["target"]) == (400, field)
    assert answer.body["error"]["message"].startswith(f"{field}: ")
    assert arm.cloud.container_service.clusters() == []
    assert len(arm.cloud.resources.subscriptions()) == 1
    assert (await arm.call("GET", SUBSCRIPTION)).status == 200


async def test_what_is_not_json_is_refused(arm: ArmCaller) -> None:
    answer = await arm.cloud.respond(Request("POST", "/simulator/clusters", body=b"{"))
    assert (answer.status, answer.body["error"]["target"]) == (400, "body")


@pytest.mark.parametrize(("method", "name"), [("GET", "nothing"), ("GET", "faults/x"), ("PUT", "clusters")])
async def test_what_is_unknown_lists_what_is_known(arm: ArmCaller, method: str, name: str) -> None:
    answer = await arm.control(method, name)
    assert answer.status == 404
    assert "POST /simulator/clusters" in answer.body["error"]["message"]
