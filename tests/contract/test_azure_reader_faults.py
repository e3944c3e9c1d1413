"""What could not be read is never taken for what is not there."""

import re
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.errors import GuardError
from shared.domain.facts import Absent, Present, Unobserved, value_of
from shared.domain.observed import Grant, grant_key
from shared.domain.reads import JobSearch
from shared.domain.steps import Accepted, StartBackup
from shared.observe import fields
from shared.observe.backup_extension import parse_extension
from shared.observe.backup_instance import parse_instance
from shared.observe.backup_job import parse_job
from shared.observe.backup_policy import parse_policy
from shared.observe.backup_vault import parse_vault
from shared.observe.managed_cluster import parse_cluster
from shared.observe.operation import parse_operation
from shared.observe.recovery_point import parse_recovery_point
from shared.observe.role_assignments import parse_assignment
from shared.observe.storage_account import parse_account, parse_container
from shared.observe.trusted_access import parse_binding
from simulator.arm.faults import Fault
from simulator.cloud import FIRST_SUBSCRIPTION
from tests.contract.azure_under_test import READER, VAULT, AzureUnderTest


def fault(azure: AzureUnderTest, path: str, **then: Any) -> None:
    azure.cloud.front_door.faults.add(Fault("f", path=re.compile(path, re.IGNORECASE), **then))


def calls_to(azure: AzureUnderTest, part: str) -> int:
    return sum(part.lower() in call.path.lower() for call in azure.cloud.front_door.calls.all())


async def test_a_server_error_leaves_the_fact_unobserved_and_the_others_read() -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    fault(azure, "/trustedAccessRoleBindings", status=500, code="InternalServerError")
    reading = await azure.look(cluster, cluster=True, bindings=True)
    assert isinstance(reading.observed.cluster, Present)
    assert isinstance(reading.observed.bindings, Unobserved)
    assert "InternalServerError" in reading.observed.bindings.reason
    (error,) = reading.errors
    assert (error.kind, error.code) == ("transient", "InternalServerError")
    assert calls_to(azure, "/trustedAccessRoleBindings") == 3
    assert azure.pauses == pytest.approx([0.05, 0.3])


@pytest.mark.parametrize("then", [{"status": 503}, {"reset": True}, {"lose_answer": True}])
async def test_a_fault_that_passes_at_once_is_not_seen(then: dict[str, Any]) -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    fault(azure, "/managedClusters/", times=2, **then)
    reading = await azure.look(cluster, cluster=True)
    assert isinstance(reading.observed.cluster, Present)
    assert reading.errors == ()


async def test_a_connection_that_stays_broken_is_unobserved() -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    fault(azure, "/managedClusters/", reset=True)
    reading = await azure.look(cluster, cluster=True)
    assert isinstance(reading.observed.cluster, Unobserved)
    assert reading.errors[0].kind == "transient"


async def test_a_throttled_read_is_not_repeated_and_the_next_is_held_back_without_a_call() -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    fault(azure, "/managedClusters/", times=1, status=429, code="SubscriptionRequestsThrottled", retry_after=40)
    reading = await azure.look(cluster, cluster=True)
    assert isinstance(reading.observed.cluster, Unobserved)
    assert (reading.errors[0].kind, reading.errors[0].retry_after) == ("transient", 40)
    assert calls_to(azure, "/managedClusters/") == 1
    held = await azure.look(cluster, cluster=True)
    assert held.errors[0].code == "ClientThrottled"
    assert held.errors[0].retry_after == pytest.approx(40)
    assert calls_to(azure, "/managedClusters/") == 1
    await azure.clock.advance(41)
    assert isinstance((await azure.look(cluster, cluster=True)).observed.cluster, Present)


async def test_an_unreadable_refusal_blocks_and_says_who_may_help() -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    for assignment in azure.cloud.authorization.assignments_of(azure.cloud.identity.app.object_id):
        azure.cloud.authorization.remove(assignment)
    reading = await azure.look(cluster, cluster=True)
    assert isinstance(reading.observed.cluster, Unobserved)
    (error,) = reading.errors
    assert (error.kind, error.code) == ("blocked", "AuthorizationFailed")
    assert error.recommended_action


async def test_a_404_that_is_not_about_the_resource_proves_nothing() -> None:
    azure = AzureUnderTest()
    elsewhere = replace(await azure.cluster(), subscription_id="99999999-9999-9999-9999-999999999999")
    reading = await azure.look(elsewhere, cluster=True)
    assert isinstance(reading.observed.cluster, Unobserved)
    assert reading.errors[0].code in ("SubscriptionNotFound", "InvalidSubscriptionId")


async def test_an_error_of_one_grants_call_hits_all_it_would_have_answered_and_no_other() -> None:
    azure = AzureUnderTest()
    await azure.region()
    principal = azure.cloud.identity.new_principal("somebody").object_id
    on_vault, on_subscription = Grant(principal, READER, VAULT.lower()), Grant(principal, READER, "/subscriptions/x")
    on_group = Grant(principal, READER, VAULT.lower().partition("/providers/")[0])
    fault(azure, "/backupVaults/.*/roleAssignments", status=503)
    facts = (await azure.look_at_region(grants=(on_vault, on_group))).observed.grants
    assert isinstance(facts[grant_key(on_vault)], Unobserved)
    assert isinstance(facts[grant_key(on_group)], Absent)
    assert grant_key(on_subscription) not in facts


