"""Clusters as the latest sweep and the Guard's own records have them. An ARM id has slashes, and what stands between
a caller and the Guard does not agree on slashes in a path; so it is a query parameter."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request

from shared.domain.compliance import JudgedCluster, Verdict
from shared.domain.fleet import Source
from shared.domain.record import Record
from shared.plan.compliance.control import Control
from shared.report.evidence import evidence_of
from shared.report.json_models import ClusterModel, SourceModel, VerdictModel
from shared.report.snapshot import Snapshot
from shared.report.view import Page, View, viewed, worst
from shared.web.access import reader
from shared.web.api_errors import ApiError, refusals
from shared.web.api_sweeps import TheLatest, parsed_id
from shared.web.here import TheSnapshots, TheWorld, controls_of
from shared.web.models import (
    ARM_ID,
    ClusterDetail,
    ClusterPage,
    ClusterRow,
    ConditionModel,
    ExplainedVerdict,
    JudgedModel,
    Links,
    RecordModel,
    RungModel,
    ViewQuery,
)

router = APIRouter(dependencies=[Depends(reader)], tags=["clusters"])


@router.get("/clusters", responses=refusals(400, 404))
async def clusters(request: Request, snapshot: TheLatest, query: Annotated[ViewQuery, Query()]) -> ClusterPage:
    """The clusters of the newest finished sweep that the query leaves, a page of them."""
    view = View(**query.model_dump())
    page = viewed(snapshot.clusters, view, snapshot.summary.subscription_names)
    return ClusterPage(
        value=tuple(_row(cluster) for cluster in page.rows),
        total=page.total,
        page=page.page,
        pages=page.pages,
        links=_links(request.url.path, query, page),
    )


@router.get("/cluster", responses=refusals(400, 404))
async def cluster(
    world: TheWorld,
    snapshots: TheSnapshots,
    id: Annotated[str, Query(max_length=400, description="ARM id, in any spelling.", examples=[ARM_ID])],
) -> ClusterDetail:
    """One cluster: how the newest finished sweep judged it, with the evidence, and what the Guard's last look said."""
    cluster_id = parsed_id(id, "query parameter id")
    snapshot = await snapshots.latest()
    judged = snapshot.cluster(cluster_id.arm_id) if snapshot else None
    record = await world.records.get(cluster_id)
    if judged is None and record is None:
        raise no_such_cluster(cluster_id.arm_id)
    known = {control.id: control for control in controls_of(world)}
    return ClusterDetail(
        cluster_id=judged.cluster_id if judged else cluster_id.arm_id,
        judged=_judged(judged, snapshot, known) if judged and snapshot else None,
        record=_record(record) if record else None,
    )


def no_such_cluster(arm_id: str) -> ApiError:
    message = "Neither the newest sweep nor the Guard's records have this cluster: see its id, and the Guard's scope."
    return ApiError(404, "NoSuchCluster", message, [("id", arm_id)])


def _row(cluster: JudgedCluster) -> ClusterRow:
    verdict = worst(cluster)
    told = {name: getattr(cluster, name) for name in ClusterModel.model_fields}
    return ClusterRow.model_validate(told | {"worst": VerdictModel.model_validate(verdict) if verdict else None})


def _links(path: str, query: ViewQuery, page: Page) -> Links:
    def link(number: int) -> str:
        asked = query.model_dump(exclude_defaults=True) | {"page": number, "size": query.size}
        return f"{path}?{urlencode({name: _plain(value) for name, value in asked.items()})}"

    here = page.page
    return Links(
        self=link(here),
        first=link(1),
        last=link(page.pages),
        prev=link(min(here - 1, page.pages)) if here > 1 else None,
        next=link(here + 1) if here < page.pages else None,
    )


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _judged(cluster: JudgedCluster, snapshot: Snapshot, controls: dict[str, Control]) -> JudgedModel:
    sources = snapshot.summary.sources
    verdicts = [_explained(cluster, verdict, controls.get(verdict.control), sources) for verdict in cluster.verdicts]
    rested_on = {name for verdict in verdicts for name in verdict.sources}
    told = {name: getattr(cluster, name) for name in (*ClusterModel.model_fields, "facts")}
    return JudgedModel(
        **told,
        sweep_id=snapshot.summary.sweep_id,
        verdicts=tuple(verdicts),
        sources=tuple(SourceModel.model_validate(source) for source in sources if source.name in rested_on),
    )


def _explained(
    cluster: JudgedCluster, verdict: Verdict, control: Control | None, sources: Sequence[Source]
) -> ExplainedVerdict:
    """A control that is gone since the sweep is known by its id alone."""
    told = {name: getattr(verdict, name) for name in VerdictModel.model_fields}
    if control is None:
        return ExplainedVerdict(**told, title=verdict.control, why="", facts={}, sources=())
    evidence = evidence_of(cluster, control, sources)
    names = tuple(dict.fromkeys(source.name for source in evidence.sources))
    return ExplainedVerdict(**told, title=control.title, why=control.why, facts=evidence.facts, sources=names)


def _record(record: Record) -> RecordModel:
    return RecordModel(
        first_seen_at=record.first_seen_at,
        deleted_at=record.deleted_at,
        profile=record.profile,
        conditions=tuple(ConditionModel.model_validate(condition) for condition in record.conditions.values()),
        remaining=record.remaining,
        memory=tuple(RungModel.model_validate(rung) for rung in record.memory.rungs),
        last_restore_at=record.last_restore_at,
        next_look_at=record.due_at,
    )
