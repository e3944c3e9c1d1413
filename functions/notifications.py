"""The queue that holds which destination has something to be told."""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)


@blueprint.function_name("notifications")
@blueprint.queue_trigger(arg_name="message", queue_name="notify", connection="AzureWebJobsStorage")
async def notifications(message: func.QueueMessage) -> None:
    """At most one message to one channel. A queue message that is not ours is dropped with a warning."""
    from shared.bootstrap import start_telemetry, world
    from shared.deliver import deliver
    from shared.domain.errors import MalformedEventError
    from shared.record.messages import parse_notification
    from shared.telemetry import count, traceparent_in
    from shared.telemetry.catalogue import MALFORMED_MESSAGES

    start_telemetry()
    text = message.get_body().decode(errors="replace")
    try:
        destination = parse_notification(text)
    except MalformedEventError as error:
        log.warning("dropped a malformed queue message: %s", error)
        count(MALFORMED_MESSAGES, queue="notify")
        return
    await deliver(destination, await world(), traceparent_in(text))
