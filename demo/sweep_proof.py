"""What the end of the story has shown: the verdicts against a count of their own, the repairs against Azure."""

from collections.abc import Iterable
from html import escape

from demo.azure_now import AzureNow
from demo.fleet import FLEET, LEFT_ALONE, Member
from demo.proof import Claim
from demo.stack import Stack
from demo.sweep_story import BROKEN, LOST_A_ROLE, NARROWED, SUSPENDED, Swept


def sweep_claims(stack: Stack, seen: Swept) -> list[Claim]:
    return [
        _counted(stack, seen),
        _put_back(seen),
        _nothing_else(stack, seen),
        _page(seen),
    ]


def _counted(stack: Stack, seen: Swept) -> Claim:
    """Independent of every control: what the operator lists in Azure."""
    alone = {member.arm_id(stack.subscription) for member in LEFT_ALONE}
    restorable = {
        instance.cluster_id
        for instance in seen.before.instances
        if instance.state == "ProtectionConfigured" and instance.recovery_points > 0
    } - alone
    tally, wrong = seen.first["overall"], []
    for name, said, counted in (
        ("in all", tally["clusters"], len(seen.before.clusters)),
        ("restorable", tally["yes"], len(restorable)),
    ):
        if said != counted:
            wrong.append(f"{name}: the sweep says {said}, Azure has {counted}")
    parts = tally["yes"] + tally["no"] + tally["unknown"] + tally["exempt"]
    wrong += [] if parts == tally["clusters"] else [f"its parts sum up to {parts}"]
    return Claim(
        f"The sweep counts {tally['clusters']} clusters, {tally['yes']} of which could be restored today; so does a "
        "count that knows nothing of it",
        "listed clusters, instances and recovery points over ARM, as the operator",
        tuple(wrong),
    )


def _put_back(seen: Swept) -> Claim:
    wrong = [
        f"{name} differ: {sorted(before ^ after)[:3]}"
        for name, before, after in (
            ("roles", _texts(seen.before.roles), _texts(seen.after.roles)),
            ("instances", _instances(seen.before), _instances(seen.after)),
            ("bindings", _texts(seen.before.bindings.items()), _texts(seen.after.bindings.items())),
            ("extensions", _texts(seen.before.extensions.items()), _texts(seen.after.extensions.items())),
        )
        if before != after
    ]
    return Claim(
        "What people broke is as it was before: " + "; ".join(f"{member.name}, {what}" for member, what in BROKEN),
        "read roles, instances, bindings and extensions of the whole subscription before and after",
        tuple(wrong),
    )


def _nothing_else(stack: Stack, seen: Swept) -> Claim:
    def id_of(member: Member) -> str:
        return member.arm_id(stack.subscription)

    of = {instance.cluster_id: instance.arm_id for instance in seen.before.instances}
    wanted = sorted(
        (
            f"PUT {id_of(LOST_A_ROLE)}/providers/microsoft.authorization/roleassignments/",
            f"POST {of[id_of(SUSPENDED)]}/resume",
            f"PUT {of[id_of(NARROWED)]}",
        )
    )
    wrong = [call for call in seen.repairs if not any(call.startswith(start) for start in wanted)]
    wrong += [f"no {start}" for start in wanted if sum(call.startswith(start) for call in seen.repairs) != 1]
    return Claim(
        f"Exactly {len(wanted)} changing calls did it, one for each",
        "the simulator's log of the Guard's changing calls between breaking and repair",
        tuple(wrong),
    )


def _page(seen: Swept) -> Claim:
    page = seen.dashboard
    wrong = [] if page.status == 200 else [f"it answers {page.status}"]
    wrong += [f"{member.name} is not on it" for member in FLEET if escape(member.name) not in page.text]
    return Claim(
        "The dashboard shows the whole fleet", "fetched /api/dashboard and looked for every name", tuple(wrong)
    )


def _texts(things: Iterable[object]) -> set[str]:
    return set(map(str, things))


def _instances(azure: AzureNow) -> set[str]:
    return {f"{instance.arm_id} {instance.state}" for instance in azure.instances}
