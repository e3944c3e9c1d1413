"""Azure refuses, stumbles and keeps silent: it converges, nothing is doubled, and an unread fact decides nothing."""

import re
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster
from shared.domain.reads import ClusterReads
from shared.ports import AzureReader
from tests.virtual.azure import ROOT
from tests.virtual.effects import Failure
from tests.virtual.world import QUICK, VirtualWorld

KINDS_OF_CALLS = {
    "provider": r"/register$",
    "group": r"/resourceGroups/[^/]+$",
    "account": r"/storageAccounts/[^/]+$",
    "container": r"/containers/[^/]+$",
    "vault": r"/backupVaults/[^/]+$",
    "policy": r"/backupPolicies/[^/]+$",
    "role": r"/roleAssignments/[^/]+$",
    "extension": r"/extensions/[^/]+$",
    "binding": r"/trustedAccessRoleBindings/[^/]+$",
    "validation": r"/validateForBackup$",
    "instance": r"/backupInstances/[^/]+$",
    "backup": r"/backup$",
}

REFUSALS: dict[str, dict[str, Any]] = {
    "429 with Retry-After": {"status": 429, "code": "TooManyRequests", "retry_after": 30},
    "429 without Retry-After": {"status": 429, "code": "TooManyRequests"},
    "503 with Retry-After": {"status": 503, "code": "ServiceUnavailable", "retry_after": 20},
    "500 once": {"status": 500, "code": "InternalServerError"},
    "500 for longer than an invocation tries": {"status": 500, "code": "InternalServerError", "times": 4},
    "409 busy": {"status": 409, "code": "AnotherOperationInProgress", "times": 2},
    "412": {"status": 412, "code": "PreconditionFailed"},
    "403": {"status": 403, "code": "AuthorizationFailed", "times": 2},
    "locked": {"status": 409, "code": "ScopeLocked", "times": 2},
    "forbidden by policy": {"status": 403, "code": "RequestDisallowedByPolicy"},
    "an unknown code": {"status": 400, "code": "NobodyKnowsThis"},
    "reset": {"reset": True},
    "reset for longer than an invocation tries": {"reset": True, "times": 4},
    "lost answer": {"lose_answer": True},
    "answers lost for longer than an invocation tries": {"lose_answer": True, "times": 4},
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_fault_at_every_kind_of_change_is_survived_without_doubling(refusal: str) -> None:
    clean, cluster = await protected()
    expected = await clean.operator.protection(cluster)
    world = VirtualWorld(timings=QUICK)
    for pattern in KINDS_OF_CALLS.values():
        for method in ("PUT", "POST"):
            world.fault(method=method, path=pattern, **REFUSALS[refusal])
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=6 * 3600)

    found = await world.operator.protection(cluster)
    if refusal == "answers lost for longer than an invocation tries":
        assert found.on_demand_jobs == 1
    assert found == expected


@pytest.mark.parametrize("kind", ["validation", "backup", "instance", "extension"])
async def test_an_operation_under_way_whose_status_cannot_be_read_is_waited_for(kind: str) -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    world.fault(method="GET", path=r"/operationStatus/|/operations/", status=500, code="InternalServerError", times=9)
    world.fault(method="GET", path=r"/backupJobs/", status=500, code="InternalServerError", times=6)
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=3 * 3600)
    assert len(await world.operator.jobs_of(cluster)) == 1


async def protected() -> tuple[VirtualWorld, ClusterId]:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=900)
    return world, cluster


READS = {
    "cluster": (r"/managedClusters/[^/]+$", r"/managedClusters/"),
    "extension": (r"/extensions$", r"/extensions/"),
    "bindings": (r"/trustedAccessRoleBindings$", r"/trustedAccessRoleBindings/"),
    "instances": (r"/managedClusters/[^/]+/providers/Microsoft.DataProtection/backupInstances$", r"/backupInstances/"),
    "container": (r"/containers/[^/]+$", r"/containers/"),
    "account": (r"/storageAccounts/[^/]+$", r"/storageAccounts/[^/]+$"),
    "vault": (r"/backupVaults/[^/]+$", r"/backupVaults/[^/]+$"),
    "policy": (r"/backupPolicies/[^/]+$", r"/backupPolicies/"),
    "groups": (r"/resourceGroups/[^/]+$", r"/resourceGroups/[^/]+$"),
    "providers": (r"/providers/Microsoft\.\w+$", r"/register$"),
    "roles": (r"/roleAssignments$", r"/roleAssignments/"),
    "recovery points": (r"/recoveryPoints$", r"/restore"),
}

UNREADABLE: dict[str, dict[str, Any]] = {
    "forbidden": {"status": 403, "code": "AuthorizationFailed"},
    "broken": {"status": 500, "code": "InternalServerError"},
    "gone with its subscription": {"status": 404, "code": "SubscriptionNotFound"},
}


@pytest.mark.parametrize("how", UNREADABLE)
@pytest.mark.parametrize("what", READS)
async def test_what_cannot_be_read_is_not_made_and_counts_as_unknown(what: str, how: str) -> None:
    read, write = READS[what]
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    fault = world.fault(method="GET", path=read, times=None, **UNREADABLE[how])
    await world.notice(cluster)
    await world.run(seconds=1800)

    assert world.condition(cluster).status != "True"
    written = [c for c in world.operator.changes_by_the_app() if re.search(write, c, re.IGNORECASE)]
    assert not written

    world.heal(fault)
    assert await world.run_until_ready(cluster, seconds=3600)
    assert len(await world.operator.jobs_of(cluster)) == 1


