"""Alerts, what people say about them, and what the Guard did."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from shared.domain.alerts import SEVERITIES, Alert, Word
from shared.web.access import Operator, reader
from shared.web.api_errors import ApiError, refusals
from shared.web.api_sweeps import ClusterQuery, parsed_id
from shared.web.here import TheWorld
from shared.web.models import ALERT_ID, ActionList, ActionModel, AlertList, AlertModel, Nothing, Snooze
from shared.world import World

router = APIRouter()
_AlertId = Annotated[str, Path(pattern="^[0-9a-fA-F]{32}$", description="32 hex digits.", examples=[ALERT_ID])]


@router.get("/alerts", dependencies=[Depends(reader)], tags=["alerts"], responses=refusals(400))
async def alerts(
    world: TheWorld,
    open: Annotated[bool, Query(description="`false`: the resolved ones too.")] = True,
    cluster: ClusterQuery = "",
) -> AlertList:
    """The gravest first, then the newest."""
    subject = parsed_id(cluster, "query parameter cluster").key if cluster else None
    found = [alert async for alert in world.alert_book.all_of(subject, open_only=open)]
    found.sort(key=lambda alert: alert.opened_at, reverse=True)
    found.sort(key=lambda alert: SEVERITIES.index(alert.severity))
    return AlertList(value=tuple(_alert(alert) for alert in found))


@router.post("/alerts/{id}/acknowledge", tags=["alerts"], responses=refusals(400, 404, 415))
async def acknowledge(caller: Operator, world: TheWorld, id: _AlertId, _: Nothing | None = None) -> AlertModel:
    """Say that somebody is at it: the alert does not escalate any more."""
    return await _said(world, id, lambda old, now: Word(caller.name, now, True, old.snoozed_until))


@router.post("/alerts/{id}/snooze", tags=["alerts"], responses=refusals(400, 404, 415))
async def snooze(caller: Operator, world: TheWorld, id: _AlertId, asked: Snooze) -> AlertModel:
    """Hold the alert back for some hours. If it is still open then, it is told."""

    def word(old: Alert, now: datetime) -> Word:
        return Word(caller.name, now, bool(old.acknowledged_by), now + timedelta(hours=asked.hours))

    return await _said(world, id, word)


@router.get("/actions", dependencies=[Depends(reader)], tags=["actions"], responses=refusals(400))
async def actions(
    world: TheWorld, cluster: ClusterQuery = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> ActionList:
    """The newest lines of the audit trail, the newest first."""
    subject = parsed_id(cluster, "query parameter cluster").key if cluster else None
    found = await world.audit.newest(limit, subject)
    return ActionList(value=tuple(ActionModel.model_validate(action) for action in found))


async def _said(world: World, alert_id: str, word: Callable[[Alert, datetime], Word]) -> AlertModel:
    found = [alert async for alert in world.alert_book.all_of() if alert.id == alert_id.lower()]
    try:
        [alert] = found
        said = word(alert, world.clock.now())
        await world.alert_book.say(alert.id, alert.subject, said)
    except (KeyError, ValueError) as error:
        raise ApiError(404, "NoSuchAlert", "There is no such alert; GET /api/v1/alerts lists them.") from error
    acknowledged_by = said.by if said.acknowledged else ""
    return _alert(replace(alert, acknowledged_by=acknowledged_by, snoozed_until=said.snoozed_until))


def _alert(alert: Alert) -> AlertModel:
    cause = alert.cause
    return AlertModel(
        id=alert.id,
        subject=alert.subject,
        state=alert.state,
        severity=alert.severity,
        code=cause.code,
        title=cause.title,
        message=cause.message,
        recommended_action=cause.recommended_action,
        will_do=cause.will_do,
        did=cause.did,
        occurrences=cause.occurrences,
        opened_at=alert.opened_at,
        last_at=cause.last_at,
        resolved_at=alert.resolved_at,
        acknowledged_by=alert.acknowledged_by,
        snoozed_until=alert.snoozed_until,
    )
