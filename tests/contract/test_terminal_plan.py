"""`plan` says what the deployed loop then really does, no more and no less, and does nothing itself."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from cli.azure import ReadingArm
from cli.imagined import Imagination
from cli.quota import MemoryQuota
from cli.rehearsal import Rehearsals, Rehearsed
from cli.step_words import kind_of, words
from shared.domain.ids import ClusterId
from shared.domain.profile import Configuration, Retention, VaultSettings
from simulator.transport import SimulatedCredential, SimulatedTransport
from tests.virtual.azure import ROOT
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing


async def rehearsed(
    world: VirtualWorld, *clusters: ClusterId, configuration: Configuration | None = None
) -> tuple[list[Rehearsed], list[Rehearsed]]:
    """The clusters and their regions, as the terminal finds them; fails the test when anything but a question is asked
    of Azure."""
    arm = ReadingArm(
        "http://127.0.0.1",
        SimulatedCredential(world.cloud),
        ("https://management.azure.com/.default",),
        quota=MemoryQuota(),
        clock=world.clock,
        instance="terminal",
        transport=SimulatedTransport(world.cloud),
    )
    before = len(world.cloud.front_door.calls.all())
    rehearsals = Rehearsals(arm, configuration or world.configuration, now=world.clock.now())
    found = [await rehearsals.cluster(cluster) for cluster in clusters]
    regions = list((await rehearsals.regions()).values())
    asked = world.cloud.front_door.calls.all()[before:]
    assert asked
    assert {call.method for call in asked} <= {"GET", "POST"}
    assert all(call.path.lower().endswith("/resources") for call in asked if call.method == "POST")
    return found, regions


def planned(*found: Rehearsed) -> Counter[str]:
    return Counter(kind_of(step) for each in found for step in each.steps)


def done(world: VirtualWorld) -> Counter[str]:
    """Kinds of the steps that the loop has started, from the audit trail."""
    return Counter(line.step.partition(":")[0] for line in world.trail.actions if line.outcome == "Started")


PROFILES = {
    "as the example has it": enforcing(),
    "an account of its own, and the vault tier": enforcing(
        isolation="account-per-cluster", retention=Retention(7, 30), vault=VaultSettings("AlwaysOn", "critical")
    ),
    "without a first backup": enforcing(first_backup=False),
}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
async def test_a_cluster_from_nothing(profile: Any) -> None:
    world = VirtualWorld(configuration_of(profile), timings=QUICK)
    clusters = [world.create_cluster(settled=True) for _ in range(2)]

    found, regions = await rehearsed(world, *clusters)
    await world.notice(*clusters)
    await world.run(seconds=3600)

    assert planned(*found, *regions) == done(world)
    assert planned(*found)["InstallExtension"] == 2
    assert not any(each.unread or any(c.recommended_action for c in each.in_the_way) for each in found)


async def test_nothing_is_left_to_do_for_what_is_protected() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster)

    found, regions = await rehearsed(world, cluster)
    assert planned(*found, *regions) == Counter()


async def test_only_what_is_missing_is_planned() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster)
    bindings = f"{cluster.arm_id}/trustedAccessRoleBindings"
    [binding] = (await world.operator.send("GET", bindings, "2026-08-01")).body["value"]
    await world.operator.send("DELETE", f"{bindings}/{binding['name']}", "2026-08-01")
    await world.clock.advance(60)
    world.trail.actions.clear()

    found, regions = await rehearsed(world, cluster)
    await world.notice(cluster)
    await world.run(seconds=600)

    assert planned(*found, *regions) == done(world) == Counter({"CreateTrustedAccessBinding": 1})


async def test_audit_tells_the_same_as_enforce_would_do() -> None:
    audit = configuration_of(enforcing(mode="audit"))
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)

    told, _ = await rehearsed(world, cluster, configuration=audit)
    acting, _ = await rehearsed(world, cluster)

    assert [step.key for step in told[0].steps] == [step.key for step in acting[0].steps]
    assert (told[0].mode, acting[0].mode) == ("audit", "enforce")


async def test_an_audited_cluster_beside_an_enforced_one_does_not_count_the_region_twice() -> None:
    enforced = enforcing()
    audited = replace(enforcing(), name="audited", mode="audit", digest="second")
    configuration = configuration_of(enforced, audited)
    world = VirtualWorld(configuration, timings=QUICK)
    acts = world.create_cluster(settled=True)
    told = world.create_cluster(settled=True, tags={"aks-backup-guard-profile": "audited"})

    found, regions = await rehearsed(world, acts, told)
    await world.notice(acts, told)
    await world.run(seconds=3600)

    enforcing_ones = [each for each in (*found, *regions) if each.subject == acts or each.mode == "enforce"]
    assert planned(*enforcing_ones) == done(world), "what is audited is done by nobody"
    assert planned(*regions)["CreateVault"] == 1


async def test_what_is_left_alone_or_cannot_be_backed_up_is_said() -> None:
    world = VirtualWorld(timings=QUICK)
    out = world.create_cluster(settled=True, tags={"aks-backup-guard-exempt": "being retired"})
    unfit = world.create_cluster(settled=True, identity="ServicePrincipal")
    gone = ClusterId.parse(f"{ROOT}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/gone")

    found, regions = await rehearsed(world, out, unfit, gone)

    assert planned(*found, *regions) == Counter()
    assert "being retired" in found[0].left_alone
    assert found[1].in_the_way[0].recommended_action
    assert "deleted" in found[2].left_alone
    assert [each.gone for each in found] == [False, False, True]


async def test_what_cannot_be_read_is_no_plan() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    world.fault(times=None, path="/extensions", status=403, code="AuthorizationFailed")

    [found], _ = await rehearsed(world, cluster)

    assert "AuthorizationFailed" in found.unread
    assert "InstallExtension" not in planned(found)


async def test_every_step_can_be_said_and_is_imagined_under_its_own_id() -> None:
    world = VirtualWorld(configuration_of(enforcing(retention=Retention(7, 30))), timings=QUICK)
    found, regions = await rehearsed(world, world.create_cluster(settled=True))
    lines = [words(step, each.identities) for each in (*found, *regions) for step in each.steps]
    assert len(lines) == len(set(lines))
    assert all(line[0].isupper() for line in lines)
    assert any("to the vault's identity" in line for line in lines)


async def test_the_terminals_arm_refuses_every_change_before_it_leaves() -> None:
    world = VirtualWorld()
    arm = ReadingArm(
        "http://127.0.0.1",
        SimulatedCredential(world.cloud),
        ("https://management.azure.com/.default",),
        quota=MemoryQuota(),
        clock=world.clock,
        instance="terminal",
        transport=SimulatedTransport(world.cloud),
    )
    path = f"{ROOT}/resourceGroups/rg-of-the-terminal"
    for change in (
        arm.put(path, "2025-04-01", {"location": "westeurope"}),
        arm.patch(path, "2025-04-01", {}),
        arm.delete(path, "2025-04-01"),
        arm.post(path, "2025-04-01", once=True),
    ):
        with pytest.raises(AssertionError, match="changes nothing"):
            await change
    assert world.cloud.front_door.calls.all() == []


async def test_a_quota_that_is_used_up_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app would come back later; a person waits, and gets the answer."""
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await world.clock.advance(seconds)

    monkeypatch.setattr("cli.azure.asyncio.sleep", sleep)
    world.fault(times=1, path="/extensions", status=429, code="TooManyRequests", retry_after=7)

    [found], _ = await rehearsed(world, cluster)
    assert 7 in waited
    assert found.unread == ""
    assert planned(found)["InstallExtension"] == 1


def test_what_lies_under_an_imagined_resource_is_imagined() -> None:
    imagination = Imagination(configuration_of(enforcing()), lambda: None)  # type: ignore[arg-type,return-value]
    imagination._ids.add("/subscriptions/s/resourcegroups/g/providers/p/vaults/v")
    assert imagination.holds("/subscriptions/s/resourceGroups/g/providers/p/vaults/V/backupPolicies/x")
    assert not imagination.holds("/subscriptions/s/resourceGroups/g/providers/p/vaults/v2")
