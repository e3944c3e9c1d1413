"""One event comes in, by whatever way Event Grid brought it.

What is not ours, or cannot be read, is dropped and never raised: raising would hold back good events. A storage that is
down is raised: the event comes again.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal

from shared.domain.errors import MalformedEventError
from shared.domain.ids import ClusterId
from shared.events.cluster_events import is_of_azure, parse_cluster_event
from shared.events.job_events import parse_job_event
from shared.events.synthetic import parse_synthetic_event
from shared.hand_on import take_in
from shared.ports import HandledEvent
from shared.telemetry import count, is_sampled, span, traceparent_in
from shared.telemetry.catalogue import EVENT, EVENTS
from shared.wake import request_look
from shared.world import World

log = logging.getLogger(__name__)

type GetWorld = Callable[[], Awaitable[World]]
"""Asked for only when there is something to do. Raises InvalidSettingsError and InvalidConfigurationError."""


type Outcome = Literal["taken", "ignored"]


async def take_event(payload: str, world: GetWorld, via: str = "queued_events") -> None:
    """One event of any kind, told by its type. `via` is the function it came by. Raises TransientError."""
    if is_of_azure(_type_of(payload)):
        await take_cluster_event(payload, world, via)
    else:
        await take_job_event(payload, world, via)


async def take_cluster_event(payload: str, world: GetWorld, via: str = "cluster_events") -> None:
    """Something was done to a cluster: it is looked at. Raises TransientError."""
    await _told_of(_cluster_event, payload, world, via)


async def take_job_event(payload: str, world: GetWorld, via: str = "job_events") -> None:
    """A job has ended: it is kept, and its cluster looked at. Or somebody sees whether events arrive. Raises
    TransientError."""
    await _told_of(_job_event, payload, world, via)


async def _told_of(
    take: Callable[[str, GetWorld], Awaitable[Outcome]], payload: str, world: GetWorld, via: str
) -> None:
    """What nobody recorded before is recorded here all the same: its trace begins with the host's invocation."""
    outcome, parent = "failed", traceparent_in(payload)
    with span(EVENT, via, parent=parent if is_sampled(parent) else None) as note:
        try:
            outcome = await take(payload, world)
        except MalformedEventError as error:
            outcome = "malformed"
            log.warning("dropped a malformed event: %s", error)
        finally:
            note.say(outcome=outcome)
            count(EVENTS, function=via, outcome=outcome)


async def _cluster_event(payload: str, world: GetWorld) -> Outcome:
    changed = parse_cluster_event(payload)
    if changed is None:
        return "ignored"
    here = await world()
    if _is_elsewhere(changed.cluster, here):
        log.warning("ignored an event about %s, whose subscription is none of those in scope", changed.cluster)
        return "ignored"
    await request_look(changed.cluster, here)
    log.info("cluster %s was %s (event %r)", changed.cluster, changed.what, changed.event_id)
    return "taken"


async def _job_event(payload: str, world: GetWorld) -> Outcome:
    synthetic = parse_synthetic_event(payload)
    job = None if synthetic else parse_job_event(payload, datetime.now(UTC))
    if synthetic is None and job is None:
        return "ignored"
    if synthetic is not None:
        here = await world()
        if here.synthetic_events is not None:
            await here.synthetic_events.keep(HandledEvent(synthetic, here.clock.now()))
        log.info("the synthetic event %s has arrived", synthetic)
    elif job is not None:
        await take_in(job, await world())
        log.info("took in %s of %s", job.key, job.cluster)
    return "taken"


def _is_elsewhere(cluster: ClusterId, world: World) -> bool:
    """No topic of the deployment tells of such a cluster, so somebody else does. Below a management group there may be
    subscriptions that no sweep has seen yet; without a scope there is none to be outside of."""
    scope = world.scope
    named = bool(scope.subscriptions) and not scope.management_groups
    return named and cluster.subscription_id not in scope.subscriptions


def _type_of(payload: str) -> str:
    """Empty when it is none that can be read: the parsers say why."""
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError):
        return ""
    named = (event.get("eventType"), event.get("type")) if isinstance(event, dict) else ()
    return next((kind for kind in named if isinstance(kind, str)), "")
