"""Event Grid: a backup or restore job has ended (the app's own topic)."""

import logging
from collections import Counter
from datetime import UTC, datetime

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)
dropped: Counter[str] = Counter()


@blueprint.function_name("job_events")
@blueprint.event_grid_trigger(arg_name="event")
async def job_events(event: str) -> None:
    """One CloudEvent. What is not ours is dropped, never raised: raising would hold back good ones. A storage that is
    down is raised: Event Grid brings the event again."""
    from shared.domain.errors import MalformedEventError
    from shared.events.job_events import parse_job_event

    try:
        job = parse_job_event(event, datetime.now(UTC))
    except MalformedEventError as error:
        dropped["malformed"] += 1
        log.warning("dropped a malformed event, the %dth of this process: %s", dropped["malformed"], error)
        return
    if job is None:
        return
    from shared.bootstrap import world
    from shared.hand_on import take_in

    await take_in(job, await world())
    log.info("took in %s of %s", job.key, job.cluster)
