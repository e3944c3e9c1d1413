"""Event Grid: something was done to an AKS cluster."""

import logging
from collections import Counter

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)
dropped: Counter[str] = Counter()


@blueprint.function_name("cluster_events")
@blueprint.event_grid_trigger(arg_name="event")
async def cluster_events(event: str) -> None:
    """One event of either schema. An event that is not ours is dropped, never raised: raising would hold back good
    ones. A storage that is down is raised: Event Grid brings the event again."""
    from shared.domain.errors import MalformedEventError
    from shared.events.cluster_events import parse_cluster_event

    try:
        changed = parse_cluster_event(event)
    except MalformedEventError as error:
        dropped["malformed"] += 1
        log.warning("dropped a malformed event, the %dth of this process: %s", dropped["malformed"], error)
        return
    if changed is None:
        return
    from shared.bootstrap import world
    from shared.wake import request_look

    await request_look(changed.cluster, await world())
    log.info("cluster %s was %s (event %r)", changed.cluster, changed.what, changed.event_id)
