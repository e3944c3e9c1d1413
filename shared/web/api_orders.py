"""What an operator may order. Each order leaves a line in the audit trail before it is followed, and one after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import APIRouter

from shared.domain.alerts import THE_APP
from shared.domain.errors import GuardError
from shared.domain.ids import ClusterId
from shared.domain.record import Action
from shared.sweep import ask_for_sweep
from shared.wake import request_look
from shared.web.access import Caller, Operator
from shared.web.api_clusters import no_such_cluster
from shared.web.api_errors import refusals
from shared.web.api_sweeps import parsed_id
from shared.web.here import TheSnapshots, TheWorld
from shared.web.models import Accepted, Approval, HoldModel, Nothing, RepairsApproved, SweepAsked, WhichCluster
from shared.world import World

router = APIRouter(tags=["orders"])


@router.post("/sweeps", status_code=202, responses=refusals(400, 409, 415))
async def sweep(caller: Operator, world: TheWorld, _: Nothing | None = None) -> SweepAsked:
    """Have the fleet judged within minutes. One that is under way already is not begun again."""
    async with audited(world, caller, "Sweep", THE_APP):
        asked = await ask_for_sweep(world)
    message = "The sweep begins within five minutes." if asked.begun else "This sweep is under way already."
    return SweepAsked(sweep_id=asked.sweep_id, begun=asked.begun, message=message, status="/api/v1/status")


@router.post("/repairs/approve", responses=refusals(400, 409, 415))
async def approve_repairs(caller: Operator, world: TheWorld, asked: Approval | None = None) -> RepairsApproved:
    """Let repairs go on that a sweep has held because too much of the fleet would have changed at once."""
    now = world.clock.now()
    until = now + timedelta(hours=(asked or Approval()).hours)
    async with audited(world, caller, "ApproveRepairs", THE_APP, f"until {until.isoformat(timespec='seconds')}"):
        lifted = await world.breaker.approve(caller.name, now, until)
    return RepairsApproved(lifted=HoldModel.model_validate(lifted) if lifted else None, approved_until=until)


@router.post("/clusters/look", status_code=202, responses=refusals(400, 404, 409, 415))
async def look(caller: Operator, world: TheWorld, snapshots: TheSnapshots, asked: WhichCluster) -> Accepted:
    """Look at one cluster now, and repair it where its profile says so."""
    cluster = parsed_id(asked.id, "body id")
    if not await _is_known(cluster, world, snapshots):
        raise no_such_cluster(cluster.arm_id)
    async with audited(world, caller, "Look", cluster.key):
        sent = await request_look(cluster, world)
    message = "It is looked at within a minute." if sent else "It is looked at just now, and will be once more."
    return Accepted(message=message, status=f"/api/v1/cluster?id={cluster.arm_id}")


async def _is_known(cluster: ClusterId, world: World, snapshots: TheSnapshots) -> bool:
    """Whether it is one of the fleet: nobody else's is looked at because somebody asks."""
    if cluster.subscription_id in world.scope.subscriptions or await world.records.get(cluster) is not None:
        return True
    snapshot = await snapshots.latest()
    return snapshot is not None and snapshot.cluster(cluster.arm_id) is not None


@asynccontextmanager
async def audited(world: World, caller: Caller, step: str, subject: str, detail: str = "") -> AsyncIterator[None]:
    """Leaves a line before the block and one with what came of it."""

    async def line(outcome: str) -> None:
        action = Action(world.clock.now(), subject, step, subject, outcome, detail=detail, actor=caller.name)
        await world.audit.append([action])

    await line("Started")
    try:
        yield
    except GuardError as error:
        await line(error.code)
        raise
    await line("Done")
