"""The timer that finds jobs that have ended: Azure Backup itself tells of none."""

import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)


@blueprint.function_name("job_watch")
@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=False)
async def job_watch(timer: func.TimerRequest) -> None:
    """Every five minutes."""
    from shared.bootstrap import world
    from shared.job_watch import watch_jobs

    watched = await watch_jobs(await world())
    log.info(
        "found %d ended jobs, published %d; %d wait for their details; %d sources unreadable, %d gaps",
        watched.found,
        watched.published,
        watched.waiting,
        watched.failing,
        watched.gaps,
    )
