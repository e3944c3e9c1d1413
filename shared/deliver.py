"""Delivering: what is pending for a destination is sent as one message, or tried again later, until it has arrived."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched

from shared.announce import hand_over, own_alert, own_alert_over, route_of
from shared.domain.alerts import Announcement, Cause, in_order
from shared.domain.destinations import TOPIC, destination_of, route_and_channel
from shared.domain.errors import DeliveryError, GuardError, RecordConflict
from shared.domain.jobs import event_key
from shared.domain.messages import Message
from shared.plan.routes import Turn, due
from shared.ports import Destination
from shared.telemetry import Note, count, link_to, span
from shared.telemetry.catalogue import DELIVERIES, DELIVERY
from shared.world import World

log = logging.getLogger(__name__)

FAILURES_UNTIL_ALERT = 5
KEPT_DAYS = 3
"""Azure's days after which an announcement is given up, when its channel still fails."""
_REMEMBERED = timedelta(days=7)
"""How long the outbox knows what was delivered, so that nothing is told again."""
_MOST_AT_ONCE = 1000
"""Announcements in one delivery; the list in a message is bounded anyway, and what is more makes another."""
_EVENTS_AT_ONCE = 50
_MOST_LINKS = 50
"""To the traces of the announcements in one message."""
_LONGEST_PAUSE = 3600.0


async def deliver(destination: str, world: World, story: str = "") -> None:
    """Called for every message of the queue `notify`, of which there may be any number: most find that it is not time
    yet or that nothing is pending. `story` is the message's traceparent. Raises what storage raises, and what nobody
    expected of a channel."""
    with span(DELIVERY, parent=story, destination=destination) as note:
        await _deliver(destination, world, note)


async def _deliver(destination: str, world: World, note: Note) -> None:
    state = await world.destinations.get(destination)
    if not _free(state, world.clock.now()):
        return  # whoever holds the lease, or set `not_before`, sends a wake-up; `kick` sees to lost ones
    if state.sent:
        await _finish(state, world)
        return
    pending = await world.outbox.pending(destination)
    if not _is_there(destination, world):
        await _readdress(destination, pending, world)
        return
    turn = _turn(destination, pending, world)
    if turn.announcements:
        await _with_lease(state, turn.announcements, world, note)
    elif turn.wait_until is not None:
        await _wait(state, turn.wait_until, world)
    elif turn.quiet_until is not None:
        await _wake(destination, turn.quiet_until, world)


