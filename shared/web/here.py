"""What a request works with: the world of the process, and the latest sweep kept in memory."""

from typing import Annotated

from fastapi import Depends, Request

from shared.plan.compliance.catalogue import FLEET_CONTROLS
from shared.plan.compliance.control import Control
from shared.plan.compliance.kql import kql_control
from shared.report.snapshot import Snapshots
from shared.world import World


async def world_of(request: Request) -> World:
    """Raises InvalidSettingsError and InvalidConfigurationError."""
    world: World = await request.app.state.world()
    return world


TheWorld = Annotated[World, Depends(world_of)]


async def snapshots_of(request: Request, world: TheWorld) -> Snapshots:
    """One for the life of the app: it holds the latest sweep."""
    state = request.app.state
    if state.snapshots is None:
        state.snapshots = Snapshots(world.sweeps)
    snapshots: Snapshots = state.snapshots
    return snapshots


def controls_of(world: World) -> tuple[Control, ...]:
    """Every control a verdict or a finding can be of: the catalogue's, people's own, and those about the fleet."""
    known = {control.id: control for control in world.controls}
    queries = (kql_control(query) for query in world.configuration.controls if query.id not in known)
    return (*world.controls, *queries, *(control for control in FLEET_CONTROLS if control.id not in known))


TheSnapshots = Annotated[Snapshots, Depends(snapshots_of)]
