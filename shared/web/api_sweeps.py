"""What sweeps found about the fleet as a whole, and how things stand now."""

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator

from shared.domain.alerts import SEVERITIES
from shared.domain.compliance import SweepSummary
from shared.domain.ids import ClusterId
from shared.report.json_models import ControlModel, FindingModel, Model, SweepModel, control_model
from shared.report.snapshot import Snapshot
from shared.web.access import reader
from shared.web.api_errors import ApiError, refusals
from shared.web.here import TheSnapshots, TheWorld, controls_of
from shared.web.models import (
    ARM_ID,
    ChangeList,
    ChangeModel,
    HoldModel,
    StatusModel,
    StopModel,
    SweepItem,
    SweepList,
)

router = APIRouter(dependencies=[Depends(reader)], tags=["sweeps"])

_CHANGES_SINCE = timedelta(days=30)
_SPACE_FOR_PLUS = re.compile(r"(T.*) (\d\d:?\d\d)$")

Format = Literal["csv", "json", "html", "markdown", "junit"]
_MEDIA_TYPES: dict[Format, tuple[str, str]] = {
    "csv": ("text/csv; charset=utf-8", "csv"),
    "json": ("application/json", "json"),
    "html": ("text/html; charset=utf-8", "html"),
    "markdown": ("text/markdown; charset=utf-8", "md"),
    "junit": ("application/xml", "xml"),
}


def _with_zone(moment: Any) -> Any:
    """In an address a plus means a space: whoever forgot to write it as %2B means the zone all the same."""
    return _SPACE_FOR_PLUS.sub(r"\1+\2", moment) if isinstance(moment, str) else moment


ClusterQuery = Annotated[str, Query(max_length=400, description="ARM id, in any spelling.", examples=[ARM_ID])]
Since = Annotated[
    datetime | None,
    BeforeValidator(_with_zone),
    Query(description="ISO 8601; UTC when no zone is said.", examples=["2026-03-01T00:00:00Z"]),
]


class FindingList(Model):
    sweep_id: str
    value: tuple[FindingModel, ...]


class ControlList(Model):
    value: tuple[ControlModel, ...]


async def latest_of(snapshots: TheSnapshots) -> Snapshot:
    """A dependency. Raises ApiError before the first sweep has ended."""
    if (snapshot := await snapshots.latest()) is None:
        raise ApiError(404, "NoSweepYet", "No sweep has ended yet. One runs daily; POST /api/v1/sweeps starts one now.")
    return snapshot


TheLatest = Annotated[Snapshot, Depends(latest_of)]


def parsed_id(arm_id: str, where: str) -> ClusterId:
    """Raises ApiError."""
    try:
        return ClusterId.parse(arm_id)
    except ValueError as error:
        raise ApiError(
            400,
            "InvalidRequest",
            "The request is not as it must be; `details` says where.",
            [(where, f"not the ARM id of an AKS cluster; one looks like {ARM_ID}")],
        ) from error


@router.get("/status", responses=refusals())
async def status(world: TheWorld) -> StatusModel:
    """The posture of the fleet, how old it is, and what stands in the way."""
    now = world.clock.now()
    latest, run, held, until, stopped = await asyncio.gather(
        world.sweeps.latest(),
        world.sweeps.run(),
        world.breaker.held(),
        world.breaker.approved_until(),
        world.stop_reason(),
    )
    opened = Counter([alert.severity async for alert in world.alert_book.all_of(open_only=True)])
    return StatusModel(
        now=now,
        sweep=_item(latest) if latest else None,
        sweep_age_seconds=(now - latest.ended_at).total_seconds() if latest else None,
        sweep_under_way=run.sweep_id if run and run.stage != "done" else "",
        emergency_stop=StopModel(stopped=stopped is not None, why=stopped or ""),
        repairs_held=HoldModel.model_validate(held) if held else None,
        repairs_approved_until=until if until and until > now else None,
        open_alerts={severity: opened[severity] for severity in SEVERITIES},
        configuration_revision=world.configuration.revision,
    )


@router.get("/sweeps", responses=refusals(400))
async def sweeps(world: TheWorld, limit: Annotated[int, Query(ge=1, le=1000)] = 30) -> SweepList:
    """Finished sweeps, the newest first."""
    return SweepList(value=tuple(_item(summary) for summary in await world.sweeps.summaries(limit)))


@router.get("/sweeps/latest", responses=refusals(404))
async def latest_sweep(snapshot: TheLatest) -> SweepModel:
    """The newest finished sweep without its clusters."""
    return SweepModel.model_validate(snapshot.summary)


@router.get(
    "/sweeps/latest/export",
    response_class=Response,
    responses={
        200: {
            "description": "The sweep as a file. JSON is as docs/schemas/sweep.json says.",
            "content": {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind, _ in _MEDIA_TYPES.values()},
        },
        **refusals(400, 404),
    },
)
async def export(
    world: TheWorld, snapshot: TheLatest, format: Annotated[Format, Query(description="What to write it as.")] = "json"
) -> Response:
    """Every cluster of the newest finished sweep with every verdict and what it rests on."""
    controls = controls_of(world)
    if format == "html":
        from shared.report import html

        summaries = await world.sweeps.summaries(90)
        changes = [change async for change in world.sweeps.changes(snapshot.summary.started_at)]
        written = await asyncio.to_thread(html.render, snapshot, controls, summaries=summaries, changes=changes)
    else:
        from shared.report import csv_export, json_export, junit, markdown

        render = {"csv": csv_export, "json": json_export, "junit": junit, "markdown": markdown}[format].render
        written = await asyncio.to_thread(render, snapshot, controls)
    media_type, extension = _MEDIA_TYPES[format]
    name = f"aks-backup-guard-{snapshot.summary.sweep_id}.{extension}"
    return Response(written, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/findings", responses=refusals(404))
async def findings(snapshot: TheLatest) -> FindingList:
    """What the newest finished sweep found about the fleet rather than one cluster of it."""
    value = tuple(FindingModel.model_validate(finding) for finding in snapshot.summary.findings)
    return FindingList(sweep_id=snapshot.summary.sweep_id, value=value)


@router.get("/controls", responses=refusals())
async def controls(world: TheWorld) -> ControlList:
    """What clusters are held to: the Guard's controls, and those of guard.yaml."""
    return ControlList(value=tuple(control_model(control) for control in controls_of(world)))


@router.get("/changes", responses=refusals(400))
async def changes(
    world: TheWorld,
    since: Since = None,
    cluster: ClusterQuery = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
) -> ChangeList:
    """What changed between sweeps, the newest first; of the last thirty days if `since` is not given."""
    start = (since if since.tzinfo else since.replace(tzinfo=UTC)) if since else world.clock.now() - _CHANGES_SINCE
    arm_id = parsed_id(cluster, "query parameter cluster").arm_id if cluster else None
    value: list[ChangeModel] = []
    complete = True
    async for change in world.sweeps.changes(start, arm_id):
        if len(value) == limit:
            complete = False
            break
        value.append(ChangeModel.model_validate(change))
    return ChangeList(value=tuple(value), since=start, complete=complete)


def _item(summary: SweepSummary) -> SweepItem:
    told = {name: getattr(summary, name) for name in SweepItem.model_fields if name != "findings"}
    return SweepItem.model_validate(told | {"findings": len(summary.findings)})
