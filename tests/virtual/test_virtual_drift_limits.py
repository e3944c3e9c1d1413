"""What is not put back, and when nothing is: audit, a hold on repairs, what is not the Guard's own, what can never be
undone, and somebody who sets it back each time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.profile import ExistingResources, ProtectionProfile, Repairs, VaultSettings
from shared.plan import names, roles
from shared.plan.selection import PROFILE_TAG
from shared.ports import RepairHold
from tests.virtual.azure import BACKUP, EXTENSIONS
from tests.virtual.breakages import BREAKAGES, Breakage
from tests.virtual.drift import HOUR, LOCATION, OLDER, Fleet, profile_of, protected, whole
from tests.virtual.test_virtual_adoption import protected_by_hand
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

NAMED: Mapping[str, Breakage] = {breakage.name: breakage for breakage in BREAKAGES}
DAY = 24 * HOUR


def reconfigured(fleet: Fleet, *profiles: ProtectionProfile) -> None:
    """Another deployment with a changed guard.yaml."""
    digested = [replace(profile, digest=f"{profile.digest}-second") for profile in profiles]
    fleet.world.restart(configuration_of(*digested, revision=2, digest="configuration-2"))


def remaining(fleet: Fleet) -> set[str]:
    """Kinds of what the last looks at the broken cluster and its region left to do."""
    records = [fleet.world.record(subject) for subject in (fleet.cluster, fleet.region)]
    return {name.partition(":")[0] for record in records if record for name in record.remaining}


def kinds(calls: set[str]) -> set[str]:
    """What the steps behind the calls are called."""
    marks = (
        ("/undelete", "UndeleteBackupInstance"),
        ("/resumebackups", "ResumeBackups"),
        ("/roleassignments/", "GrantRole"),
        ("/diagnosticsettings/", "CreateDiagnosticSetting"),
        ("/containers/", "CreateContainer"),
        ("/trustedaccessrolebindings/", "CreateTrustedAccessBinding"),
        ("/backuppolicies/", "CreateBackupPolicy"),
        ("/backupinstances/", "CreateBackupInstance"),
        ("/storageaccounts/", "CreateStorageAccount"),
    )
    found = {next((kind for mark, kind in marks if mark in call), call.partition(" ")[0]) for call in calls}
    extension = any("/extensions/" in call for call in calls)
    words = {"patch": "UpdateExtension" if extension else "UpdateVault"}
    words["put"] = "InstallExtension" if extension else "CreateResourceGroup"
    return {words.get(kind, kind) for kind in found}


@pytest.mark.parametrize("breakage", BREAKAGES, ids=str)
async def test_in_audit_nothing_is_changed_and_what_remains_is_named(breakage: Breakage) -> None:
    fleet = await protected()
    reconfigured(fleet, replace(fleet.profile, mode="audit"))
    await fleet.asked(HOUR)
    assert remaining(fleet) == set()
    await breakage.do(fleet)
    broken, sent = await whole(fleet), len(fleet.changes())

    await fleet.asked()

    assert fleet.changes()[sent:] == []
    assert await whole(fleet) == broken
    wanted = kinds(await breakage.calls(fleet))
    assert wanted & remaining(fleet), (wanted, remaining(fleet))


HOLD = RepairHold("20260301T120000Z-aa", VirtualWorld().clock.now(), 40, 100)


@pytest.mark.parametrize(
    "name", ["Reader of vault on cluster", "backups suspended", "extension deleted", "immutability off"]
)
async def test_while_repairs_are_held_nothing_changes_until_a_person_says_so(name: str) -> None:
    fleet = await protected()
    before, world = await whole(fleet), fleet.world
    await NAMED[name].do(fleet)
    broken, sent = await whole(fleet), len(fleet.changes())
    await world.breaker.hold(HOLD)

    await fleet.asked()

    assert await whole(fleet) == broken
    assert fleet.changes()[sent:] == []
    record = world.record(fleet.region if name == "immutability off" else fleet.cluster)
    assert record is not None
    summary = record.conditions["RegionReady" if name == "immutability off" else "Ready"]
    assert (summary.status, summary.reason) == ("False", "RepairsHeld")
    assert HOLD.sweep_id in summary.message
    assert "approve-repairs" in summary.recommended_action
    assert world.is_ready(fleet.neighbour), "what is whole is said to be"

    await world.breaker.approve("a person", world.clock.now(), world.clock.after(HOUR))
    await fleet.asked()
    assert await whole(fleet) == before


async def test_a_new_cluster_is_protected_while_repairs_are_held() -> None:
    fleet = await protected()
    await fleet.world.breaker.hold(HOLD)
    new = fleet.world.create_cluster(settled=True)
    await fleet.world.notice(new)
    assert await fleet.world.run_until_ready(new, seconds=2 * HOUR)


async def test_what_an_adopted_protection_is_like_is_nobodys_business() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = await protected_by_hand(world)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=2 * HOUR)
    await world.run(seconds=HOUR)
    operator, sent = world.operator, len(world.operator.changes_by_the_app())
    (instance,), (extension,) = await operator.instances(cluster), await operator.extensions(cluster)
    body = {"properties": {**instance["properties"]}}
    parameters = body["properties"]["policyInfo"]["policyParameters"]["backupDatasourceParametersList"][0]
    parameters["includedNamespaces"] = ["one"]
    await operator.do("PUT", instance["id"], BACKUP, body)
    settings = {f"{LOCATION}.bucket": "another"}
    await operator.do("PATCH", extension["id"], EXTENSIONS, {"properties": {"configurationSettings": settings}})
    await operator.do("POST", f"{instance['id']}/suspendBackups", BACKUP, {})
    broken = await operator.protection(cluster)

    await world.notice(cluster)
    await world.run(seconds=4 * HOUR)

    assert await operator.protection(cluster) == broken
    assert world.operator.changes_by_the_app()[sent:] == []
    assert world.condition(cluster, "ProtectionConfigured").reason == "BackupsSuspended"


async def test_an_existing_vault_and_policy_stay_as_their_owner_has_them() -> None:
    world = VirtualWorld(timings=QUICK)
    group = await world.operator.make_group("ours")
    vault = (await world.operator.make_vault(group, "our-vault"))["id"]
    policy = await world.operator.make_policy(vault, "our-policy")
    strict = VaultSettings("AlwaysOn", soft_delete_days=90, immutability="Unlocked", diagnostics_workspace_id="/w")
    there = ExistingResources(backup_group_id=group, vault_id=vault, policy_id=policy)
    world.restart(configuration_of(enforcing(existing=there, vault=strict, repairs=Repairs(one_way=True))))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=2 * HOUR)

    changes = [change.lower() for change in world.operator.changes_by_the_app()]
    assert [c for c in changes if c.startswith("patch") or "diagnostic" in c or "backuppolicies" in c] == []
    security = (await world.operator.get(vault, BACKUP))["properties"]["securitySettings"]
    assert security["softDeleteSettings"]["retentionDurationInDays"] == 14.0


def strict(fleet: Fleet, **repairs: bool) -> ProtectionProfile:
    """All that a vault can have, also what can never be undone."""
    vault = VaultSettings(
        "AlwaysOn",
        soft_delete_days=60,
        immutability="Locked",
        cross_region_restore=True,
        diagnostics_workspace_id=fleet.profile.vault.diagnostics_workspace_id,
    )
    return replace(fleet.profile, vault=vault, repairs=Repairs(**repairs))


async def vault_of(fleet: Fleet) -> tuple[Any, ...]:
    body = (await fleet.world.operator.get(fleet.vault, OLDER))["properties"]
    soft_delete = body["securitySettings"]["softDeleteSettings"]
    return (
        soft_delete["state"],
        soft_delete["retentionDurationInDays"],
        body["securitySettings"]["immutabilitySettings"]["state"],
        body["featureSettings"].get("crossRegionRestoreSettings", {}).get("state", "Disabled"),
    )


async def test_what_can_never_be_undone_needs_the_profiles_word_and_is_said_without_it() -> None:
    fleet = await protected()
    reconfigured(fleet, strict(fleet))
    await fleet.asked(DAY)

    assert await vault_of(fleet) == ("On", 60.0, "Unlocked", "Disabled")
    record = fleet.world.record(fleet.region)
    assert record is not None
    said = record.conditions["RegionReady"]
    assert said.status == "True", "the vault works"
    assert record.remaining == ()
    for what in ("soft delete AlwaysOn", "immutability Locked", "cross-region restore"):
        assert what in said.message
    assert "repairs.one_way" in said.recommended_action
    assert fleet.world.is_ready(fleet.cluster)


async def test_what_can_never_be_undone_is_done_with_the_profiles_word() -> None:
    fleet = await protected()
    reconfigured(fleet, strict(fleet, one_way=True))
    await fleet.asked(HOUR)

    assert await vault_of(fleet) == ("AlwaysOn", 60.0, "Locked", "Enabled")
    assert fleet.world.is_ready(fleet.cluster)
    record = fleet.world.record(fleet.region)
    assert record is not None
    assert record.conditions["RegionReady"].recommended_action == ""


async def test_a_vault_is_left_as_it_is_when_the_profile_says_so() -> None:
    fleet = await protected(profile_of(repairs=Repairs(vault_settings=False, one_way=True)))
    for name in ("soft delete shortened", "immutability off", "no restore to other subscriptions"):
        await NAMED[name].do(fleet)
    before, sent = await whole(fleet), len(fleet.changes())
    await fleet.asked()
    assert await whole(fleet) == before
    assert fleet.changes()[sent:] == []


@pytest.mark.parametrize(
    ("repairs", "action", "state"),
    [
        (Repairs(), "stopProtection", "ProtectionStopped"),
        (Repairs(resume_stopped=True), "stopProtection", "ProtectionConfigured"),
        (Repairs(resume_suspended=False), "suspendBackups", "BackupsSuspended"),
    ],
)
async def test_what_is_resumed_the_profile_says(repairs: Repairs, action: str, state: str) -> None:
    fleet = await protected(profile_of(repairs=repairs))
    await fleet.world.operator.do("POST", f"{fleet.instance}/{action}", OLDER, {})
    await fleet.asked()
    (instance,) = await fleet.world.operator.instances(fleet.cluster)
    assert instance["properties"]["currentProtectionState"] == state
    assert fleet.world.is_ready(fleet.cluster) == (state == "ProtectionConfigured")


async def test_an_exempt_cluster_stays_suspended() -> None:
    fleet = await protected()
    await fleet.world.operator.tag_cluster(fleet.cluster, aks_backup_guard_exempt="decommissioned")
    await NAMED["backups suspended"].do(fleet)
    sent = len(fleet.changes())
    await fleet.asked()
    assert fleet.changes()[sent:] == []


async def test_more_memory_that_a_person_gave_the_extension_stays() -> None:
    fleet = await protected()
    path = f"{fleet.cluster}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"
    more = {"properties": {"configurationSettings": {"resources.limits.memory": "6Gi"}}}
    await fleet.world.operator.do("PATCH", path, EXTENSIONS, more)
    before, sent = await whole(fleet), len(fleet.changes())
    await fleet.asked()
    assert await whole(fleet) == before
    assert fleet.changes()[sent:] == []


async def test_an_instance_that_the_vault_no_longer_has_is_made_anew() -> None:
    fleet = await protected()
    for name in ("soft delete off", "instance deleted"):
        await NAMED[name].do(fleet)
    await fleet.asked()
    (instance,) = await fleet.world.operator.instances(fleet.cluster)
    assert instance["id"].lower() == fleet.instance.lower()
    assert fleet.world.is_ready(fleet.cluster)
    assert len(await fleet.world.operator.recovery_points(fleet.cluster)) == 1


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [
        ("immutability off", "PATCH", "/backupVaults/[^/]+$"),
        ("policy that keeps a day", "PUT", "/backupPolicies/"),
        ("extension without useAAD", "PATCH", "/extensions/"),
        ("backups suspended", "POST", "/resumeBackups"),
    ],
)
async def test_nobody_is_fought_at_every_look(name: str, method: str, path: str) -> None:
    """Azure takes the change, and it is not there afterwards: something else sets it back."""
    fleet = await protected()
    await NAMED[name].do(fleet)
    sent = len(fleet.changes())
    fleet.world.fault(method=method, path=path, times=None, status=200)

    await fleet.asked(6 * HOUR)

    tried = [change for change in fleet.changes()[sent:] if change.startswith(method.lower())]
    assert 2 <= len(tried) <= 12, "at growing intervals, up to an hour"
    subject = fleet.region if "/backup" in path else fleet.cluster
    record = fleet.world.record(subject)
    assert record is not None
    said = [c for c in record.conditions.values() if c.reason in ("NotAsSet", "ExtensionNotChanged")]
    assert said
    assert all(condition.recommended_action for condition in said)


async def test_what_nobody_asked_about_is_found_within_a_day() -> None:
    fleet = await protected()
    before = await whole(fleet)
    for name in ("Reader of vault on cluster", "backups suspended", "policy that keeps a day", "immutability off"):
        await NAMED[name].do(fleet)
    await fleet.world.run(seconds=1.2 * DAY)
    after = await whole(fleet)
    assert {name: value for name, value in after.items() if not name.startswith("points")} == {
        name: value for name, value in before.items() if not name.startswith("points")
    }


async def test_another_profile_may_not_take_the_guards_own_vault_elsewhere() -> None:
    """A cluster of another class has another vault; neither is changed for the other."""
    other = enforcing(name="other", vault=VaultSettings("On", "other"), digest="other")
    fleet = await protected()
    fleet.world.restart(configuration_of(fleet.profile, other, revision=2, digest="configuration-2"))
    await fleet.world.granted.snapshot_group(names.snapshot_group_id(replace(fleet.region, vault_class="other")))
    await fleet.world.clock.advance(60)
    before = await whole(fleet)
    new = fleet.world.create_cluster(settled=True, tags={PROFILE_TAG: "other"})
    await fleet.world.notice(new)
    assert await fleet.world.run_until_ready(new, seconds=2 * HOUR)
    after = await whole(fleet)
    assert (after["security"], after["features"], after["policies"].keys() & before["policies"].keys()) == (
        before["security"],
        before["features"],
        before["policies"].keys(),
    )
    assert roles.READER in {role for _, role, _ in await fleet.world.operator.grants()}
