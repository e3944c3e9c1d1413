"""The queue that holds which destination has something to be told."""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)


@blueprint.function_name("notifications")
@blueprint.queue_trigger(arg_name="message", queue_name="notify", connection="AzureWebJobsStorage")
async def notifications(message: func.QueueMessage) -> None:
    """At most one message to one channel. A queue message that is not ours is dropped with a warning."""
    from shared.bootstrap import world
    from shared.deliver import deliver
    from shared.domain.errors import MalformedEventError
    from shared.record.messages import parse_notification

    try:
        destination = parse_notification(message.get_body().decode(errors="replace"))
    except MalformedEventError as error:
        log.warning("dropped a malformed queue message: %s", error, extra={"metric": "malformed_messages"})
        return
    await deliver(destination, await world())
