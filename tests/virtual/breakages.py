"""Each single thing the Guard sets up for a cluster, broken by a person over ARM, and the calls that put it back."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from shared.plan import names, roles
from tests.contract.data_protection_world import policy as policy_body
from tests.virtual.azure import AKS, BACKUP, EXTENSIONS, RESOURCES, ROLES, ROOT, STORAGE
from tests.virtual.drift import INSIGHTS, LOCATION, OLDER, Fleet

Break = Callable[[Fleet], Awaitable[None]]
Calls = Callable[[Fleet], Awaitable[set[str]]]


@dataclass(frozen=True)
class Breakage:
    """`calls` are the mutating calls that put it back, asked for when all is back."""

    name: str
    do: Break
    calls: Calls

    def __str__(self) -> str:
        return self.name


def _calls(*made: str) -> set[str]:
    return {call.lower() for call in made}


async def _principal(fleet: Fleet, who: str) -> str:
    """The id of the one that is there now."""
    return [principal for principal, name in fleet.known.items() if name == who][-1]


async def _put_role(fleet: Fleet, who: str, role: str, scope: str) -> str:
    grant = roles.grant(await _principal(fleet, who), role, scope)
    name = names.assignment_name(grant)
    return f"PUT {grant.scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def _scope(fleet: Fleet, where: str) -> str:
    return {"cluster": fleet.cluster.arm_id, "snapshots": fleet.snapshots, "account": fleet.account}[where]


def role_taken(who: str, role: str, where: str) -> Breakage:
    async def do(fleet: Fleet) -> None:
        principal, scope = await _principal(fleet, who), _scope(fleet, where).lower()
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
        found = [
            each["id"]
            for each in await fleet.world.operator.all_of(path, ROLES)
            if each["properties"]["principalId"] == principal
            and each["properties"]["roleDefinitionId"].endswith(role)
            and each["properties"]["scope"].lower() == scope
        ]
        assert len(found) == 1
        await fleet.world.operator.do("DELETE", found[0], ROLES, wait=60)

    async def calls(fleet: Fleet) -> set[str]:
        return _calls(await _put_role(fleet, who, role, _scope(fleet, where)))

    return Breakage(f"{_ROLE_NAMES[role]} of {who} on {where}", do, calls)


_ROLE_NAMES = {
    roles.READER: "Reader",
    roles.CONTRIBUTOR: "Contributor",
    roles.DISK_SNAPSHOT_CONTRIBUTOR: "Disk Snapshot Contributor",
    roles.DATA_OPERATOR_FOR_MANAGED_DISKS: "Data Operator for Managed Disks",
    roles.STORAGE_BLOB_DATA_CONTRIBUTOR: "Storage Blob Data Contributor",
    roles.STORAGE_BLOB_DATA_READER: "Storage Blob Data Reader",
}


def _binding(fleet: Fleet) -> str:
    return names.binding_id(fleet.cluster.arm_id, fleet.vault)


async def _delete_binding(fleet: Fleet) -> None:
    await fleet.world.operator.do("DELETE", _binding(fleet), AKS)


async def _change_binding(fleet: Fleet) -> None:
    """Under its name somebody else is let in, with another role."""
    source = f"{ROOT}/resourceGroups/logs/providers/Microsoft.MachineLearningServices/workspaces/ml"
    role = "Microsoft.MachineLearningServices/workspaces/mlworkload"
    body = {"properties": {"sourceResourceId": source, "roles": [role]}}
    await fleet.world.operator.do("PUT", _binding(fleet), AKS, body)


async def _put_binding(fleet: Fleet) -> set[str]:
    return _calls(f"PUT {_binding(fleet)}")


def _extension(fleet: Fleet) -> str:
    return f"{fleet.cluster}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"


async def _delete_extension(fleet: Fleet) -> None:
    await fleet.world.operator.do("DELETE", _extension(fleet), EXTENSIONS)


async def _install_extension(fleet: Fleet) -> set[str]:
    role = await _put_role(fleet, "extension 0", roles.STORAGE_BLOB_DATA_CONTRIBUTOR, fleet.account)
    return _calls(f"PUT {_extension(fleet)}", role)


def _extension_settings(**settings: str) -> Break:
    async def do(fleet: Fleet) -> None:
        named = {f"{LOCATION}.{name.replace('_', '.')}": value for name, value in settings.items()}
        body = {"properties": {"configurationSettings": named}}
        await fleet.world.operator.do("PATCH", _extension(fleet), EXTENSIONS, body)

    return do


async def _patch_extension(fleet: Fleet) -> set[str]:
    return _calls(f"PATCH {_extension(fleet)}")


async def _point_elsewhere(fleet: Fleet) -> None:
    account = await fleet.world.operator.make_account(f"{ROOT}/resourceGroups/logs", "elsewhere")
    await fleet.world.operator.make_container(account, "elsewhere")
    name = account.rsplit("/", 1)[-1]
    await _extension_settings(
        bucket="elsewhere",
        config_storageAccount=name,
        config_resourceGroup="logs",
        config_storageAccountURI=f"https://{name}.blob.core.windows.net/",
    )(fleet)
    await fleet.world.operator.do("DELETE", account, STORAGE, wait=60)


async def _delete_container(fleet: Fleet) -> None:
    await fleet.world.operator.do("DELETE", await fleet.container(fleet.cluster), STORAGE, wait=60)


async def _put_container(fleet: Fleet) -> set[str]:
    return _calls(f"PUT {await fleet.container(fleet.cluster)}")


async def _delete_account(fleet: Fleet) -> None:
    await fleet.world.operator.do("DELETE", fleet.account, STORAGE, wait=60)


async def _put_account(fleet: Fleet) -> set[str]:
    made = [f"PUT {fleet.account}"]
    made.append(await _put_role(fleet, "vault", roles.STORAGE_BLOB_DATA_READER, fleet.account))
    for number, cluster in enumerate(fleet.clusters):
        made.append(f"PUT {await fleet.container(cluster)}")
        made.append(await _put_role(fleet, f"extension {number}", roles.STORAGE_BLOB_DATA_CONTRIBUTOR, fleet.account))
    return _calls(*made)


async def _delete_snapshot_group(fleet: Fleet) -> None:
    """And the deployment is run again, for without it nobody may be made Contributor there."""
    await fleet.world.operator.do("DELETE", fleet.snapshots, RESOURCES)
    await fleet.world.granted.snapshot_group(fleet.snapshots)
    await fleet.world.clock.advance(60)


async def _put_snapshot_roles(fleet: Fleet) -> set[str]:
    vault = (roles.READER, roles.DISK_SNAPSHOT_CONTRIBUTOR, roles.DATA_OPERATOR_FOR_MANAGED_DISKS)
    made = [await _put_role(fleet, "vault", role, fleet.snapshots) for role in vault]
    made += [await _put_role(fleet, f"cluster {n}", roles.CONTRIBUTOR, fleet.snapshots) for n in range(2)]
    return _calls(*made)


async def _delete_instance(fleet: Fleet) -> None:
    await fleet.world.operator.do("DELETE", fleet.instance, BACKUP)


async def _undelete_instance(fleet: Fleet) -> set[str]:
    deleted = fleet.instance.replace("/backupInstances/", "/deletedBackupInstances/")
    return _calls(f"POST {deleted}/undelete", f"POST {fleet.instance}/resumeProtection")


def _instance_changed(change: Callable[[Any, Fleet], None]) -> Break:
    async def do(fleet: Fleet) -> None:
        body = deepcopy(await fleet.world.operator.get(fleet.instance, BACKUP))
        change(body["properties"]["policyInfo"], fleet)
        await fleet.world.operator.do("PUT", fleet.instance, OLDER, {"properties": body["properties"]})

    return do


async def _other_policy(fleet: Fleet) -> None:
    policy = f"{fleet.vault}/backupPolicies/by-hand"
    await fleet.world.operator.do("PUT", policy, OLDER, policy_body(), wait=1)

    def change(info: Any, fleet: Fleet) -> None:
        info["policyId"] = policy

    await _instance_changed(change)(fleet)


def _fewer_namespaces(info: Any, fleet: Fleet) -> None:
    info["policyParameters"]["backupDatasourceParametersList"][0]["includedNamespaces"] = ["shop"]


def _no_volumes(info: Any, fleet: Fleet) -> None:
    info["policyParameters"]["backupDatasourceParametersList"][0]["snapshotVolumes"] = False


async def _put_instance(fleet: Fleet) -> set[str]:
    return _calls(f"PUT {fleet.instance}")


async def _suspend(fleet: Fleet) -> None:
    await fleet.world.operator.do("POST", f"{fleet.instance}/suspendBackups", OLDER, {})


async def _resume(fleet: Fleet) -> set[str]:
    return _calls(f"POST {fleet.instance}/resumeBackups")


def _policy_edited(change: Callable[[list[Any]], None]) -> Break:
    async def do(fleet: Fleet) -> None:
        body = deepcopy(await fleet.world.operator.get(fleet.policy, OLDER))
        change(body["properties"]["policyRules"])
        await fleet.world.operator.do("PUT", fleet.policy, OLDER, {"properties": body["properties"]}, wait=60)

    return do


def _each_twelve_hours(rules: list[Any]) -> None:
    rules[0]["trigger"]["schedule"]["repeatingTimeIntervals"] = ["R/2024-01-01T02:00:00+00:00/PT12H"]


def _keep_a_day(rules: list[Any]) -> None:
    next(r for r in rules if r["name"] == "Default")["lifecycles"][0]["deleteAfter"]["duration"] = "P1D"


def _no_vault_copy(rules: list[Any]) -> None:
    rules[:] = [rule for rule in rules if rule["name"] != "Daily"]
    tagging = rules[0]["trigger"]["taggingCriteria"]
    tagging[:] = [each for each in tagging if each["tagInfo"]["tagName"] == "Default"]


async def _put_policy(fleet: Fleet) -> set[str]:
    return _calls(f"PUT {fleet.policy}")


def _vault_changed(**body: Any) -> Break:
    async def do(fleet: Fleet) -> None:
        await fleet.world.operator.do("PATCH", fleet.vault, OLDER, body, wait=60)

    return do


def _vault_security(**settings: Any) -> Break:
    return _vault_changed(properties={"securitySettings": settings})


async def _patch_vault(fleet: Fleet) -> set[str]:
    return _calls(f"PATCH {fleet.vault}")


async def _patch_identity(fleet: Fleet) -> set[str]:
    vault = (roles.READER, roles.DISK_SNAPSHOT_CONTRIBUTOR, roles.DATA_OPERATOR_FOR_MANAGED_DISKS)
    made = [f"PATCH {fleet.vault}", await _put_role(fleet, "vault", roles.STORAGE_BLOB_DATA_READER, fleet.account)]
    made += [await _put_role(fleet, "vault", role, fleet.snapshots) for role in vault]
    made += [await _put_role(fleet, "vault", roles.READER, cluster.arm_id) for cluster in fleet.clusters]
    return _calls(*made)


def _setting(fleet: Fleet) -> str:
    return f"{fleet.vault}/providers/Microsoft.Insights/diagnosticSettings/aks-backup-guard"


async def _delete_diagnostics(fleet: Fleet) -> None:
    await fleet.world.operator.do("DELETE", _setting(fleet), INSIGHTS, wait=60)


async def _change_diagnostics(fleet: Fleet) -> None:
    body = deepcopy(await fleet.world.operator.get(_setting(fleet), INSIGHTS))
    body["properties"]["logs"][1]["enabled"] = False
    await fleet.world.operator.do("PUT", _setting(fleet), INSIGHTS, {"properties": body["properties"]}, wait=60)


async def _put_diagnostics(fleet: Fleet) -> set[str]:
    return _calls(f"PUT {_setting(fleet)}")


SOFT_DELETE_OFF = "soft delete off"
SHORTER = {"state": "On", "retentionDurationInDays": 14.0}
NO_OTHER_SUBSCRIPTIONS = {"crossSubscriptionRestoreSettings": {"state": "Disabled"}}

BREAKAGES: tuple[Breakage, ...] = (
    Breakage("instance under another policy", _other_policy, _put_instance),
    Breakage("fewer namespaces", _instance_changed(_fewer_namespaces), _put_instance),
    Breakage("no volumes", _instance_changed(_no_volumes), _put_instance),
    Breakage("backups suspended", _suspend, _resume),
    Breakage("instance deleted", _delete_instance, _undelete_instance),
    role_taken("vault", roles.READER, "cluster"),
    role_taken("vault", roles.READER, "snapshots"),
    role_taken("vault", roles.DISK_SNAPSHOT_CONTRIBUTOR, "snapshots"),
    role_taken("vault", roles.DATA_OPERATOR_FOR_MANAGED_DISKS, "snapshots"),
    role_taken("vault", roles.STORAGE_BLOB_DATA_READER, "account"),
    role_taken("cluster 0", roles.CONTRIBUTOR, "snapshots"),
    role_taken("extension 0", roles.STORAGE_BLOB_DATA_CONTRIBUTOR, "account"),
    Breakage("binding changed", _change_binding, _put_binding),
    Breakage("binding deleted", _delete_binding, _put_binding),
    Breakage("container deleted", _delete_container, _put_container),
    Breakage("extension without useAAD", _extension_settings(config_useAAD="false"), _patch_extension),
    Breakage("extension in another container", _extension_settings(bucket="theirs"), _patch_extension),
    Breakage("extension in another account", _point_elsewhere, _patch_extension),
    Breakage("extension deleted", _delete_extension, _install_extension),
    Breakage("policy with another interval", _policy_edited(_each_twelve_hours), _put_policy),
    Breakage("policy that keeps a day", _policy_edited(_keep_a_day), _put_policy),
    Breakage("policy without the vault tier", _policy_edited(_no_vault_copy), _put_policy),
    Breakage("soft delete shortened", _vault_security(softDeleteSettings=SHORTER), _patch_vault),
    Breakage(SOFT_DELETE_OFF, _vault_security(softDeleteSettings={"state": "Off"}), _patch_vault),
    Breakage("immutability off", _vault_security(immutabilitySettings={"state": "Disabled"}), _patch_vault),
    Breakage(
        "no restore to other subscriptions",
        _vault_changed(properties={"featureSettings": NO_OTHER_SUBSCRIPTIONS}),
        _patch_vault,
    ),
    Breakage("vault without identity", _vault_changed(identity={"type": "None"}), _patch_identity),
    Breakage("diagnostics changed", _change_diagnostics, _put_diagnostics),
    Breakage("diagnostics deleted", _delete_diagnostics, _put_diagnostics),
    Breakage("account deleted", _delete_account, _put_account),
    Breakage("snapshot group deleted", _delete_snapshot_group, _put_snapshot_roles),
)
"""In the order in which a person may do them one after the other."""

_APART = (
    {"instance deleted", "backups suspended"},
    {"instance deleted", SOFT_DELETE_OFF},
    {"extension deleted", "extension without useAAD"},
    {"extension deleted", "extension in another container"},
    {"extension deleted", "extension in another account"},
)
"""What cannot be both, or is put back by other calls than the two alone."""


def pairs() -> list[tuple[Breakage, Breakage]]:
    """Every two that can be broken together."""
    found = [(one, other) for number, one in enumerate(BREAKAGES) for other in BREAKAGES[number + 1 :]]
    return [pair for pair in found if {each.name for each in pair} not in _APART]
