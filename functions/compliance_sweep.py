"""The timer that judges the fleet."""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)


@blueprint.function_name("compliance_sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="0 0 5 * * *", run_on_startup=False)
async def compliance_sweep(timer: func.TimerRequest) -> None:
    """Every morning, when the backups of the night are done: begins a sweep, or goes on with the one under way. What
    does not fit into one invocation is done by those of `requeue_overdue`."""
    from shared.bootstrap import world
    from shared.sweep import sweep

    swept = await sweep(await world(), begin=True)
    if swept is None:
        log.info("another host is at the sweep")
    else:
        log.info("sweep %s: %d of %d batches, complete: %s", swept.sweep_id, swept.batches, swept.of, swept.complete)
