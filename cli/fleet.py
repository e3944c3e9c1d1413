"""Which clusters a command is about."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from cli.run import could_not_tell

if TYPE_CHECKING:
    from cli.azure import ReadingArm
    from shared.domain.fleet import FleetScope, Scope
    from shared.domain.ids import ClusterId
    from shared.ports import FleetReader

_MOST_NAMED = 10


async def scope_now(reader: "FleetReader", scope: "Scope") -> "FleetScope":
    """The subscriptions that the scope means at this moment. Ends the command with exit code 2 when there are none.
    Raises GuardError."""
    found = await reader.scope(scope)
    if not found.subscriptions:
        nothing_in(scope)
    return found


def nothing_in(scope: "Scope") -> NoReturn:
    """End the command with exit code 2: not one subscription can be read."""
    from shared.notify.foreign import clean

    named = ", ".join(clean(name) for name in (*scope.subscriptions, *scope.management_groups))
    if named:
        could_not_tell(
            f"Of what was named nothing can be read: {named}.\nSee that it exists in the tenant you are signed in to "
            "(`az account list`), and that you have the role Reader on it."
        )
    could_not_tell(
        "You are signed in, but see no subscription.\nSee `az account list`; in another tenant: `az login --tenant "
        "TENANT`. You need the role Reader on the subscriptions."
    )


def not_there(cluster: "ClusterId") -> NoReturn:
    """End the command with exit code 2: the cluster that was named by its id is none."""
    could_not_tell(f"There is no cluster {cluster.arm_id}, or you may not read it.")


def unreadable(found: "FleetScope") -> list[str]:
    """What was named and cannot be read, each in words."""
    return [f"Could not be read: {name} (no such thing, or you lack the role Reader)." for name in found.unreadable]


async def cluster_named(reader: "FleetReader", found: "FleetScope", name: str) -> "ClusterId":
    """The one cluster of that name or ARM id. Ends the command with exit code 2 when there is none, or several."""
    from shared.domain.ids import ClusterId
    from shared.notify.foreign import clean

    if "/" in name:
        try:
            return ClusterId.parse(name)
        except ValueError as error:
            could_not_tell(str(error), error)
    subscriptions = [each.subscription_id for each in found.subscriptions]
    fits = [each for each in await reader.cluster_ids(subscriptions) if each.name == name.lower()]
    if not fits:
        could_not_tell(f"There is no cluster named {clean(name)!r} in {_n(subscriptions)}; its ARM id works too.")
    if len(fits) > 1:
        ids = "\n".join(each.arm_id for each in sorted(fits)[:_MOST_NAMED])
        could_not_tell(f"{len(fits)} clusters are named {clean(name)!r}; say which by its ARM id:\n{ids}")
    return fits[0]


def fleet_reader(arm: "ReadingArm") -> "FleetReader":
    from cli.azure import WallClock
    from shared.observe.fleet import GraphFleetReader

    return GraphFleetReader(arm, WallClock())


def _n(subscriptions: Sequence[str]) -> str:
    return f"{len(subscriptions)} subscription{'' if len(subscriptions) == 1 else 's'}"
