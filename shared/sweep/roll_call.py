"""The roll call: who is there that no event told of? Once an hour, so that an event that is lost costs an hour."""

import logging

from shared.domain.errors import GuardError, RecordConflict
from shared.domain.fleet import Scope
from shared.ports import Watermark
from shared.sweep.batch import MOST_NEW, ask_for_looks
from shared.telemetry import count
from shared.telemetry.catalogue import ROLL_CALLS
from shared.world import World

log = logging.getLogger(__name__)

EVERY = 3600.0
"""Azure's seconds."""
DISCOVERY = "discovery"
"""Watermark: when the last roll call was complete, by our clock."""


async def roll_call(world: World) -> int | None:
    """Ask for a look at every cluster that is unknown, or was deleted and is back; how many those are. None: it is not
    time yet, nothing is in scope, or the list could not be read, which is tried again by the next invocation."""
    moment, scope = world.moment(), world.scope
    if scope == Scope():
        return None
    mark = await world.watermarks.get(DISCOVERY)
    if mark is not None and 0 <= moment.since(mark.through) < EVERY:
        return None
    try:
        shown = await world.fleet.scope(scope)
        clusters = await world.fleet.cluster_ids([each.subscription_id for each in shown.subscriptions])
    except GuardError as error:
        log.warning("clusters could not be searched: %s", error)
        count(ROLL_CALLS, outcome="failed")
        return None
    count(ROLL_CALLS, outcome="complete")
    alive = {cluster async for cluster, known in world.records.remembered() if known.deleted_at is None}
    new = sorted({cluster for cluster in clusters if cluster not in alive})
    await ask_for_looks(new[:MOST_NEW], world)
    if len(new) <= MOST_NEW:  # else the next invocation goes on
        try:
            await world.watermarks.save(Watermark(DISCOVERY, moment.now, etag=mark.etag if mark else ""))
        except RecordConflict:
            log.info("another host called the roll too")
    return len(new)
