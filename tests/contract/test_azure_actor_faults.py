"""What goes wrong on the way, and what is then true of Azure: nothing is doubled, nothing is taken for done."""

import re
from typing import Any

import pytest

from shared.domain.facts import value_of
from shared.domain.ids import ClusterId
from shared.domain.profile import NetworkRules
from shared.domain.steps import (
    Accepted,
    CreateBackupInstance,
    CreateResourceGroup,
    CreateStorageAccount,
    Done,
    Failed,
    InstanceBody,
    StartBackup,
    StepOutcome,
    ValidateForBackup,
)
from simulator.arm.faults import Fault
from simulator.providers.authorization.models import Lock
from tests.contract.azure_under_test import ACCOUNT, BACKUP_GROUP, SUBSCRIPTION, VAULT, AzureUnderTest


def fault(azure: AzureUnderTest, method: str, path: str, **then: Any) -> None:
    azure.cloud.front_door.faults.add(Fault("f", method=method, path=re.compile(path, re.IGNORECASE), **then))


def error_of(outcome: StepOutcome) -> tuple[str, str]:
    assert isinstance(outcome, Failed), outcome
    return outcome.error.kind, outcome.error.code


async def jobs(azure: AzureUnderTest) -> list[dict[str, Any]]:
    return list((await azure.get(f"{VAULT}/backupJobs", "2026-06-01")).body["value"])


def backup_of(body: InstanceBody) -> StartBackup:
    return StartBackup(body.arm_id, "BackupDaily", "AlwaysOn")


def starts(azure: AzureUnderTest) -> int:
    return sum(path.endswith("/backup") for _, path, _ in azure.mutations())


@pytest.mark.parametrize(
    ("then", "running"),
    [({"lose_answer": True}, 1), ({"reset": True}, 0), ({"status": 500}, 0), ({"status": 503, "retry_after": 5}, 0)],
)
async def test_a_backup_whose_answer_is_lost_is_sent_once_and_may_run(then: dict[str, Any], running: int) -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    fault(azure, "POST", "/backup$", times=1, **then)
    kind, _ = error_of(await azure.apply(backup_of(body), cluster))
    assert kind == "ambiguous_effect"
    assert starts(azure) == 1
    await azure.clock.advance(30)
    assert len(await jobs(azure)) == running


async def test_a_backup_that_was_throttled_did_not_start() -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    fault(azure, "POST", "/backup$", times=1, status=429, code="TooManyRequests", retry_after=9)
    outcome = await azure.apply(backup_of(body), cluster)
    assert isinstance(outcome, Failed)
    assert (outcome.error.kind, outcome.error.retry_after) == ("transient", 9)
    assert await jobs(azure) == []


async def test_a_backup_under_the_wrong_rule_is_not_the_profiles_fault() -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    outcome = await azure.apply(StartBackup(body.arm_id, "Default", "AlwaysOn"), cluster)
    assert isinstance(outcome, Failed)
    assert (outcome.error.kind, outcome.error.code) == ("blocked", "BMSUserErrorInvalidInput")
    assert "Default" in outcome.error.recommended_action


@pytest.mark.parametrize("then", [{"lose_answer": True}, {"reset": True}, {"status": 502}])
async def test_a_put_whose_answer_is_lost_is_sent_again_and_makes_one_thing(then: dict[str, Any]) -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    await azure.ready_to_protect(cluster)
    fault(azure, "PUT", "/backupInstances/", times=1, **then)
    assert await azure.apply(CreateBackupInstance(azure.body_of(cluster)), cluster) == Accepted()
    await azure.clock.advance(600)
    listed = (await azure.get(f"{VAULT}/backupInstances", "2026-06-01")).body["value"]
    assert [each["properties"]["currentProtectionState"] for each in listed] == ["ProtectionConfigured"]


async def test_a_server_that_stays_broken_is_tried_three_times_and_told() -> None:
    azure = AzureUnderTest()
    fault(azure, "PUT", "/resourceGroups/", status=500, code="InternalServerError")
    outcome = await azure.apply(CreateResourceGroup(BACKUP_GROUP, "westeurope", {}))
    assert error_of(outcome) == ("transient", "InternalServerError")
    assert len(azure.mutations()) == 3
    started, ended = azure.trail.actions
    assert (started.outcome, ended.outcome) == ("Started", "InternalServerError")
    assert ended.request_id


async def test_a_retry_after_is_honoured_at_once() -> None:
    azure = AzureUnderTest()
    fault(azure, "PUT", "/resourceGroups/", times=1, status=503, retry_after=25)
    outcome = await azure.apply(CreateResourceGroup(BACKUP_GROUP, "westeurope", {}))
    assert isinstance(outcome, Failed)
    assert (outcome.error.kind, outcome.error.retry_after) == ("transient", 25)
    assert len(azure.mutations()) == 1


