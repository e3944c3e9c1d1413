"""The app's own steps, sent to a simulated Azure, lead to a cluster that is protected."""

from shared.domain.facts import value_of
from shared.domain.profile import BackupScope, HookReference
from shared.domain.steps import Accepted, CreateBackupInstance, StartBackup, ValidateForBackup
from tests.contract.azure_under_test import VAULT, AzureUnderTest


async def test_every_step_of_a_protection_up_to_its_first_recovery_point() -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    await azure.ready_to_protect(cluster)
    body = azure.body_of(cluster)

    started = await azure.apply(ValidateForBackup(body), cluster)
    assert isinstance(started, Accepted)
    await azure.clock.advance(120)
    validated = (await azure.look(cluster, operations={"v": started.operation_url})).observed.operations["v"]
    state = value_of(validated)
    assert state is not None
    assert (state.status, state.error) == ("succeeded", None)

    assert await azure.apply(CreateBackupInstance(body), cluster) == Accepted()
    await azure.clock.advance(600)
    there = await azure.get(body.arm_id, "2026-06-01")
    assert there.body["properties"]["currentProtectionState"] == "ProtectionConfigured"

    triggered = await azure.apply(StartBackup(body.arm_id, "BackupDaily", "AlwaysOn"), cluster)
    assert isinstance(triggered, Accepted)
    await azure.clock.advance(900)
    observed = (
        await azure.look(cluster, operations={"b": triggered.operation_url}, recovery_points_of=body.arm_id)
    ).observed
    backup = value_of(observed.operations["b"])
    assert backup is not None
    assert backup.job_id
    assert value_of(observed.recovery_point) is not None
    points = await azure.get(f"{body.arm_id}/recoveryPoints", "2026-06-01")
    assert len(points.body["value"]) == 1


async def test_what_to_back_up_arrives_as_azure_names_it() -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    await azure.ready_to_protect(cluster)
    scope = BackupScope(
        included_namespaces=("shop",),
        label_selectors=("app=web",),
        excluded_resource_types=("v1/Secret",),
        include_cluster_scoped_resources=False,
        hooks=(HookReference("freeze", "shop"),),
    )
    body = azure.body_of(cluster, scope=scope)
    await azure.done(CreateBackupInstance(body), wait=600)
    there = await azure.get(body.arm_id, "2026-06-01")
    parameters = there.body["properties"]["policyInfo"]["policyParameters"]["backupDatasourceParametersList"][0]
    assert parameters["includedNamespaces"] == ["shop"]
    assert parameters["excludedNamespaces"] is None
    assert parameters["labelSelectors"] == ["app=web"]
    assert parameters["excludedResourceTypes"] == ["v1/Secret"]
    assert parameters["includeClusterScopeResources"] is False
    assert parameters["backupHookReferences"] == [{"name": "freeze", "namespace": "shop"}]
    assert VAULT.lower() in there.body["id"].lower()