async def test_a_list_that_breaks_off_raises_instead_of_being_short() -> None:
    azure = AzureUnderTest()
    for number in range(120):
        await azure.cluster(name=f"aks-{number}", settled=True)
    fault(azure, "/managedClusters$", nth=2, status=500)
    with pytest.raises(GuardError) as raised:
        await anext(azure.reader.list_clusters(FIRST_SUBSCRIPTION))  # not even the first is given out
    assert raised.value.kind == "transient"


async def test_the_list_of_an_unknown_subscription_raises() -> None:
    azure = AzureUnderTest()
    with pytest.raises(GuardError):
        _ = [each async for each in azure.reader.list_clusters("99999999-9999-9999-9999-999999999999")]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/subscriptions/x/operationStatus/1",
        "http://127.0.0.1.evil.example/operationStatus/1",
        "http://127.0.0.1:9/operationStatus/1",
        "https://127.0.0.1/operationStatus/1",
        "http://127.0.0.1@evil.example/operationStatus/1",
        "",
    ],
)
async def test_a_token_never_leaves_for_another_host(url: str) -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    azure.cloud.front_door.calls.clear()
    reading = await azure.look(cluster, operations={"StartBackup": url})
    assert isinstance(reading.observed.operations["StartBackup"], Unobserved)
    assert reading.errors[0].code == "ForeignUrl"
    assert azure.cloud.front_door.calls.all() == []


async def test_an_operation_that_is_gone_is_absent() -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    started = await azure.apply(StartBackup(body.arm_id, "BackupDaily", "AlwaysOn"), cluster)
    assert isinstance(started, Accepted)
    before, _, query = started.operation_url.partition("?")
    gone = f"{before.rpartition('/')[0]}/bm93aGVyZQ==?{query}"
    observed = (await azure.look(cluster, operations={"there": started.operation_url, "gone": gone})).observed
    assert isinstance(observed.operations["there"], Present)
    assert isinstance(observed.operations["gone"], Absent)


async def test_a_backup_whose_start_had_no_answer_is_found() -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    before = azure.clock.now()
    await azure.clock.advance(300)
    search = JobSearch(VAULT, body.arm_id, azure.clock.now(), "AlwaysOn")
    assert isinstance((await azure.look(cluster, job_search=search)).observed.backup_job, Absent)
    azure.cloud.data_protection.run_schedule(cluster.arm_id)
    await azure.clock.advance(900)
    # a scheduled one is not it
    assert isinstance((await azure.look(cluster, job_search=search)).observed.backup_job, Absent)
    await azure.done(StartBackup(body.arm_id, "BackupDaily", "AlwaysOn"), wait=900)
    job = value_of((await azure.look(cluster, job_search=search)).observed.backup_job)
    assert job is not None
    assert job.user_triggered
    assert job.started_at > before
    again = value_of((await azure.look(cluster, backup_job_id=job.arm_id)).observed.backup_job)
    assert again == job
    assert job.status == "Completed"


PARSERS = {
    "cluster": parse_cluster,
    "extension": parse_extension,
    "binding": parse_binding,
    "instance": parse_instance,
    "vault": parse_vault,
    "policy": parse_policy,
    "account": parse_account,
    "container": parse_container,
    "job": parse_job,
    "point": parse_recovery_point,
    "operation": parse_operation,
    "assignment": parse_assignment,
}
GARBLED: list[dict[str, Any]] = [
    {},
    {"id": None, "properties": None},
    {"id": 3, "name": [], "properties": "text"},
    {"id": "i", "name": "n", "location": 5, "status": [], "properties": {"provisioningState": {}, "policyRules": 1}},
    {
        "id": "i",
        "name": "n",
        "location": "l",
        "tags": 3,
        "properties": {
            "extensionType": 1,
            "provisioningState": 1,
            "roles": "x",
            "currentProtectionState": 1,
            "policyRules": [1],
            "startTime": "soon",
            "status": "s",
            "recoveryPointTime": "soon",
            "createdOn": "soon",
        },
    },
]


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("body", GARBLED)
def test_garbled_answers_are_unreadable_and_never_a_crash(name: str, body: dict[str, Any]) -> None:
    if name == "container" and body.get("id") == "i":
        return  # an id and a name are all that is read of a container
    with pytest.raises(fields.UnreadableBodyError):
        PARSERS[name](body)


async def test_a_garbled_answer_is_unobserved(monkeypatch: pytest.MonkeyPatch) -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    there = azure.cloud.container_service.cluster(cluster.arm_id)
    assert there is not None
    monkeypatch.setattr(there, "resource_uid", 5)
    reading = await azure.look(cluster, cluster=True)
    assert isinstance(reading.observed.cluster, Unobserved)
    assert "properties.resourceUID" in reading.observed.cluster.reason
    assert reading.errors[0].code == "UnreadableAnswer"


async def test_a_defect_is_not_taken_for_azures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()

    async def defect(_request: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(azure.cloud.front_door, "respond", defect)
    with pytest.raises(RuntimeError, match="a defect"):
        await azure.look(cluster, cluster=True, bindings=True)