async def test_a_lock_needs_a_person() -> None:
    azure = AzureUnderTest()
    await azure.region()
    lock_id = f"{BACKUP_GROUP}/providers/Microsoft.Authorization/locks/keep"
    azure.cloud.authorization.add_lock(Lock(lock_id, "keep", BACKUP_GROUP, "ReadOnly", None))
    outcome = await azure.apply(CreateStorageAccount(f"{ACCOUNT}x", "westeurope", {}, None, NetworkRules(), VAULT))
    assert error_of(outcome) == ("blocked", "ScopeLocked")
    assert (await azure.get(f"{ACCOUNT}x", "2025-06-01")).status == 404


async def test_a_missing_right_needs_a_person_who_is_told_which() -> None:
    azure = AzureUnderTest()
    for assignment in azure.cloud.authorization.assignments_of(azure.cloud.identity.app.object_id):
        azure.cloud.authorization.remove(assignment)
    outcome = await azure.apply(CreateResourceGroup(BACKUP_GROUP, "westeurope", {}))
    assert isinstance(outcome, Failed)
    assert (outcome.error.kind, outcome.error.code) == ("blocked", "AuthorizationFailed")
    assert "Microsoft.Resources" in outcome.error.message
    assert outcome.error.recommended_action


async def validated(azure: AzureUnderTest, cluster: ClusterId) -> tuple[str, str, str]:
    """Status, kind and code that validateForBackup comes to."""
    started = await azure.apply(ValidateForBackup(azure.body_of(cluster)), cluster)
    assert isinstance(started, Accepted)
    await azure.clock.advance(120)
    observed = (await azure.look(cluster, operations={"v": started.operation_url})).observed
    state = value_of(observed.operations["v"])
    assert state is not None
    return (state.status, state.error.kind, state.error.code) if state.error else (state.status, "", "")


async def test_a_validation_that_fails_says_what_is_to_be_waited_for() -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    status, kind, code = await validated(azure, cluster)
    assert (status, kind) == ("failed", "not_ready_yet")
    assert code
    await azure.ready_to_protect(cluster)
    assert await validated(azure, cluster) == ("succeeded", "", "")


async def test_a_validation_whose_answer_is_lost_is_simply_asked_again() -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    await azure.ready_to_protect(cluster)
    fault(azure, "POST", "/validateForBackup$", times=1, lose_answer=True)
    assert await validated(azure, cluster) == ("succeeded", "", "")


async def test_one_instance_of_the_app_that_is_refused_keeps_the_other_still() -> None:
    from shared.act.actor import ArmActor

    azure = AzureUnderTest()
    other = ArmActor(azure.client("two"), azure.trail, azure.clock)
    fault(azure, "PUT", "/resourceGroups/", times=1, status=429, code="SubscriptionRequestsThrottled", retry_after=30)
    step = CreateResourceGroup(BACKUP_GROUP, "westeurope", {})
    subject = ClusterId.parse(f"{SUBSCRIPTION}/resourceGroups/x/providers/Microsoft.ContainerService/managedClusters/y")
    assert error_of(await azure.actor.apply(subject, step)) == ("transient", "SubscriptionRequestsThrottled")
    held = await other.apply(subject, step)
    assert error_of(held) == ("transient", "ClientThrottled")
    assert len(azure.mutations()) == 1
    await azure.clock.advance(31)
    assert await other.apply(subject, step) == Done()


async def test_a_burst_is_paced_below_what_azure_refuses() -> None:
    """Two instances want far more writes than the bucket holds; those who are held back come when they are told."""
    from shared.act.actor import ArmActor

    azure = AzureUnderTest()
    actors = [ArmActor(azure.client(name), azure.trail, azure.clock) for name in ("one", "two")]
    waiting = [
        (0.0, number, CreateResourceGroup(f"{SUBSCRIPTION}/resourceGroups/g-{number}", "westeurope", {}))
        for number in range(500)
    ]
    begun = azure.clock.now()
    while waiting:
        waiting.sort(key=lambda each: each[:2])
        at, number, step = waiting.pop(0)
        passed = (azure.clock.now() - begun).total_seconds()
        await azure.clock.advance(max(0.0, at - passed))
        outcome = await actors[number % 2].apply(
            ClusterId.parse(f"{SUBSCRIPTION}/resourceGroups/x/providers/Microsoft.ContainerService/managedClusters/y"),
            step,
        )
        if isinstance(outcome, Failed):
            assert outcome.error.kind == "transient"
            assert outcome.error.retry_after is not None
            now = (azure.clock.now() - begun).total_seconds()
            waiting.append((now + max(outcome.error.retry_after, 0.05), number, step))
    refused = [status for _, _, status in azure.mutations() if status == 429]
    seconds = (azure.clock.now() - begun).total_seconds()
    assert len(refused) <= 5
    assert seconds <= 1.25 * (500 - 200) / 10 + 2
