"""Worlds in which the app has certain rights, and what the scenarios tell of them."""

from collections.abc import Awaitable, Callable
from typing import Any

from shared.domain.ids import ClusterId
from tests.virtual.azure import ROOT
from tests.virtual.hospital import conditions
from tests.virtual.rights import Rights
from tests.virtual.world import QUICK, VirtualWorld

HOUR = 3600.0
WORKSPACE = f"{ROOT}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/logs"
_LOGS = "2023-09-01"


class Worlds:
    """Makes worlds, from what `VirtualWorld` takes, in which the app has the rights that are tried; and knows what its
    identity was allowed and refused in them."""

    def __init__(self, rights: Rights) -> None:
        self.rights = rights
        self.made: list[VirtualWorld] = []

    def __call__(self, **given: Any) -> VirtualWorld:
        self.made.append(VirtualWorld(**{"timings": QUICK, "rights": self.rights, **given}))
        return self.made[-1]

    @property
    def allowed(self) -> set[str]:
        return {action for world in self.made for action in world.requested.allowed}

    @property
    def refused(self) -> set[str]:
        return {action for world in self.made for action in world.requested.refused}


type Scenario = Callable[[Worlds], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}
"""By name; `audit_` are those of an app that only looks."""


def scenario(told: Scenario) -> Scenario:
    """Marks one: what it says at its end holds with the rights of infra/rights."""
    SCENARIOS[told.__name__] = told
    return told


async def protected(world: VirtualWorld, **overrides: Any) -> ClusterId:
    """A cluster that appears, and is Ready within the hour."""
    world.start_timer()
    cluster = world.create_cluster(settled=True, **{"name": "shop", **overrides})
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=HOUR), conditions(world, cluster)
    return cluster


async def with_workspace(world: VirtualWorld) -> None:
    """A person makes it, and gives the app its right there."""
    await world.operator.make_group("logs")
    await world.operator.do("PUT", WORKSPACE, _LOGS, {"location": "westeurope", "properties": {}}, wait=1)
    await world.granted.workspace(WORKSPACE)
    await world.clock.advance(60)


async def swept(world: VirtualWorld) -> dict[str, dict[str, str]]:
    """The status of each control, by cluster, of a sweep to its end."""
    result = await world.sweep()
    assert result is not None
    assert result.complete
    summary = await world.host.sweeps.latest()
    assert summary is not None
    found = [each async for each in world.host.sweeps.clusters(summary.sweep_id)]
    return {each.cluster_id.lower(): {v.control: v.status for v in each.verdicts} for each in found}
