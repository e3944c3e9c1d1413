"""The pages' addresses. Each reads what its page needs, lets the view model be worked out, and writes it as HTML."""

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from shared.domain.alerts import Alert
from shared.domain.compliance import VerdictChange
from shared.domain.errors import GuardError
from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.ids import ClusterId
from shared.domain.record import Record
from shared.report.snapshot import Snapshot
from shared.report.view import viewed
from shared.web.access import reader
from shared.web.dashboard.assets import answer, page
from shared.web.dashboard.cluster import Happened, cluster_page, unjudged
from shared.web.dashboard.control import control_page
from shared.web.dashboard.groups import GROUPINGS, grouping
from shared.web.dashboard.live import LiveView, fact, newest
from shared.web.dashboard.overview import overview, standings
from shared.web.dashboard.query import BASE, view_of
from shared.web.dashboard.refusals import NotShownError, PageRoute
from shared.web.dashboard.words import Words
from shared.web.here import TheSnapshots, TheWorld, controls_of
from shared.world import World

TREND = 50
"""Sweeps that the trend shows."""
_CHANGES_FOR = timedelta(days=180)
_LINES = 100

router = APIRouter(prefix=BASE, route_class=PageRoute, dependencies=[Depends(reader)], include_in_schema=False)

public = APIRouter(prefix=BASE, route_class=PageRoute, include_in_schema=False)
"""How pages look is no secret: whoever is refused sees a page, too."""


async def _latest(snapshots: TheSnapshots) -> Snapshot:
    if (snapshot := await snapshots.latest()) is None:
        raise NotShownError("Before the first sweep", "No sweep has ended yet, so there is nothing to show.")
    return snapshot


async def _live_view(request: Request) -> LiveView:
    """One for the life of the app."""
    state = request.app.state
    if not hasattr(state, "live"):
        state.live = LiveView()
    view: LiveView = state.live
    return view


TheLatest = Annotated[Snapshot, Depends(_latest)]
TheLiveView = Annotated[LiveView, Depends(_live_view)]


@router.get("")
async def overview_page(request: Request, world: TheWorld, snapshots: TheSnapshots, view: TheLiveView) -> Response:
    snapshot, live = await asyncio.gather(snapshots.latest(), view.now(world))
    now, words = world.clock.now(), _words(world)
    if snapshot is None:
        scope = (*world.scope.subscriptions, *world.scope.management_groups)
        return page("before.html", live=live, now=now, scope=scope)
    asked = view_of(request.query_params)
    rows = viewed(snapshot.clusters, asked, snapshot.summary.subscription_names)
    trend = await view.trend(world, snapshot.summary.sweep_id, TREND)
    shown = overview(snapshot, rows, asked, trend=trend, live=live, words=words, now=now)
    return page("overview.html", overview=shown, live=live, now=now, findings=shown.findings)


@router.get("/cluster")
async def one_cluster(world: TheWorld, snapshot: TheLatest, view: TheLiveView, id: str = "") -> Response:
    """404 for a cluster that neither the last sweep nor the Guard's record knows."""
    judged = snapshot.cluster(id)
    try:
        known = ClusterId.parse(judged.cluster_id if judged else id)
    except ValueError:
        raise _no_such_cluster(id) from None
    record, changes, actions, alerts, live = await asyncio.gather(
        _record(world, known),
        fact(world, _changes(world, known)),
        fact(world, newest(world, known.key, _LINES)),
        fact(world, _alerts(world, known)),
        view.now(world),
    )
    if judged is None and isinstance(record, Absent):
        raise _no_such_cluster(id)
    now, cluster = world.clock.now(), judged or unjudged(known)
    shown = cluster_page(cluster, snapshot.summary, _words(world), record, Happened(changes, actions, alerts), now)
    return page("cluster.html", shown=shown, live=live, now=now)


@router.get("/control")
async def one_control(world: TheWorld, snapshot: TheLatest, id: str = "") -> Response:
    """404 for a control that nobody knows."""
    words = _words(world)
    shown = control_page(id, snapshot, words)
    if shown is None:
        raise NotShownError("No such control", "Neither the Guard nor guard.yaml has it.", id)
    return page("control.html", shown=shown, now=world.clock.now(), findings=shown.findings)


@router.get("/controls")
async def controls(world: TheWorld, snapshot: TheLatest) -> Response:
    """Every control that applied to some cluster, those that fail first."""
    summary = snapshot.summary
    return page("controls.html", rows=standings(summary, _words(world)))


@router.get("/groups")
async def groups(snapshot: TheLatest, by: str = "") -> Response:
    """Every team, subscription, region or profile."""
    if by not in GROUPINGS:
        raise NotShownError("No such group", f"The fleet is grouped by {', '.join(GROUPINGS)}.", by)
    shown = grouping(snapshot.summary, by)
    return page("groups.html", title=shown.title, by=shown)


@public.get("/static/{name}")
async def static(name: str, request: Request) -> Response:
    return answer(name, request)


@router.get("/{rest:path}")
async def nothing_here(rest: str) -> Response:
    """The last of all addresses: none of the pages."""
    raise NotShownError("No such page", "There is nothing at this address.", f"{BASE}/{rest}")


def _words(world: World) -> Words:
    return {control.id: control for control in controls_of(world)}


def _no_such_cluster(asked: str) -> NotShownError:
    message = "Neither the last sweep nor the Guard itself has seen it. It may be gone, or out of scope."
    return NotShownError("No such cluster", message, asked)


async def _record(world: World, cluster: ClusterId) -> Fact[Record]:
    try:
        record = await world.records.get(cluster)
    except (GuardError, ValueError) as error:
        return Unobserved(str(error))
    now = world.clock.now()
    return Absent(now) if record is None else Present(record, now)


async def _changes(world: World, cluster: ClusterId) -> tuple[VerdictChange, ...]:
    since = world.clock.now() - _CHANGES_FOR
    return tuple([change async for change in world.sweeps.changes(since, cluster.arm_id)][:_LINES])


async def _alerts(world: World, cluster: ClusterId) -> tuple[Alert, ...]:
    return tuple([alert async for alert in world.alert_book.all_of(cluster.key)])