async def kick(world: World) -> int:
    """Send the wake-ups that were lost, and once a day forget what was delivered long ago. Returns how many were sent.
    One destination in trouble hinders no other: its error is raised in the end."""
    now, sent, trouble = world.clock.now(), 0, None
    for destination in _all_of(world):
        try:
            state = await world.destinations.get(destination)
            pending = await world.outbox.pending(destination)
            if _free(state, now) and (state.sent or _turn(destination, pending, world).announcements):
                await world.notify_queue.send(destination)
                sent += 1
            if (now.hour, now.minute // 5) == (3, 0):
                await world.outbox.forget_delivered(destination, now - _REMEMBERED)
        except (GuardError, RecordConflict, ValueError) as error:
            trouble = error
    if trouble is not None:
        raise trouble
    return sent


async def deliver_later(destination: str, world: World) -> None:
    """For a message of the queue that failed too often."""
    await _wake(destination, world.moment().after(3600), world)


def _free(state: Destination, now: datetime) -> bool:
    return all(until is None or until <= now for until in (state.lease_until, state.not_before))


def _all_of(world: World) -> tuple[str, ...]:
    routes = world.configuration.notifications.routes
    names = [destination_of(route.name, channel) for route in routes for channel in route.channels]
    return (*((TOPIC,) if world.topic else ()), *dict.fromkeys(names))


def _is_there(destination: str, world: World) -> bool:
    return world.topic is not None if destination == TOPIC else route_of(destination, world) is not None


def _turn(destination: str, pending: Sequence[Announcement], world: World) -> Turn:
    """The topic's readers are programs: they wait for nothing."""
    route = route_of(destination, world)
    if route is None:
        return Turn(in_order(pending)[:_MOST_AT_ONCE])
    turn = due(pending, route, world.configuration.notifications, world.moment())
    return replace(turn, announcements=turn.announcements[:_MOST_AT_ONCE])


async def _readdress(destination: str, pending: Sequence[Announcement], world: World) -> None:
    """guard.yaml no longer has the channel: whoever it names now, and was not told yet, gets what is left."""
    for announcement in pending:
        await hand_over(announcement, world)
    if pending:
        log.warning("%s is no longer configured; %d announcements were addressed anew", destination, len(pending))
        await world.outbox.delivered(destination, [a.key for a in pending], world.clock.now())


async def _wait(state: Destination, until: datetime, world: World) -> None:
    try:
        await _saved(replace(state, not_before=until), world)
    except RecordConflict:
        return  # somebody else did the same
    await _wake(state.name, until, world)


async def _wake(destination: str, at: datetime, world: World) -> None:
    """A second late, so that no clock that is a little slow finds it too early."""
    await world.notify_queue.send(destination, max(0.0, (at - world.clock.now()).total_seconds()) + 1)


async def _with_lease(state: Destination, announcements: Sequence[Announcement], world: World, note: Note) -> None:
    """Between a channel's yes and the note of it lies the only moment in which a crash leads to a message twice."""
    until = world.clock.now() + timedelta(seconds=world.lease_seconds)
    try:
        state = await _saved(replace(state, lease_id=world.new_id(), lease_until=until), world)
    except RecordConflict:
        return  # somebody else delivers
    note.say(announcements=len(announcements))
    for traceparent in list(dict.fromkeys(each.traceparent for each in announcements))[:_MOST_LINKS]:
        link_to(traceparent)
    try:
        async with asyncio.timeout(world.pass_seconds):
            await _send(state.name, announcements, world)
    except (DeliveryError, GuardError, TimeoutError) as error:
        note.fail(type(error).__name__)
        await _failed(state, announcements, str(error) or "it took too long", world)
    except Exception as error:
        # Its text may hold an address.
        await _failed(state, announcements, f"an error nobody expected ({type(error).__name__})", world)
        raise
    else:
        count(DELIVERIES, outcome="delivered")
        state = await _saved(replace(state, sent=tuple(a.key for a in announcements)), world)
        await _finish(state, world)


async def _send(destination: str, announcements: Sequence[Announcement], world: World) -> None:
    if destination == TOPIC and world.topic is not None:
        for batch in batched(announcements, _EVENTS_AT_ONCE, strict=False):
            await world.topic.publish_announcements(batch)
            await world.outbox.delivered(TOPIC, [a.key for a in batch], world.clock.now())
    elif (found := route_and_channel(destination)) is not None:
        route, channel = found
        url = world.configuration.notifications.dashboard_url
        key = event_key(route, *sorted(a.key for a in announcements))
        await world.channels.deliver(channel, Message(key, route, tuple(announcements), url))


async def _finish(state: Destination, world: World) -> None:
    """A message has arrived: the outbox hears of it, an alert about the channel is over, and the next message has its
    time."""
    await world.outbox.delivered(state.name, state.sent, world.clock.now())
    if state.failing:
        await own_alert_over(_cause_key(state.name), world, leave_out=state.name)
    pause = 0.0 if state.name == TOPIC else world.configuration.notifications.group_interval
    not_before = world.moment().after(pause)
    await _saved(Destination(state.name, not_before=not_before, etag=state.etag), world)
    await _wake(state.name, not_before, world)


async def _failed(state: Destination, announcements: Sequence[Announcement], why: str, world: World) -> None:
    _, channel = route_and_channel(state.name) or ("", TOPIC)
    failures, moment = state.failing.get(channel, 0) + 1, world.moment()
    count(DELIVERIES, outcome="failed")
    log.warning("%s: %d announcements did not arrive (failure %d): %s", state.name, len(announcements), failures, why)
    state = replace(
        state,
        lease_id="",
        lease_until=None,
        not_before=moment.after(min(60.0 * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)),
        failing={channel: failures},
        failing_since=state.failing_since or moment.now,
    )
    state = await _saved(state, world)
    await _wake(state.name, state.not_before or moment.now, world)
    if failures >= FAILURES_UNTIL_ALERT:
        too_old = [a.key for a in announcements if moment.since(a.at) > KEPT_DAYS * 86400]
        await own_alert(_cause(state, len(too_old), why, world), world, leave_out=state.name)
        if too_old:
            log.error("%s: gave up %d announcements after %d days", state.name, len(too_old), KEPT_DAYS)
            await world.outbox.delivered(state.name, too_old, moment.now)
            count(DELIVERIES, len(too_old), outcome="given_up")


def _cause_key(destination: str) -> str:
    return "Delivery:" + ":".join(route_and_channel(destination) or (TOPIC,))


def _cause(state: Destination, given_up: int, why: str, world: World) -> Cause:
    now = world.clock.now()
    route, channel = route_and_channel(state.name) or ("", "")
    whom = f"the channel {channel} of the route {route}" if channel else "the app's own Event Grid topic"
    check = f"the app setting AKS_BACKUP_GUARD_CHANNEL_{channel}" if channel else "the topic and the app's rights on it"
    gave_up = f"{now:%Y-%m-%d %H:%M} UTC: gave up {given_up} announcements that were older than {KEPT_DAYS} days"
    return Cause(
        key=_cause_key(state.name),
        code="DeliveryFailed",
        severity="Error",
        title=f"Messages do not reach {whom}",
        message=f"Nothing has reached {whom} since {state.failing_since:%Y-%m-%d %H:%M} UTC. The last attempt: {why}",
        recommended_action=f"Check {check}, and whether the service behind it still takes messages.",
        first_at=state.failing_since or now,
        last_at=now,
        will_do=f"The Guard tries again at least once an hour; what is older than {KEPT_DAYS} days is given up.",
        did=(gave_up,) if given_up else (),
    )


async def _saved(state: Destination, world: World) -> Destination:
    """Save; after an answer that was lost, read whether it was written. Raises RecordConflict."""
    try:
        return await world.destinations.save(state)
    except (RecordConflict, GuardError):
        stored = await world.destinations.get(state.name)
        if replace(stored, etag="") == replace(state, etag=""):
            return stored
        raise
