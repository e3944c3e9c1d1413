"""Event Grid: a backup or restore job has ended (the app's own topic)."""

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("job_events")
@blueprint.event_grid_trigger(arg_name="event")
async def job_events(event: str) -> None:
    """One CloudEvent. What is not ours is dropped, never raised: raising would hold back good ones. A storage that is
    down is raised: Event Grid brings the event again."""
    from shared.bootstrap import start_telemetry, world
    from shared.take_event import take_job_event

    start_telemetry()
    await take_job_event(event, world)
