"""Event Grid: something was done to an AKS cluster."""

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("cluster_events")
@blueprint.event_grid_trigger(arg_name="event")
async def cluster_events(event: str) -> None:
    """One event of either schema. An event that is not ours is dropped, never raised: raising would hold back good
    ones. A storage that is down is raised: Event Grid brings the event again."""
    from shared.bootstrap import start_telemetry, world
    from shared.take_event import take_cluster_event

    start_telemetry()
    await take_cluster_event(event, world)