@pytest.mark.parametrize("what", ["cluster", "extension", "bindings", "instances"])
async def test_a_protected_cluster_that_cannot_be_read_is_unknown_and_nothing_is_changed(what: str) -> None:
    world, cluster = await protected()
    world.cloud.front_door.calls.clear()
    fault = world.fault(method="GET", path=READS[what][0], times=None, **UNREADABLE["forbidden"])
    await world.notice(cluster)
    await world.run(seconds=7200)

    assert world.condition(cluster).status == "Unknown"
    assert world.condition(cluster).reason == "Unobserved"
    assert not world.operator.changes_by_the_app()
    record = world.record(cluster)
    assert record is not None
    assert record.deleted_at is None

    world.heal(fault)
    assert await world.run_until_ready(cluster, seconds=3600)
    assert not world.operator.changes_by_the_app()


async def test_a_missing_right_is_said_to_the_cluster_with_what_to_do() -> None:
    world = VirtualWorld(timings=QUICK)
    fault = world.fault(method="PUT", path=r"/storageAccounts/", status=403, code="AuthorizationFailed", times=None)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "RegionReady", "AuthorizationFailed")
    await world.run(seconds=86400)
    assert "role" in said.recommended_action
    assert world.condition(cluster).reason == "AuthorizationFailed"
    tries = [c for c in world.operator.changes_by_the_app() if "/storageAccounts/" in c]
    assert 5 <= len(tries) <= 35, "five minutes at first, an hour in the end"

    world.heal(fault)
    assert await world.run_until_ready(cluster, seconds=2 * 3600)


async def test_a_cluster_that_may_not_be_read_says_what_to_do() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    world.fault(method="GET", path=r"/managedClusters/", status=403, code="AuthorizationFailed", times=None)
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "Ready", "Unobserved")
    assert "AuthorizationFailed" in said.message
    assert "role" in said.recommended_action
    assert not world.operator.changes_by_the_app()


async def test_an_outage_that_asks_for_no_wait_is_not_met_with_haste() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    world.fault(
        method="GET", path=r"/managedClusters/", status=503, code="ServiceUnavailable", retry_after=0, times=None
    )
    await world.notice(cluster)

    await world.run(seconds=60)
    asked = [c for c in world.cloud.front_door.calls.all() if c.path.lower().endswith(f"/{cluster.name}")]
    assert 1 < len(asked) <= 61


async def test_looks_that_always_end_in_an_error_nobody_expected_are_said(caplog: pytest.LogCaptureFixture) -> None:
    """The message of such a pass is stale when it comes back, so that it is never poison."""
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1200)
    whole = world.host
    world.host = replace(whole, reader=BrokenReader(whole.reader))
    world.effects.failure = Failure(0, "before", "error")  # errors are expected from here on
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "Ready", "ReconcileFailed")
    assert said.status == "Unknown"
    assert "KeyError" in said.message
    assert not world.queue.poison
    assert f"{cluster}: the look ended in an error" in caplog.text

    world.host = whole
    assert await world.run_until_ready(cluster, seconds=3600 + 600)


class BrokenReader:
    """A reader with a mistake in it."""

    def __init__(self, reader: AzureReader) -> None:
        self.read_region, self.list_clusters = reader.read_region, reader.list_clusters

    async def read_cluster(self, cluster: ClusterId, reads: ClusterReads, known: ObservedCluster) -> Any:
        raise KeyError("nobody thought of that")


async def test_a_lock_on_the_backup_group_is_named_and_waited_for() -> None:
    world = VirtualWorld(timings=QUICK)
    group = await world.operator.make_group("AKSAzureBackup_westeurope")
    lock = await world.operator.lock(group)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "RegionReady", "ScopeLocked")
    assert "lock" in said.recommended_action

    await world.operator.unlock(lock)
    assert await world.run_until_ready(cluster, seconds=2 * 3600)


async def test_a_cluster_that_is_busy_is_waited_for() -> None:
    """Somebody writes to the cluster while the Guard wants to bind it: AKS answers 409."""
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    pattern = r"/trustedAccessRoleBindings/"
    world.fault(method="PUT", path=pattern, status=409, code="OperationNotAllowed", times=8)
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=3 * 3600)
    assert len(await world.operator.bindings(cluster)) == 1


async def test_a_backup_whose_start_nobody_answered_is_found_and_not_started_twice() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    world.fault(method="POST", path=r"/backup$", lose_answer=True, times=5)
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "BackupHealthy", "BackupStartUnknown")
    assert "before it tries again" in said.message
    assert await world.run_until_ready(cluster, seconds=3600)
    assert len(await world.operator.jobs_of(cluster)) == 1


async def test_a_backup_whose_start_never_arrived_is_started_after_all() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    world.fault(method="POST", path=r"/backup$", reset=True, times=2)
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=3600)
    assert len(await world.operator.jobs_of(cluster)) == 1


async def test_a_vault_that_is_gone_is_made_again_within_a_day_and_said_before() -> None:
    """Somebody deletes the region's backup group: drift that no event of the cluster tells."""
    world, cluster = await protected()
    await world.operator.do("DELETE", f"{ROOT}/resourceGroups/AKSAzureBackup_westeurope", "2025-04-01")
    await world.run(seconds=2 * 86400)

    assert await world.run_until_ready(cluster, seconds=86400)
    assert len(await world.operator.vaults()) == 1
    assert len(await world.operator.instances(cluster)) == 1
