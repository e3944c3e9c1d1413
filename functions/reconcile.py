"""The queue that holds whom to look at, and the timer that finds who was forgotten."""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)


@blueprint.function_name("reconcile")
@blueprint.queue_trigger(arg_name="message", queue_name="reconcile", connection="AzureWebJobsStorage")
async def reconcile(message: func.QueueMessage) -> None:
    """One look at one cluster or region. A message that is not ours is dropped with a warning."""
    from shared.bootstrap import start_telemetry, world
    from shared.domain.errors import MalformedEventError
    from shared.reconcile import reconcile as look
    from shared.record.messages import parse_request
    from shared.telemetry import count
    from shared.telemetry.catalogue import MALFORMED_MESSAGES

    start_telemetry()
    try:
        request = parse_request(message.get_body().decode(errors="replace"))
    except MalformedEventError as error:
        log.warning("dropped a malformed queue message: %s", error)
        count(MALFORMED_MESSAGES, queue="reconcile")
        return
    await look(request, await world())


@blueprint.function_name("requeue_overdue")
@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=False)
async def requeue_overdue(timer: func.TimerRequest) -> None:
    """Every five minutes: sends lost wake-ups and deliveries again, once an hour asks for a look at clusters no event
    told us about, and goes on with a sweep that did not fit into its own invocation."""
    from shared.bootstrap import world
    from shared.deliver import kick
    from shared.reconcile import requeue_overdue as requeue
    from shared.sweep import measure_age, notice_approval, roll_call, sweep, told

    here = await world()
    since = here.clock.now()
    try:
        log.info("requeued %d overdue", await requeue(here))
        await kick(here)
    finally:  # a row that cannot be read, or another trouble with the known ones, hides no new cluster
        if (found := await roll_call(here)) is not None:
            log.info("the roll call found %d clusters that are new or back", found)
        await notice_approval(here)
        if (swept := await sweep(here, begin=False, since=since)) is not None:
            log.info("sweep %s: %d of %d batches", swept.sweep_id, swept.batches, swept.of)
        await told(here)
        await measure_age(here)
