"""What the story has shown, checked against the simulated Azure over ARM and never against what the Guard believes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.azure_now import AzureNow
from demo.fleet import BY_HAND, ELIGIBLE, FLEET, LEFT_ALONE, REGIONS, Member
from demo.stack import is_change
from demo.tables import Line, Said


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the claims are judged by. `calls` are the Guard's own, as the simulator counted them."""

    subscription: str
    azure: AzureNow
    calls: list[dict[str, Any]]
    conditions: Mapping[str, Mapping[str, Said]]
    actions: list[Line]
    rights_beyond: list[str]
    """What the Guard may do besides what infra/rights says."""

    def id_of(self, member: Member) -> str:
        return member.arm_id(self.subscription)

    def changes(self) -> list[str]:
        """Lower-case paths of the calls that could change something."""
        return [str(call["path"]).lower() for call in self.calls if is_change(call)]


@dataclass(frozen=True, slots=True)
class Claim:
    """`wrong` holds what contradicts it; `how` says how it was checked."""

    text: str
    how: str
    wrong: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        return not self.wrong


def claims(seen: Evidence) -> list[Claim]:
    return [
        _all_protected(seen),
        _recovery_points(seen),
        _three_vaults(seen),
        _nothing_doubled(seen),
        _adopted(seen),
        _left_alone_untouched(seen),
        _left_alone_explained(seen),
        _audited(seen),
        _least_rights(seen),
    ]


def _least_rights(seen: Evidence) -> Claim:
    refused = sorted({f"{call['method']} {call['path']}" for call in seen.calls if call["status"] == 403})
    return Claim(
        "The Guard has no more rights than infra/rights says, and was refused nothing",
        f"read its role assignments and their roles; none of its {len(seen.calls)} calls was answered with 403",
        (*seen.rights_beyond, *refused),
    )


def _all_protected(seen: Evidence) -> Claim:
    wrong = []
    for member in ELIGIBLE:
        states = [instance.state for instance in seen.azure.instances_of(seen.id_of(member))]
        if states != ["ProtectionConfigured"]:
            wrong.append(f"{member.name} has {states or 'none'}")
    return Claim(
        f"Each of the {len(ELIGIBLE)} eligible clusters has exactly one backup instance, in ProtectionConfigured",
        f"listed the backup instances of all {len(seen.azure.vaults)} vaults and matched them by dataSourceInfo",
        tuple(wrong),
    )


def _recovery_points(seen: Evidence) -> Claim:
    wrong = [
        f"{member.name}: {instance.recovery_points} recovery points, {instance.on_demand_jobs} on-demand backups"
        for member in ELIGIBLE
        for instance in seen.azure.instances_of(seen.id_of(member))
        if not (instance.recovery_points >= 1 and instance.on_demand_jobs == 1)
    ]
    return Claim(
        "Each of them has a recovery point, from one on-demand backup and not two",
        "listed the recovery points of each instance and the user-triggered jobs of each vault",
        tuple(wrong),
    )


def _three_vaults(seen: Evidence) -> Claim:
    ours = [region for vault, region in seen.azure.vaults.items() if "/rg-crm-backup/" not in vault]
    wrong = () if sorted(ours) == sorted(REGIONS) else (f"vaults in {', '.join(sorted(ours)) or 'no region'}",)
    return Claim(
        f"The Guard made exactly {len(REGIONS)} vaults, one in each region",
        "listed the subscription's vaults; one more is the person's own",
        wrong,
    )


def _nothing_doubled(seen: Evidence) -> Claim:
    azure = seen.azure
    return Claim(
        "Nothing is there twice and nothing was left behind, although the host was killed",
        f"listed {len(azure.roles)} role assignments, {len(azure.accounts)} storage accounts, {len(azure.containers)} "
        f"containers, {sum(map(len, azure.extensions.values()))} extensions, "
        f"{sum(map(len, azure.bindings.values()))} trusted access bindings",
        tuple(azure.doubled()),
    )


def _adopted(seen: Evidence) -> Claim:
    own = seen.id_of(BY_HAND)
    vaults = [instance.vault_id.rsplit("/", 1)[-1] for instance in seen.azure.instances_of(own)]
    wrong = [] if vaults == ["crm-vault"] else [f"its instances lie in {vaults}"]
    wrong += [path for path in seen.changes() if path.startswith(own)]
    return Claim(
        f"{BY_HAND.name}, protected by hand, was adopted: still in its own vault, and the cluster was not changed",
        "its instance's vault, and the simulator's log of changing calls on the cluster: none",
        tuple(wrong),
    )


def _left_alone_untouched(seen: Evidence) -> Claim:
    wrong = []
    for member in LEFT_ALONE:
        made = seen.azure.made_for(seen.id_of(member))
        sent = [path for path in seen.changes() if path.startswith(seen.id_of(member))]
        wrong += [f"{member.name}: {what}" for what in (*made, *sent)]
    return Claim(
        f"For the {len(LEFT_ALONE)} others nothing was made and nothing was tried",
        "no extension, binding, instance or role of theirs, and no changing call on them in the simulator's log",
        tuple(wrong),
    )


def _left_alone_explained(seen: Evidence) -> Claim:
    wrong = []
    for member in LEFT_ALONE:
        ready = seen.conditions.get(seen.id_of(member), {}).get("Ready")
        if ready is None or ready.reason != member.left_alone or not ready.message:
            wrong.append(f"{member.name}: {ready}")
    return Claim("Each of those says why", "the condition Ready in the Guard's table `clusters`", tuple(wrong))


def _audited(seen: Evidence) -> Claim:
    noted = {line.target.lower() for line in seen.actions}
    unknown = sorted({path for path in seen.changes() if path not in noted})
    return Claim(
        f"Every change the Guard made is in its audit trail ({len(seen.actions)} lines)",
        f"compared the table `actions` with the {len(seen.changes())} changing calls the simulator counted",
        tuple(unknown),
    )


def figures(seen: Evidence) -> list[str]:
    """For the curious; nothing is claimed by them."""
    calls, changes = len(seen.calls), len(seen.changes())
    return [
        f"{calls} ARM calls by the Guard in all, {calls / len(FLEET):.0f} a cluster; {changes} of them were changes",
        f"{len(seen.actions)} lines of audit trail, {len(seen.azure.roles)} role assignments",
    ]
