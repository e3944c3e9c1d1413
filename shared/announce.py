"""Announcing: a line in the log that a rule can match, and an entry in the outbox for everyone who shall be told."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.domain.alerts import THE_APP, About, Alert, Announcement, Cause
from shared.domain.destinations import TOPIC, route_and_channel
from shared.domain.profile import Alerting, Route
from shared.plan.alerts import announcements as announcements_of
from shared.plan.alerts import settle
from shared.plan.routes import addressed, quiet_until
from shared.telemetry import count, current_traceparent, span
from shared.telemetry.catalogue import ALERT, ALERTS
from shared.world import World

log = logging.getLogger(__name__)

_LONGEST_LOGGED = 500
_MOST_REMEMBERED = 20


async def announce(announcements: Sequence[Announcement], world: World, *, leave_out: str = "") -> None:
    """Everything is written under the announcements' own keys, so doing it twice tells nobody twice; only the log has
    the line again. Raises what storage raises. `leave_out` names a destination that is dead."""
    for announcement in announcements:
        fields, alert = log_fields(announcement), announcement.alert
        with span(
            ALERT,
            announcement.kind,
            subject=alert.subject,
            alert_id=alert.id,
            severity=alert.severity,
            code=alert.cause.code,
        ):
            log.info("alert %s", json.dumps(fields, separators=(",", ":")), extra={"alert": fields})
            traced = replace(announcement, traceparent=current_traceparent())
            await hand_over(traced, world, leave_out=leave_out)
        count(ALERTS, severity=alert.severity, change=announcement.kind)


async def hand_over(announcement: Announcement, world: World, *, leave_out: str = "") -> None:
    """Put it into the outbox of every destination it is for, and ask for the deliveries. Quiet hours are not disturbed
    for what they postpone."""
    names = addressed(announcement, world.configuration.notifications, leave_out)
    if world.topic is not None and leave_out != TOPIC:
        names = (TOPIC, *names)
    for name in names:
        await world.outbox.put(name, announcement)
        await world.notify_queue.send(name, _quiet_seconds(name, announcement, world))


def log_fields(announcement: Announcement) -> dict[str, str | int]:
    """The contract of the log line: docs/notifications.md."""
    alert, about = announcement.alert, announcement.about
    return {
        "kind": announcement.kind,
        "alert_id": alert.id,
        "episode": alert.episode,
        "severity": alert.severity,
        "state": alert.state,
        "subject": alert.subject,
        "name": about.name,
        "subscription_id": about.subscription_id,
        "resource_group": about.resource_group,
        "location": about.location,
        "profile": about.profile,
        "vault_id": about.vault_id,
        "cause": alert.cause.key,
        "code": alert.cause.code,
        "title": alert.cause.title[:_LONGEST_LOGGED],
        "occurrences": alert.cause.occurrences,
        "job_id": alert.cause.job_id,
        "first_at": alert.cause.first_at.isoformat(),
        "last_at": alert.cause.last_at.isoformat(),
    }


async def own_alert(cause: Cause, world: World, *, leave_out: str = "") -> None:
    """Say that something is wrong with the Guard itself; saying the same again tells nobody again. What was done about
    it before is kept."""
    known = await _own_alerts(cause.key, world, leave_out)
    if cause.key in known and known[cause.key].state == "Open":
        did = dict.fromkeys((*known[cause.key].cause.did, *cause.did))
        cause = replace(cause, did=tuple(did)[-_MOST_REMEMBERED:])
    await _settle_own(known, cause, world, leave_out)


async def own_alert_over(cause_key: str, world: World, *, leave_out: str = "") -> None:
    """It is in order again. Nothing happens when it was never said."""
    known = await _own_alerts(cause_key, world, leave_out)
    if cause_key in known and known[cause_key].state == "Open":
        over = replace(known[cause_key].cause, resolved_at=world.clock.now())
        await _settle_own(known, over, world, leave_out)


async def _own_alerts(cause_key: str, world: World, leave_out: str) -> Mapping[str, Alert]:
    """With what somebody who died had still to tell of it told."""
    book = world.alert_book.all_of(THE_APP)
    return await _tell_own(
        {alert.cause.key: alert async for alert in book if alert.cause.key == cause_key}, world, leave_out
    )


async def _settle_own(known: Mapping[str, Alert], cause: Cause, world: World, leave_out: str) -> None:
    """The table is the truth here, so it is written before anybody hears of it, and again when everybody did."""
    alerts = settle(
        THE_APP,
        known,
        (cause,),
        words=await world.alert_book.words(THE_APP),
        hold=None,
        alerting=Alerting(),
        moment=world.moment(),
        judged=None,
    )
    if changed := [alert for key, alert in alerts.items() if known.get(key) != alert]:
        await world.alert_book.show(changed)
    await _tell_own(alerts, world, leave_out)


async def _tell_own(alerts: Mapping[str, Alert], world: World, leave_out: str) -> Mapping[str, Alert]:
    """What is untold is told, under the same keys however often; then the table says so."""
    news, told = announcements_of(alerts, About(THE_APP, "AKS Backup Guard"), world.moment())
    await announce(news, world, leave_out=leave_out)
    if news:
        await world.alert_book.show([alert for key, alert in told.items() if alerts[key] != alert])
    return told


def _quiet_seconds(destination: str, announcement: Announcement, world: World) -> float:
    """Seconds of the wall clock until the destination may hear of it."""
    route, now = route_of(destination, world), world.clock.now()
    end = quiet_until(route, announcement.alert.severity, now) if route else None
    return (end - now).total_seconds() + 1 if end else 0.0


def route_of(destination: str, world: World) -> Route | None:
    """The route as guard.yaml has it now; None when it, or that channel of it, is no longer there."""
    name, channel = route_and_channel(destination) or ("", "")
    routes = world.configuration.notifications.routes
    return next((route for route in routes if route.name == name and channel in route.channels), None)
