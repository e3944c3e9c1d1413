"""What could not be done, however often it was tried, becomes a condition and a later look."""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)


@blueprint.function_name("poison")
@blueprint.queue_trigger(arg_name="message", queue_name="reconcile-poison", connection="AzureWebJobsStorage")
async def poison(message: func.QueueMessage) -> None:
    """A reconcile message that failed `maxDequeueCount` times."""
    from shared.bootstrap import start_telemetry, world
    from shared.domain.errors import MalformedEventError
    from shared.reconcile import set_aside
    from shared.record.messages import parse_request
    from shared.telemetry import count
    from shared.telemetry.catalogue import POISON_MESSAGES

    start_telemetry()
    count(POISON_MESSAGES, queue="reconcile")
    text = message.get_body().decode(errors="replace")
    try:
        request = parse_request(text)
    except MalformedEventError as error:
        log.error("dropped a poison message that names nobody: %s", error)
        return
    log.error("%s could not be looked at", request.subject)
    await set_aside(request, await world(), "five attempts ended in an error.")


@blueprint.function_name("notify_poison")
@blueprint.queue_trigger(arg_name="message", queue_name="notify-poison", connection="AzureWebJobsStorage")
async def notify_poison(message: func.QueueMessage) -> None:
    """A notify message that failed `maxDequeueCount` times: what it is about stays pending, and is tried in an hour."""
    from shared.bootstrap import start_telemetry, world
    from shared.deliver import deliver_later
    from shared.domain.errors import MalformedEventError
    from shared.record.messages import parse_notification
    from shared.telemetry import count
    from shared.telemetry.catalogue import POISON_MESSAGES

    start_telemetry()
    count(POISON_MESSAGES, queue="notify")
    text = message.get_body().decode(errors="replace")
    try:
        destination = parse_notification(text)
    except MalformedEventError as error:
        log.error("dropped a poison message that names nobody: %s", error)
        return
    log.error("%s could not be delivered to", destination)
    await deliver_later(destination, await world())


@blueprint.function_name("events_poison")
@blueprint.queue_trigger(arg_name="message", queue_name="events-poison", connection="AzureWebJobsStorage")
async def events_poison(message: func.QueueMessage) -> None:
    """An event that could not be kept `maxDequeueCount` times: it is tried once more, an hour's roll call finds its
    cluster otherwise."""
    from shared.bootstrap import start_telemetry, world
    from shared.take_event import take_event
    from shared.telemetry import count
    from shared.telemetry.catalogue import POISON_MESSAGES

    start_telemetry()
    count(POISON_MESSAGES, queue="events")
    log.error("an event could not be taken in")
    await take_event(message.get_body().decode(errors="replace"), world, "events_poison")
