"""The queue into which Event Grid puts events where it does not call the app: all of them, told by their type."""

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("queued_events")
@blueprint.queue_trigger(arg_name="message", queue_name="events", connection="AzureWebJobsStorage")
async def queued_events(message: func.QueueMessage) -> None:
    """One event in JSON, as `cluster_events` and `job_events` take it. What is not ours is dropped, what could not be
    kept is raised: the message comes again."""
    from shared.bootstrap import start_telemetry, world
    from shared.take_event import take_event

    start_telemetry()
    await take_event(message.get_body().decode(errors="replace"), world)
