"""What the actor changes and takes away again, as its owner then sees it over ARM."""

import pytest

from shared.domain.facts import Absent, Present, value_of
from shared.domain.observed import Grant, grant_key
from shared.domain.steps import Accepted, DeleteExtension, Done, Failed, GrantRole, RevokeRole, UpdateExtension
from shared.plan.names import assignment_name
from simulator.arm.faults import Fault
from tests.contract.azure_under_test import READER, VAULT, AzureUnderTest

EXTENSIONS = "2025-03-01"


def extension_id(cluster: object) -> str:
    return f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"


async def test_an_update_changes_only_the_settings_it_names() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    path = extension_id(cluster)
    before = (await azure.get(path, EXTENSIONS)).body["properties"]["configurationSettings"]
    settings = {"resources.limits.memory": "4400Mi", "resources.requests.memory": "4400Mi"}

    assert await azure.apply(UpdateExtension(path, settings), cluster) == Accepted()

    assert (await azure.get(path, EXTENSIONS)).body["properties"]["provisioningState"] == "Updating"
    await azure.clock.advance(600)
    after = (await azure.get(path, EXTENSIONS)).body["properties"]
    assert after["provisioningState"] == "Succeeded"
    assert after["configurationSettings"] == {**before, **settings}


async def test_an_update_while_another_runs_is_not_ready_yet() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    step = UpdateExtension(extension_id(cluster), {"resources.limits.memory": "4400Mi"})
    assert await azure.apply(step, cluster) == Accepted()
    outcome = await azure.apply(step, cluster)
    assert isinstance(outcome, Failed)
    assert outcome.error.kind == "not_ready_yet"


async def test_an_update_whose_answer_is_lost_is_sent_once_and_can_be_seen() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    azure.cloud.front_door.faults.add(Fault("lost", "PATCH", None, 1, 1, lose_answer=True))
    step = UpdateExtension(extension_id(cluster), {"resources.limits.memory": "4400Mi"})

    outcome = await azure.apply(step, cluster)

    assert isinstance(outcome, Failed)
    assert outcome.error.kind == "transient"
    assert [method for method, path, _ in azure.mutations() if method == "PATCH"] == ["PATCH"]
    await azure.clock.advance(600)
    extension = value_of((await azure.look(cluster, extension=True)).observed.extension)
    assert extension is not None
    assert extension.memory_limit == "4400Mi"


@pytest.mark.parametrize("times", [1, 2])
async def test_a_deleted_extension_is_gone_however_often_it_is_deleted(times: int) -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    for _ in range(times):
        assert await azure.apply(DeleteExtension(extension_id(cluster)), cluster) == Accepted()
        await azure.clock.advance(900)
    assert isinstance((await azure.look(cluster, extension=True)).observed.extension, Absent)


async def test_a_role_is_taken_away_and_given_anew() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    vault = value_of((await azure.look_at_region(vault_id=VAULT)).observed.vault)
    assert vault is not None
    assert vault.principal_id is not None
    grant = Grant(vault.principal_id, READER, cluster.arm_id)
    name = assignment_name(grant)
    path = f"{cluster.arm_id}/providers/Microsoft.Authorization/roleAssignments/{name}"

    assert await azure.apply(RevokeRole(grant, path), cluster) == Done()
    fact = (await azure.look(cluster, grants=(grant,))).observed.grants[grant_key(grant)]
    assert isinstance(fact, Absent)
    assert await azure.apply(RevokeRole(grant, path), cluster) == Done(), "taking away twice is taking away once"

    assert await azure.apply(GrantRole(grant, name), cluster) == Done()
    fact = (await azure.look(cluster, grants=(grant,))).observed.grants[grant_key(grant)]
    assert isinstance(fact, Present)


async def test_each_change_is_in_the_audit_trail_before_and_after() -> None:
    azure = AzureUnderTest()
    cluster, _ = await azure.protected()
    before = len(azure.trail.actions)
    path = extension_id(cluster)
    await azure.apply(UpdateExtension(path, {"resources.limits.memory": "4400Mi"}), cluster)
    await azure.clock.advance(600)
    await azure.apply(DeleteExtension(path), cluster)
    lines = [(line.step, line.outcome, line.target) for line in azure.trail.actions[before:]]
    assert lines == [
        ("UpdateExtension", "Started", path),
        ("UpdateExtension", "Accepted", path),
        ("DeleteExtension", "Started", path),
        ("DeleteExtension", "Accepted", path),
    ]
