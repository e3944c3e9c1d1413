"""The reader of the fleet sees what ARM has, for clusters in every state, and says what it may not see."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.facts import Absent, Present, Unobserved, value_of
from shared.domain.fleet import JobsDigest
from shared.domain.ids import ClusterId
from shared.domain.profile import BackupScope
from shared.domain.steps import CreateBackupInstance
from shared.plan import roles
from tests.contract.azure_under_test import ACCOUNT, POLICY, SNAPSHOT_GROUP, SUBSCRIPTION, VAULT
from tests.contract.fleet_under_test import FleetUnderTest, about, ids

OTHER = "00000000-0000-0000-0000-00000000000f"
GRAPH_ALONE = {"node_pools", "created_at", "changed_at"}
"""What ARM tells and Resource Graph does not."""


async def protected(azure: FleetUnderTest, **scope: Any) -> ClusterId:
    await azure.region()
    cluster = await azure.cluster(tags={"team": "shop"})
    await azure.ready_to_protect(cluster)
    await azure.done(CreateBackupInstance(azure.body_of(cluster, scope=BackupScope(**scope))), wait=600)
    return cluster


def alike(one: Any, other: Any, *but: str) -> None:
    """The same facts, ids in whatever case."""
    for name in one.__dataclass_fields__.keys() - GRAPH_ALONE - {*but}:
        mine, theirs = getattr(one, name), getattr(other, name)
        same = (mine, theirs) if not isinstance(mine, str) else (mine.lower(), theirs.lower())
        assert same[0] == same[1], name


async def test_a_protected_cluster_is_as_arm_has_it() -> None:
    azure = FleetUnderTest()
    hooked: dict[str, Any] = {
        "included_namespaces": ("shop", "cart"),
        "label_selectors": ("app=web",),
        "snapshot_volumes": False,
    }
    cluster = await protected(azure, **hooked)
    job = azure.cloud.data_protection.add_job(cluster.arm_id)
    await azure.clock.advance(600)

    seen = await azure.seen(cluster)

    there = (await azure.look(cluster, cluster=True, extension=True, instances=True)).observed
    alike(seen.cluster, value_of(there.cluster))
    assert seen.cluster.tags == {"team": "shop"}
    extension = value_of(seen.extension)
    alike(extension, value_of(there.extension))
    assert (extension.memory_limit, extension.version, extension.uses_aad) == ("2Gi", "1.0.0", True)  # type: ignore[union-attr]
    (instance,) = value_of(seen.instances) or ()
    (theirs,) = value_of(there.instances) or ()
    alike(instance, theirs, "latest_recovery_point")
    assert instance.scope == BackupScope(**hooked)
    (point,) = azure.cloud.data_protection.recovery_points(instance.arm_id)
    assert instance.latest_recovery_point == point.time
    body = (await azure.get(job, "2026-06-01")).body["properties"]
    digest = value_of(seen.jobs)
    assert digest is not None
    assert digest.last is not None
    assert (digest.last.key, digest.last.status, digest.last.code) == (job, "completed", "")
    assert digest.last_clean_at == digest.last.ended_at
    assert f"{digest.last.ended_at:%Y-%m-%dT%H:%M:%S}" == body["endTime"][:19]
    assert (digest.last_codes, digest.last_restore_at, digest.last_out_of_memory_at) == ((), None, None)
    assert azure.fleet.rows.unreadable == 0


async def test_each_question_can_be_traced() -> None:
    azure = FleetUnderTest()
    cluster = await protected(azure)
    found = await azure.batch()
    assert ids(found) == [cluster.arm_id]
    assert [(each.name, each.error) for each in found.sources] == [
        (name, "") for name in ("clusters", "clusters", "extensions", "instances", "jobs", "grants", "grants")
    ]
    calls = [call for call in azure.cloud.front_door.calls.all() if call.path.endswith("ResourceGraph/resources")]
    asked = [request_id for each in found.sources for request_id in each.request_ids]
    assert len(asked) == len(set(asked)) == len(calls) == len(azure.asked)
    assert {each.at for each in found.sources} == {azure.clock.now()}
    assert [each.rows for each in found.sources[:4]] == [1, 1, 1, 1]


async def test_a_cluster_that_nobody_protects_has_nothing() -> None:
    azure = FleetUnderTest()
    await azure.region()
    cluster = await azure.cluster(power="Stopped")
    seen = await azure.seen(cluster)
    now = azure.clock.now()
    assert seen.cluster.power_state == "Stopped"
    assert seen.extension == Absent(now)
    assert seen.instances == Present((), now)
    assert seen.jobs == Present(JobsDigest(), now)
    alike(seen.cluster, value_of((await azure.look(cluster, cluster=True)).observed.cluster))


@pytest.mark.parametrize(
    "overrides",
    [
        {"identity": "UserAssigned"},
        {"identity": "ServicePrincipal"},
        {"disk_csi": False},
        {"snapshot_controller": False},
        {"outbound_type": "none"},
        {"pod_identity": True},
        {"arm64_only": True},
        {"windows_only": True},
        {"provisioning_state": "Failed"},
        {"tags": {"team": '=cmd|"/c calc"!A1', "<script>": "\u202egnp.exe", "long": "x" * 250}},
        {"kubernetes_version": "1.32.1"},
    ],
)
async def test_what_azure_asks_of_a_cluster_is_seen(overrides: dict[str, Any]) -> None:
    azure = FleetUnderTest()
    cluster = await azure.cluster(**overrides)
    observed = value_of((await azure.look(cluster, cluster=True)).observed.cluster)
    alike((await azure.seen(cluster)).cluster, observed)


async def test_of_the_jobs_the_newest_count() -> None:
    azure = FleetUnderTest()
    cluster = await protected(azure)
    backup = azure.cloud.data_protection
    ended: dict[str, Any] = {}
    for name, order in {
        "clean": {},
        "restore": {"operation": "Restore"},
        "oom": {"outcome": "oom"},
        "failed": {"outcome": "failed", "code": "UserErrorSomething"},
    }.items():
        backup.add_job(cluster.arm_id, **order)
        await azure.clock.advance(3600)
        ended[name] = backup.all_jobs()[-1].ended

    digest = value_of((await azure.seen(cluster)).jobs)

    assert digest is not None
    assert digest.last is not None
    assert (digest.last.status, digest.last.code, digest.last.ended_at) == (
        "failed",
        "UserErrorSomething",
        ended["failed"],
    )
    assert "UserErrorSomething" in digest.last_codes
    times = digest.last_clean_at, digest.last_restore_at, digest.last_out_of_memory_at
    assert times == (ended["clean"], ended["restore"], ended["oom"])
    backup.add_job(cluster.arm_id, outcome="warnings")
    await azure.clock.advance(3600)
    digest = value_of((await azure.seen(cluster)).jobs)
    assert digest is not None
    assert digest.last is not None
    assert (digest.last.status, digest.last_clean_at) == ("completedwithwarnings", ended["clean"])
    await azure.clock.advance(15 * 86400)
    assert value_of((await azure.seen(cluster)).jobs) == JobsDigest(), "fourteen days is all there is"


async def test_a_running_job_is_no_end() -> None:
    azure = FleetUnderTest()
    cluster = await protected(azure)
    azure.cloud.data_protection.add_job(cluster.arm_id)
    await azure.clock.advance(10)
    assert value_of((await azure.seen(cluster)).jobs) == JobsDigest()


async def test_stopped_protection_shows() -> None:
    azure = FleetUnderTest()
    cluster = await protected(azure)
    instance = azure.body_of(cluster).arm_id
    for action, state in (("suspendBackups", "BackupsSuspended"), ("stopProtection", "ProtectionStopped")):
        answer = await azure.call("POST", f"{instance}/{action}", "2026-06-01", b"{}")
        assert answer.status < 300, answer.body
        await azure.clock.advance(600)
        (found,) = value_of((await azure.seen(cluster)).instances) or ()
        assert found.protection_state == state


async def test_a_failed_extension_says_why() -> None:
    azure = FleetUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    await azure.ready_to_protect(cluster)
    held = azure.cloud.kubernetes_configuration.backup_extension(cluster.arm_id)
    assert held is not None
    held.provisioning_state = "Failed"
    held.error = {"code": "ExtensionOperationFailed", "message": "helm timed out"}
    await azure.clock.advance(600)
    extension = value_of((await azure.seen(cluster)).extension)
    assert extension is not None
    assert extension.provisioning_state == "Failed"
    assert extension.error == value_of((await azure.look(cluster, extension=True)).observed.extension).error  # type: ignore[union-attr]
    assert "helm timed out" in extension.error


async def test_vaults_and_policies_are_as_arm_has_them() -> None:
    azure = FleetUnderTest()
    await azure.region()
    shared = await azure.fleet.shared()
    there = (await azure.look_at_region(vault_id=VAULT, policy_ids=(POLICY,))).observed
    assert value_of(shared.vaults) == {VAULT.lower(): value_of(there.vault)}
    (policy,) = there.policies.values()
    assert value_of(shared.policies) == {POLICY.lower(): value_of(policy)}
    assert [(each.name, each.rows, each.error) for each in shared.sources] == [("vaults", 1, ""), ("policies", 1, "")]


async def test_the_roles_are_those_that_were_given() -> None:
    azure = FleetUnderTest()
    cluster = await protected(azure)
    seen = await azure.seen(cluster)
    extension = value_of(seen.extension)
    vault = (value_of((await azure.fleet.shared()).vaults) or {})[VAULT.lower()]
    grants = value_of((await azure.batch()).grants)
    assert grants is not None
    assert extension is not None
    assert vault.principal_id is not None
    assert extension.principal_id is not None
    assert seen.cluster.identity_principal_id is not None
    needed = {
        roles.grant(vault.principal_id, roles.READER, cluster.arm_id),
        roles.grant(vault.principal_id, roles.READER, SNAPSHOT_GROUP),
        roles.grant(seen.cluster.identity_principal_id, roles.CONTRIBUTOR, SNAPSHOT_GROUP),
        roles.grant(extension.principal_id, roles.STORAGE_BLOB_DATA_CONTRIBUTOR, ACCOUNT),
    }
    assert needed <= grants
    assert {each.role for each in grants} <= {
        roles.READER,
        roles.CONTRIBUTOR,
        roles.STORAGE_BLOB_DATA_CONTRIBUTOR,
    }, "and of no other role than backups need"


async def test_a_role_under_a_condition_or_of_a_person_does_not_count() -> None:
    azure = FleetUnderTest()
    authorization = azure.cloud.authorization
    for principal in ("plain", "person", "group", "conditional"):
        authorization.grant(principal, roles.READER, SUBSCRIPTION)
    changes: dict[str, dict[str, Any]] = {
        "person": {"principal_type": "User"},
        "group": {"principal_type": "Group"},
        "conditional": {"condition": "@Resource[name] StringEquals 'x'"},
    }
    for each in list(authorization.assignments()):
        if each.principal_id in changes:
            authorization.add(replace(each, **changes[each.principal_id]))
    await azure.clock.advance(600)
    readers = {each.principal_id for each in value_of((await azure.batch()).grants) or () if each.role == roles.READER}
    assert readers == {"plain"}


async def test_a_vault_may_lie_in_another_subscription() -> None:
    """And so may the storage account: its roles are looked for there."""
    azure = FleetUnderTest()
    azure.cloud.resources.add_subscription(OTHER)
    await azure.region()
    (arm_id,) = (await azure.control("clusters", count=1, location="westeurope", subscription=OTHER))["ids"]
    await azure.clock.advance(600)
    azure.cloud.resources.register(OTHER, "Microsoft.KubernetesConfiguration", "Registered")
    cluster = ClusterId.parse(arm_id)
    await azure.ready_to_protect(cluster)
    await azure.done(CreateBackupInstance(azure.body_of(cluster)), wait=600)

    found = await azure.batch(OTHER)

    assert ids(found) == [cluster.arm_id]
    (instance,) = value_of(found.clusters[0].instances) or ()
    assert instance.vault_id == VAULT
    assert any(each.scope == ACCOUNT.lower() for each in value_of(found.grants) or ())
    assert (await azure.batch()).orphans == (), "whoever reads the vault's subscription alone does not call it one"


async def test_an_instance_whose_cluster_is_gone_is_an_orphan() -> None:
    azure = FleetUnderTest()
    cluster = await protected(azure)
    await azure.delete(cluster.arm_id)
    found = await azure.batch()
    assert found.clusters == ()
    assert [each.cluster_id for each in found.orphans] == [cluster.arm_id]
    assert not await azure.fleet.exists(cluster)


async def test_a_fact_that_cannot_be_read_is_not_absent() -> None:
    azure = FleetUnderTest()
    cluster = await protected(azure)
    for what, fact in (
        ("kubernetesconfigurationresources", "extension"),
        ("backupinstances'", "instances"),
        ("backupjobs'", "jobs"),
    ):

        def refused(question: dict[str, Any], body: Any, what: str = what) -> Any:
            return body if not about(question, what) else {"error": {"code": "x", "message": "y"}}

        azure.change = refused
        found = await azure.batch()
        assert ids(found) == [cluster.arm_id]
        assert isinstance(getattr(found.clusters[0], fact), Unobserved)
        assert [each.name for each in found.sources if each.error] == [fact.replace("extension", "extensions")]
